// Sends the chosen files one by one, each with its own progress and cancel; without it the form sends them all at once.
class VfUpload extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send([...this.form.elements.files.files]);
    });
    this.leaving = (event) => { if (this.busy) event.preventDefault(); };
    addEventListener("beforeunload", this.leaving);
  }
  disconnectedCallback() { removeEventListener("beforeunload", this.leaving); }

  async send(files) {
    const button = this.form.querySelector("button[type=submit]");
    const list = this.list();
    const rows = files.map((file) => this.row(list, file));
    this.busy = button.disabled = true;
    list.closest("section").scrollIntoView({ block: "nearest" });
    for (const row of rows) await this.one(row);
    this.busy = button.disabled = false;
    this.form.elements.files.value = "";
  }

  list() {
    const section = document.createElement("section");
    const list = document.createElement("ul");
    section.className = "card";
    list.className = "outcomes";
    section.append(list);
    document.getElementById("results").replaceChildren(section);
    return list;
  }

  row(list, file) {
    const item = document.createElement("li");
    const about = document.createElement("div");
    const name = document.createElement("b");
    const bar = document.createElement("progress");
    const cancel = document.createElement("button");
    about.className = "grow";
    name.textContent = file.name;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    cancel.type = "button";
    cancel.className = "btn";
    cancel.textContent = this.dataset.cancel;
    cancel.setAttribute("aria-label", `${this.dataset.cancel} ${file.name}`);
    about.append(name, bar);
    item.append(about, cancel);
    list.append(item);
    const row = { file, item, about, bar, cancel, cancelled: false };
    cancel.addEventListener("click", () => { row.cancelled = true; row.request?.abort(); this.say(row, this.dataset.cancelled); });
    return row;
  }

  one(row) {
    if (row.cancelled) return Promise.resolve();
    if (row.file.size > Number(this.dataset.fileLimit)) return this.say(row, this.dataset.large);
    const body = new FormData(this.form);
    body.delete("files");
    body.append("files", row.file, row.file.name);
    return new Promise((done) => {
      const request = row.request = new XMLHttpRequest();
      request.open("POST", this.form.action);
      request.setRequestHeader("HX-Request", "true");
      request.setRequestHeader("HX-Request-Type", "partial");
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) row.bar.value = event.loaded / event.total;
        if (event.loaded === event.total) { row.bar.removeAttribute("value"); row.bar.setAttribute("aria-label", `${this.dataset.working}: ${row.file.name}`); }
      });
      request.addEventListener("load", () => { this.answer(row, request); done(); });
      request.addEventListener("error", () => { this.say(row, this.dataset.lost); done(); });
      request.addEventListener("abort", () => done());
      request.send(body);
    });
  }

  answer(row, request) {
    // The server's own row replaces ours; it is parsed, never run.
    const made = new DOMParser().parseFromString(request.responseText, "text/html");
    const found = made.querySelector(".outcomes > li");
    if (found) row.item.replaceWith(document.adoptNode(found));
    else this.say(row, made.querySelector("#faults li, .failure p")?.textContent ?? this.dataset.failed);
  }

  say(row, text) {
    const line = document.createElement("p");
    line.className = "st";
    line.dataset.st = "bad";
    line.textContent = text;
    row.bar.remove();
    row.cancel.remove();
    row.about.append(line);
  }
}
customElements.define("vf-upload", VfUpload);
