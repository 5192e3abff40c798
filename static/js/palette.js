// The command palette: a dialog around the search that is also a page of its own.
class VfPalette extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.input = this.querySelector("input");
    this.found = this.querySelector(".found");
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("[data-palette]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      document.querySelector(":popover-open")?.hidePopover();
      this.toggle();
    });
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("input", () => { this.entered = false; });
    this.dialog.addEventListener("focusin", (event) => { this.among = this.found.contains(event.target); });
    // An answer that comes late takes no focus away, and may be the one that a quick Enter waits for.
    new MutationObserver(() => {
      if (this.dialog.open && !this.dialog.contains(document.activeElement?.closest("a, input"))) {
        (this.among && this.found.querySelector("a") || this.input).focus();
      }
      this.enter();
    }).observe(this.found, { childList: true });
    // A shortcut list and the palette itself are shown where one is, instead of going there.
    this.found.addEventListener("click", (event) => {
      if (event.target.closest("a")?.hash !== "#keys") return;
      event.preventDefault();
      this.dialog.close();
      document.getElementById("keys-dialog")?.showModal();
    });
  }
  toggle() {
    if (this.dialog.open) this.dialog.close();
    else {
      this.dialog.showModal();
      this.input.select();
      this.input.dispatchEvent(new CustomEvent("vf:open"));
    }
    return true;
  }
  // Goes to the first thing found, once what is shown answers all that was typed.
  enter() {
    const asked = this.found.querySelector("[data-asked]")?.dataset.asked;
    if (!this.entered || asked !== this.input.value.trim().replace(/\s+/g, " ")) return;
    this.entered = false;
    this.found.querySelector("a")?.click();
  }
  key(event) {
    const links = [...this.found.querySelectorAll("a")];
    if (event.key === "Enter" && document.activeElement === this.input) {
      event.preventDefault();
      this.entered = true;
      this.enter();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const places = [this.input, ...links];
      const now = places.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      places[(now + places.length) % places.length].focus();
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ") {
      this.input.focus();
    }
  }
}
customElements.define("vf-palette", VfPalette);
