// The job list: j and k move between rows.
document.addEventListener("keydown", (event) => {
  if (!["j", "k"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select")) return;
  const links = [...document.querySelectorAll("table.jobs td.first > a")];
  const now = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, now + (event.key === "j" ? 1 : -1)))]?.focus();
});
