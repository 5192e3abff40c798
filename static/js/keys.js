// Single keys. They are silent in fields, with a modifier, while a dialog is open, and when a person switched them off.
const FIELDS = "input, textarea, select, [contenteditable], dialog[open] *";
let leading = 0;

function jump(key) {
  const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
  if (link) location.assign(link.href);
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    const palette = document.querySelector("vf-palette");
    if (palette?.toggle()) event.preventDefault();
    return;
  }
  if (document.documentElement.dataset.shortcuts === "off" || event.defaultPrevented || event.repeat && event.key === "g") return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(FIELDS)) return;
  if (leading && event.timeStamp - leading < 1500) {
    leading = 0;
    return jump(event.key);
  }
  leading = event.key === "g" ? event.timeStamp : 0;
  if (event.key === "/") {
    const search = document.querySelector("main [data-slash]");
    if (search) { event.preventDefault(); search.focus(); }
  } else if (event.key === "?") {
    document.getElementById("keys-dialog")?.showModal();
  } else {
    // Pages with keys of their own hear of them here, so that all obey the same rules.
    const heard = new CustomEvent("vf:key", { bubbles: true, cancelable: true, detail: event.key });
    if (!event.target.dispatchEvent(heard)) event.preventDefault();
    else document.querySelector(`main [data-hotkey="${CSS.escape(event.key)}"]`)?.click();
  }
});
