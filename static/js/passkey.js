// Passkeys: asks the browser for one and puts its answer into the form, which then goes its usual way.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const known = (list) => list?.map((entry) => ({ ...entry, id: bytes(entry.id) }));
const REPEAT_MS = 240_000; // before the challenge that waits in the e-mail field is too old

class VfPasskey extends HTMLElement {
  connectedCallback() {
    if (!window.PublicKeyCredential) return;
    this.hidden = false;
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      if (this.form.elements.credential.value) return;
      event.preventDefault();
      this.use();
    });
    if ("autofill" in this.dataset) this.offer();
  }
  disconnectedCallback() {
    clearInterval(this.timer);
    this.waiting?.abort();
  }

  // A person asks: one question, and what went wrong is said under the button.
  async use() {
    this.asked = true;
    clearInterval(this.timer);
    this.waiting?.abort();
    this.say("");
    try {
      this.send(await this.ask({}));
    } catch (error) {
      this.asked = false;
      const words = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known" };
      this.say(this.dataset[words[error.name]] ?? this.dataset.failed);
      if ("autofill" in this.dataset) this.offer();
    }
  }

  // Nobody asks yet: passkeys stand among the suggestions of the e-mail field.
  async offer() {
    // A browser answers one question at a time: a person who was quicker than this one is not disturbed by it.
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.()) || this.asked) return;
    const wait = async () => {
      this.waiting?.abort();
      this.waiting = new AbortController();
      try {
        this.send(await this.ask({ mediation: "conditional", signal: this.waiting.signal }));
      } catch {
        // Nothing was chosen, or the question was taken back; the form and the button are still there.
      }
    };
    this.timer = setInterval(wait, REPEAT_MS);
    await wait();
  }

  async ask(how) {
    const answer = await fetch(this.dataset.ask, { headers: { Accept: "application/json" }, signal: how.signal });
    if (!answer.ok) throw new Error(`asked in vain: ${answer.status}`);
    const wanted = await answer.json();
    wanted.challenge = bytes(wanted.challenge);
    if (wanted.user) {
      wanted.user.id = bytes(wanted.user.id);
      wanted.excludeCredentials = known(wanted.excludeCredentials);
      return navigator.credentials.create({ publicKey: wanted });
    }
    wanted.allowCredentials = known(wanted.allowCredentials);
    return navigator.credentials.get({ publicKey: wanted, ...how });
  }

  send(made) {
    const given = made.response;
    const response = { clientDataJSON: text(given.clientDataJSON) };
    if (given.attestationObject) {
      response.attestationObject = text(given.attestationObject);
      response.transports = given.getTransports?.() ?? [];
    } else {
      response.authenticatorData = text(given.authenticatorData);
      response.signature = text(given.signature);
      if (given.userHandle) response.userHandle = text(given.userHandle);
    }
    const whole = { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
    this.form.elements.credential.value = JSON.stringify(whole);
    this.form.requestSubmit();
  }

  say(words) {
    const line = this.querySelector("[data-said]");
    line.textContent = words;
    line.hidden = !words;
  }
}
customElements.define("vf-passkey", VfPasskey);
