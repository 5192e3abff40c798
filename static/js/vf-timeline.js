// The timeline: items are dragged and trimmed, keys act on the one that is chosen. Every gesture is one form sent to the
// server, which answers with the timeline as it then is; nothing is kept here but where the view is scrolled to.
const SNAP = 8; // pixels within which an edge or the playhead draws a dragged edge to it
let scrolled = 0;
let wished = null; // where the view shall be scrolled to once another zoom has come
let held = false; // the tracks had the focus when the timeline was replaced

class VfTimeline extends HTMLElement {
  connectedCallback() {
    // The element outlives the answers that are morphed into it: what they bring is looked up when it is needed.
    this.addEventListener("pointerdown", this.down);
    this.addEventListener("click", this.click);
    this.addEventListener("dragstart", (event) => event.preventDefault());
    this.addEventListener("wheel", this.wheel, { passive: false });
    this.addEventListener("scroll", () => { scrolled = this.scroll.scrollLeft; }, { passive: true, capture: true });
    this.addEventListener("focusin", () => { held = true; });
    document.addEventListener("keydown", this.key);
    document.addEventListener("click", this.step);
    document.addEventListener("htmx:after:swap", this.renew);
    this.renew();
  }
  disconnectedCallback() {
    document.removeEventListener("keydown", this.key);
    document.removeEventListener("click", this.step);
    document.removeEventListener("htmx:after:swap", this.renew);
  }
  renew = () => {
    this.at = Number(this.dataset.at);
    this.loading = false;
    this.scroll.scrollLeft = wished ?? scrolled;
    wished = null;
    const focus = document.activeElement;
    if (held && (!focus || focus === document.body)) this.scroll.focus({ preventScroll: true });
    this.show();
  };
  get scroll() { return this.querySelector(".tl-scroll"); }
  get svg() { return this.querySelector("svg.tl-svg"); }
  get form() { return this.querySelector("#tl-do"); }
  get frames() { return Number(this.dataset.frames); }
  get scale() { return Number(this.dataset.scale); }

  // ── What is where ───────────────────────────────────────────────────────────────────────────────────────
  bars() { return [...this.svg.querySelectorAll(".tl-bar")]; }
  chosen() { return this.svg.querySelector('.tl-bar[aria-current="true"]:not([data-kind="caption"])'); }
  span(bar) { return [Number(bar.dataset.first), Number(bar.dataset.first) + Number(bar.dataset.count)]; }
  frameAt(event) {
    const box = this.svg.getBoundingClientRect();
    return Math.max(0, Math.min(this.frames, Math.round((event.clientX - box.left) / this.scale)));
  }
  snapped(frame, besides) {
    const places = [0, this.frames, this.at];
    for (const bar of this.bars()) if (bar !== besides && bar.dataset.kind !== "cut") places.push(...this.span(bar));
    const near = places.reduce((best, place) => (Math.abs(place - frame) < Math.abs(best - frame) ? place : best), places[0]);
    return Math.abs(near - frame) * this.scale <= SNAP ? near : frame;
  }

  // ── The playhead ────────────────────────────────────────────────────────────────────────────────────────
  seek(frame) {
    this.at = Math.max(0, Math.min(this.frames - 1, frame));
    const address = new URL(location);
    if (this.at) address.searchParams.set("at", this.at);
    else address.searchParams.delete("at");
    history.replaceState(history.state, "", address);
    this.dataset.at = this.at;
    this.show();
    const x = this.at * this.scale;
    if (x < this.scroll.scrollLeft) this.scroll.scrollLeft = x - 40;
    else if (x > this.scroll.scrollLeft + this.scroll.clientWidth) this.scroll.scrollLeft = x - this.scroll.clientWidth + 40;
    const still = document.getElementById("tl-frame");
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      still.dataset.busy = "";
      still.onload = still.onerror = () => { delete still.dataset.busy; };
      still.src = `${still.dataset.src}?at=${this.at}&v=${still.dataset.version}`;
    }, 120);
  }
  show() {
    this.svg.querySelector("[data-playhead]").setAttribute("x", String(this.at * this.scale));
    const field = document.getElementById("tl-at");
    if (document.activeElement !== field) field.value = this.at;
    for (const hidden of document.querySelectorAll("#timeline [data-frame]")) hidden.value = this.at;
    const split = document.getElementById("i-split");
    const bar = this.chosen();
    if (split && bar) {
      const [first, stop] = this.span(bar);
      if (this.at > first && this.at < stop) split.value = this.at - first;
    }
    const fps = this.frames / Number(this.dataset.seconds);
    const seconds = Math.floor(this.at / fps);
    const rest = Math.min(this.at - Math.floor(seconds * fps), Math.round(fps) - 1);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
    document.getElementById("tl-time").value = time;
    const still = document.getElementById("tl-frame");
    still.alt = still.dataset.alt.replace("{time}", time);
  }
  step = (event) => {
    const link = event.target.closest?.("[data-step], .tl-zooms a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.step) this.seek(this.at + Number(link.dataset.step));
    else this.zoom(link);
  };

  // ── Zoom ────────────────────────────────────────────────────────────────────────────────────────────────
  zoom(link) {
    const times = (one) => Number(one.textContent.match(/^\d+/)?.[0] ?? 1);
    const now = document.querySelector(".tl-zooms [aria-current]");
    const [x, wide] = [this.at * this.scale, this.scroll.clientWidth];
    // The playhead stays where it is if it is seen, else what is in the middle does.
    const seen = x >= scrolled && x <= scrolled + wide;
    const place = seen ? x - scrolled : wide / 2;
    wished = Math.max(0, ((scrolled + place) * times(link)) / times(now) - place);
    const address = new URL(link.href);
    if (this.at) address.searchParams.set("at", this.at);
    this.load(address);
  }
  wheel = (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const links = [...document.querySelectorAll(".tl-zooms a")];
    const link = links[links.findIndex((one) => one.matches("[aria-current]")) + (event.deltaY < 0 ? 1 : -1)];
    if (link && !this.loading) this.zoom(link);
  };
  load(address) {
    this.loading = true;
    held = true;
    htmx.ajax("GET", address.pathname + address.search, { source: "#timeline", target: "#timeline", swap: "outerMorph", push: "true" });
  }

  // ── Choosing, dragging ──────────────────────────────────────────────────────────────────────────────────
  click = (event) => {
    const link = event.target.closest(".tl-bar, .tl-mark");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (this.dragged) return;
    const address = new URL(link.href.baseVal, location);
    if (!link.matches(".tl-mark")) {
      if (this.at) address.searchParams.set("at", this.at);
      else address.searchParams.delete("at");
    }
    this.load(address);
  };
  down = (event) => {
    if (event.button) return;
    this.dragged = false;
    const bar = event.target.closest(".tl-bar");
    if (!bar) {
      if (event.target.closest(".ruler, .ground")) this.follow(event, (moved) => this.seek(this.frameAt(moved)), () => {}, true);
      return;
    }
    if (!this.form || ["cut", "effect", "caption"].includes(bar.dataset.kind)) return;
    const edge = event.target.closest(".grip")?.dataset.edge;
    const [first, stop] = this.span(bar);
    const from = this.frameAt(event);
    let by = 0;
    this.follow(event, (moved) => {
      const raw = this.frameAt(moved) - from;
      if (edge) by = this.snapped((edge === "start" ? first : stop) + raw, bar) - (edge === "start" ? first : stop);
      else {
        const start = this.snapped(first + raw, bar) - first;
        const end = this.snapped(stop + raw, bar) - stop;
        by = start !== raw ? start : end !== raw ? end : raw;
      }
      this.preview(bar, edge, by);
    }, (moved) => {
      this.preview(bar, edge, 0);
      if (!by) return;
      this.dragged = true;
      if (edge) this.send({ op: "trim", item: bar.dataset.id, edge, frames: by, how: "roll" });
      else if ("base" in bar.dataset) this.drop(bar, this.frameAt(moved));
      else this.send({ op: "move", item: bar.dataset.id, frames: by });
    });
  };
  drop(bar, frame) {
    // A picture that fills the frame is put into another place of the order.
    const others = this.bars().filter((one) => one.dataset.lane === bar.dataset.lane && one !== bar && one.dataset.kind !== "cut");
    const before = others.filter((one) => { const [first, stop] = this.span(one); return (first + stop) / 2 < frame; });
    const after = before.length ? before[before.length - 1].dataset.id : "";
    const place = this.bars().filter((one) => one.dataset.lane === bar.dataset.lane && one.dataset.kind !== "cut").indexOf(bar);
    if (before.length !== place) this.send({ op: "reorder", item: bar.dataset.id, after });
  }
  follow(event, move, end, now = false) {
    // The link must not take the pointer away, nor must a touch that scrolls become a drag.
    if (event.pointerType === "touch" && !now) return;
    event.preventDefault();
    this.scroll.focus({ preventScroll: true });
    const done = (last) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", done);
      removeEventListener("pointercancel", done);
      if (last.type === "pointerup") end(last);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", done);
    addEventListener("pointercancel", done);
    if (now) move(event);
  }
  preview(bar, edge, by) {
    const [first, stop] = this.span(bar);
    const box = bar.querySelector("svg");
    const begin = edge === "end" ? first : first + by;
    const end = edge === "start" ? stop : stop + by;
    box.setAttribute("x", String(begin * this.scale));
    box.setAttribute("width", String(Math.max(end - begin, 1) * this.scale));
    bar.toggleAttribute("data-drag", by !== 0);
  }

  // ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────
  key = (event) => {
    const target = event.target;
    if (event.defaultPrevented || target.closest?.("input, textarea, select, [contenteditable], dialog[open] *")) return;
    if (document.documentElement.dataset.shortcuts === "off" || event.altKey) return;
    if (target !== document.body && !target.closest?.(".tl-card, .tl-monitor, .tl-head")) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== "z") return;
      event.preventDefault();
      document.getElementById(event.shiftKey ? "tl-redo-do" : "tl-undo-do")?.click();
      return;
    }
    const wide = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: -wide, ArrowRight: wide, Home: -this.frames, End: this.frames };
    if (event.key in moves) {
      event.preventDefault();
      this.seek(this.at + moves[event.key]);
      return;
    }
    if (this.act(event.key, event.shiftKey)) event.preventDefault();
  };
  act(key, shifted) {
    const bar = this.chosen();
    if (!bar || !this.form) return false;
    const item = bar.dataset.id;
    const [first, stop] = this.span(bar);
    const does = {
      "[": () => this.at !== first && this.send({ op: "trim", item, edge: "start", frames: this.at - first, how: "roll" }),
      "]": () => this.at !== stop && this.send({ op: "trim", item, edge: "end", frames: this.at - stop, how: "roll" }),
      s: () => this.at > first && this.at < stop && this.send({ op: "split", item, at: this.at - first }),
      delete: () => this.send({ op: "delete", item, how: shifted ? "ripple" : "gap" }),
    }[key.toLowerCase()];
    if (!does) return false;
    does();
    return true;
  }
  send(fields) {
    const box = this.form.querySelector("[data-fields]");
    box.replaceChildren(...Object.entries(fields).map(([name, value]) => {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value: String(value) });
      return field;
    }));
    for (const hidden of this.form.querySelectorAll("[data-frame]")) hidden.value = this.at;
    held = true;
    this.form.requestSubmit();
  }
}
customElements.define("vf-timeline", VfTimeline);
