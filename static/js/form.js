// Forms: unsaved changes are guarded, and the list of faults gets the focus after a refused post.
class VfGuard extends HTMLElement {
  connectedCallback() {
    // A page that comes back with text nobody has saved says so itself, until the text is sent.
    this.leaving = (event) => { if (this.changed || "unsaved" in this.dataset) event.preventDefault(); };
    this.addEventListener("input", () => { this.changed = true; });
    this.addEventListener("submit", () => { this.changed = false; delete this.dataset.unsaved; });
    addEventListener("beforeunload", this.leaving);
    document.getElementById("faults")?.focus();
  }
  disconnectedCallback() { removeEventListener("beforeunload", this.leaving); }
}
customElements.define("vf-guard", VfGuard);
document.addEventListener("htmx:after:swap", () => document.getElementById("faults")?.focus());

class VfCopy extends HTMLElement {
  // Shown only where the browser can copy; without script the field itself can be selected.
  connectedCallback() {
    if (!navigator.clipboard) return;
    this.hidden = false;
    const button = this.querySelector("button");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(this.dataset.for).value);
      button.lastChild.textContent = this.dataset.done;
    });
  }
}
customElements.define("vf-copy", VfCopy);
