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
  key(event) {
    const links = [...this.found.querySelectorAll("a")];
    if (event.key === "Enter" && document.activeElement === this.input) {
      event.preventDefault();
      links[0]?.click();
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
