// What every page has: filters of menus, running clocks.
class VfFilter extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const entries = [...this.parentElement.querySelectorAll(":scope > a:not([data-always])")];
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const entry of entries) entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
    });
    this.parentElement.addEventListener("keydown", (event) => {
      const shown = [input, ...this.parentElement.querySelectorAll(":scope > a:not([hidden])")];
      if (event.key === "Enter" && document.activeElement === input) entries.find((entry) => !entry.hidden)?.click();
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      const now = shown.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      shown[(now + shown.length) % shown.length].focus();
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

// A row of tabs that does not fit shows the present one.
for (const tab of document.querySelectorAll('.tabs [aria-current="page"]')) {
  const row = tab.closest(".tabs"), here = tab.getBoundingClientRect(), all = row.getBoundingClientRect();
  row.scrollLeft += here.left - all.left - (all.width - here.width) / 2;
}

// A tab that is opened behind others takes no line: browsers have few of them for all tabs. It asks when it is shown.
document.addEventListener("htmx:sse:before:connection", (event) => { if (document.hidden) event.preventDefault(); });
