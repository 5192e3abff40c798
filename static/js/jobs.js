// The job list: j and k move between rows.
document.addEventListener("vf:key", (event) => {
  if (!["j", "k"].includes(event.detail)) return;
  const links = [...document.querySelectorAll("table.jobs td.first > a")];
  const now = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, now + (event.detail === "j" ? 1 : -1)))]?.focus();
  event.preventDefault();
});
