// A click on the picture writes the place into the form; the fields move the cross.
class VfFocus extends HTMLElement {
  connectedCallback() {
    this.fields = ["x", "y"].map((axis) => document.getElementById(`f-focus_${axis}`));
    if (!this.fields[0]) return;
    this.dataset.ready = "";
    this.addEventListener("click", (event) => {
      const box = this.querySelector("img").getBoundingClientRect();
      const shares = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      this.fields.forEach((field, place) => {
        field.value = Math.round(Math.min(1, Math.max(0, shares[place])) * 100);
        field.dispatchEvent(new Event("input", { bubbles: true }));
      });
    });
    for (const field of this.fields) field.addEventListener("input", () => this.draw());
  }
  draw() {
    const [x, y] = this.fields.map((field) => Math.min(100, Math.max(0, parseFloat(field.value.replace(",", ".")) || 0)));
    const [upright, level] = this.querySelectorAll("line");
    if (!upright) return;
    for (const end of ["x1", "x2"]) upright.setAttribute(end, x);
    for (const end of ["y1", "y2"]) level.setAttribute(end, y);
  }
}
customElements.define("vf-focus", VfFocus);
