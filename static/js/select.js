// Lists with boxes to tick: a box for all in the head, and the number of ticked ones beside the buttons.
class VfSelect extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", (event) => {
      if (event.target.matches("[data-all]")) for (const box of this.boxes()) box.checked = event.target.checked;
      this.told();
    });
    document.addEventListener("vf:key", this.key);
    // A live update may put the server's words back: by another text, or by new words in the same one.
    this.watcher = new MutationObserver(() => this.told());
    this.watcher.observe(this, { childList: true, characterData: true, subtree: true });
    this.told();
  }
  disconnectedCallback() {
    document.removeEventListener("vf:key", this.key);
    this.watcher.disconnect();
  }
  boxes() { return [...this.querySelectorAll("tbody input[type=checkbox]")]; }
  key = (event) => {
    if (event.detail !== "x") return;
    const box = document.activeElement?.closest("tr")?.querySelector("input[type=checkbox]");
    if (!box || !this.contains(box)) return;
    box.checked = !box.checked;
    this.told();
    event.preventDefault();
  };
  told() {
    const boxes = this.boxes(), ticked = boxes.filter((box) => box.checked).length;
    const all = this.querySelector("[data-all]");
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
    const count = this.querySelector("[data-count]");
    const text = ticked ? this.dataset.said.replace("{num}", ticked) : this.dataset.none;
    if (count && count.textContent !== text) count.textContent = text;
  }
}
customElements.define("vf-select", VfSelect);
