// The job page: the log that follows.
class VfLog extends HTMLElement {
  connectedCallback() {
    this.lines = this.querySelector("[data-lines]");
    this.follow = this.querySelector("[data-follow]"); // a finished job has none: nothing comes any more
    this.news = this.querySelector("[data-news]");
    const wrap = this.querySelector("[data-wrap]");
    wrap.hidden = false;
    if (this.follow) {
      this.follow.hidden = false;
      this.follow.addEventListener("click", () => this.set(!this.following));
    }
    this.news.addEventListener("click", () => this.set(true));
    wrap.addEventListener("click", () => {
      const wrapped = wrap.getAttribute("aria-pressed") !== "true";
      wrap.setAttribute("aria-pressed", String(wrapped));
      this.lines.toggleAttribute("data-nowrap", !wrapped);
    });
    this.lines.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.lines.addEventListener("vf:key", (event) => this.key(event));
    this.watcher = new MutationObserver((changes) => this.added(changes));
    this.watcher.observe(this.lines, { childList: true, subtree: true });
    addEventListener("hashchange", this.reveal);
    this.set(this.follow !== null && !location.hash.startsWith("#L"));
    this.reveal();
  }
  disconnectedCallback() {
    this.watcher.disconnect();
    removeEventListener("hashchange", this.reveal);
  }
  reveal = () => {
    const line = /^#L\d+$/.test(location.hash) && this.querySelector(location.hash);
    if (!line) return;
    line.closest("details").open = true;
    line.scrollIntoView({ block: "center" });
    this.set(false);
  };
  set(following) {
    this.following = following;
    this.follow?.setAttribute("aria-pressed", String(following));
    if (!following) return;
    this.lines.scrollTop = this.lines.scrollHeight;
    this.top = this.lines.scrollTop; // a move upwards may come before this one has been told
    this.news.hidden = true;
  }
  scrolled() {
    // Only a move upwards is a person's wish to read; new lines move the end away, not the view.
    const top = this.lines.scrollTop;
    const end = this.lines.scrollHeight - top - this.lines.clientHeight < 24;
    if (end && !this.following && this.follow) this.set(true);
    else if (!end && this.following && top < this.top) this.set(false);
    this.top = top;
  }
  added(changes) {
    if (!changes.some((change) => [...change.addedNodes].some((node) => node.nodeType === 1))) return;
    this.lines.querySelector(":scope > .none")?.remove();
    const shown = this.lines.getElementsByClassName("ln");
    for (let extra = shown.length - Number(this.dataset.max); extra > 0; extra--) shown[0].remove();
    if (this.following) this.set(true);
    else this.news.hidden = false;
  }
  key(event) {
    if (!["j", "k"].includes(event.detail)) return;
    const heads = [...this.lines.querySelectorAll("summary")];
    const now = heads.indexOf(document.activeElement.closest("summary"));
    heads[Math.min(heads.length - 1, Math.max(0, now + (event.detail === "j" ? 1 : -1)))]?.focus();
    event.preventDefault();
  }
}
customElements.define("vf-log", VfLog);
