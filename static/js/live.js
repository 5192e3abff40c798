// The state of a page's live line.
class VfLive extends HTMLElement {
  connectedCallback() {
    // A message proves the line as well as its opening does, which may have been before this element listened.
    for (const sign of ["htmx:sse:after:connection", "htmx:sse:after:message"]) this.addEventListener(sign, () => this.up());
    this.addEventListener("htmx:sse:before:connection", (event) => { if (event.detail.connection.attempt > 0) this.down(); });
    this.addEventListener("htmx:sse:error", () => this.down());
    this.addEventListener("htmx:sse:close", (event) => { if (!["message", "cancelled"].includes(event.detail.reason)) this.down(); });
    this.addEventListener("htmx:error", () => this.down());
  }
  show(st, word) {
    this.querySelector(".dot").dataset.st = st;
    const text = this.querySelector("[data-word]");
    if (text.textContent !== word) text.textContent = word;
  }
  up() {
    this.since = null;
    this.show("ok", this.dataset.live);
  }
  down() {
    this.since ??= new Date().toTimeString().slice(0, 8);
    this.show("wait", this.dataset.lost.replace("{time}", this.since));
  }
}
customElements.define("vf-live", VfLive);

// The name of the tab keeps up with the state that the page shows.
class VfTitle extends HTMLElement {
  static observedAttributes = ["data-title"];
  attributeChangedCallback(_name, before, now) {
    if (before && document.title.startsWith(before)) document.title = now + document.title.slice(before.length);
  }
}
customElements.define("vf-title", VfTitle);
