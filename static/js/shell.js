// What every page has: filters of menus, running clocks, the search key.
class VfFilter extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const entries = [...this.parentElement.querySelectorAll(":scope > a:not([data-always])")];
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const entry of entries) entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") entries.find((entry) => !entry.hidden)?.click();
    });
    this.parentElement.addEventListener("toggle", (event) => {
      if (event.newState === "open" && matchMedia("(hover: hover)").matches) input.focus();
    });
  }
}
customElements.define("vf-filter", VfFilter);

class VfTime extends HTMLElement {
  // Counts on from what the server said, so a wrong clock of this machine does not show.
  static observedAttributes = ["data-now", "data-since"];
  connectedCallback() {
    this.base = performance.now();
    this.timer = setInterval(() => this.tick(), 1000);
  }
  disconnectedCallback() { clearInterval(this.timer); }
  attributeChangedCallback() { this.base = performance.now(); }
  tick() {
    const known = Date.parse(this.dataset.now) - Date.parse(this.dataset.since);
    const whole = Math.round((known + performance.now() - this.base) / 1000);
    const two = (number) => String(number).padStart(2, "0");
    if (!(whole >= 10)) return;
    this.textContent = whole < 60 ? `${whole} s`
      : whole < 3600 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
      : `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  }
}
customElements.define("vf-time", VfTime);

document.addEventListener("keydown", (event) => {
  if (document.documentElement.dataset.shortcuts === "off") return;
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select")) return;
  const search = document.querySelector("[data-slash]");
  if (search) { event.preventDefault(); search.focus(); }
});
