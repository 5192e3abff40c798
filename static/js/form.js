// Forms: unsaved changes are guarded, and the list of faults gets the focus after a refused post.
class VfGuard extends HTMLElement {
  connectedCallback() {
    this.leaving = (event) => { if (this.changed) event.preventDefault(); };
    this.addEventListener("input", () => { this.changed = true; });
    this.addEventListener("submit", () => { this.changed = false; });
    addEventListener("beforeunload", this.leaving);
    document.getElementById("faults")?.focus();
  }
  disconnectedCallback() { removeEventListener("beforeunload", this.leaving); }
}
customElements.define("vf-guard", VfGuard);
document.addEventListener("htmx:after:swap", () => document.getElementById("faults")?.focus());
