// The two forms: register a service, open a tunnel. Each shows the command and the request that do the same.

import { html, nothing } from "lit";
import { Base } from "./base.js";
import { parsePorts } from "./format.js";
import { problem, toast, twin } from "./parts.js";
import { call, curl, mcc } from "./rest.js";
import { route } from "./router.js";

/** A form in a dialog; a subclass says which fields there are and what is sent. */
class Form extends Base {
  static properties = { values: { state: true }, error: { state: true }, busy: { state: true } };

  constructor() {
    super();
    this.values = {};
  }

  open(values = {}) {
    this.values = { ...values };
    this.error = null;
    this.updateComplete.then(() => {
      const dialog = this.querySelector("dialog");
      if (!dialog.open) dialog.showModal();
      const first = [...dialog.querySelectorAll("input, select")].find((e) => !e.value);
      (first ?? dialog.querySelector("input"))?.focus();
    });
  }

  #closed() {
    if (route.get("form")) route.set({ form: "", service: "" });
  }

  #fault(field) {
    const faults = this.error?.problem?.errors ?? [];
    const at = field.pointer ?? "/" + field.name;
    return faults.find((f) => f.pointer === at || f.pointer.startsWith(at + "/"))?.detail;
  }

  async #send(event) {
    event.preventDefault();
    this.busy = true;
    this.error = null;
    const [method, path, body] = this.request();
    try {
      const answer = await call(method, path, body);
      this.querySelector("dialog").close();
      toast(this.done(answer));
      this.dispatchEvent(new CustomEvent("done", { detail: answer }));
    } catch (e) {
      this.error = e;
      await this.updateComplete;
      this.querySelector("[aria-invalid=true]")?.focus();
    } finally {
      this.busy = false;
    }
  }

  #field(field) {
    const fault = this.#fault(field);
    const value = this.values[field.name] ?? "";
    const set = (e) => (this.values = { ...this.values, [field.name]: e.target.value });
    const at = `${this.localName}-${field.name}`;
    return html`<div class="field">
      <label for=${at}>${field.label}${field.required ? "" : html` <span class="muted">(optional)</span>`}</label>
      ${field.options
        ? html`<select id=${at} @change=${set}>
            ${field.options.map((o) => html`<option value=${o} ?selected=${o === (value || field.options[0])}>${o}</option>`)}
          </select>`
        : html`<input
            id=${at}
            type=${field.type ?? "text"}
            min=${field.type === "number" ? 1 : nothing}
            autocomplete="off"
            spellcheck="false"
            placeholder=${field.placeholder ?? nothing}
            ?required=${field.required}
            aria-invalid=${fault ? "true" : nothing}
            aria-describedby="${at}-note"
            .value=${value}
            @input=${set}
          />`}
      <span id="${at}-note" class=${fault ? "bad" : "note"}>${fault ? `✕ must be ${fault}` : field.note}</span>
    </div>`;
  }

  render() {
    return html`<dialog aria-labelledby="${this.localName}-title" @close=${() => this.#closed()}>
      <h2 id="${this.localName}-title">${this.title}</h2>
      <p class="muted">${this.purpose}</p>
      <form class="fields" @submit=${(e) => this.#send(e)}>
        ${this.fields().map((f) => this.#field(f))}
        ${this.error ? html`<div class="wide">${problem(this.error)}</div>` : nothing}
        <div class="buttons wide">
          <button class="main" ?disabled=${this.busy}>${this.action}</button>
          <button type="button" @click=${(e) => e.target.closest("dialog").close()}>Cancel</button>
        </div>
      </form>
      ${twin(this.command(), curl(...this.request()))}
    </dialog>`;
  }
}

const given = (object) => Object.fromEntries(Object.entries(object).filter(([, v]) => v !== undefined && v !== ""));
const number = (text) => (text ? Number(text) : undefined);
const words = (text) => (text ? text.split(/[\s,]+/).filter(Boolean) : undefined);

class Register extends Form {
  title = "Register a service";
  purpose = "Others find it by this name and reach it through a tunnel.";
  action = "Register";

  #ports() {
    return parsePorts(this.values.port ?? "", this.values.protocol && this.values.protocol !== "tcp" ? this.values.protocol : undefined);
  }

  fields() {
    const check = this.values.check || "none";
    return [
      { name: "service", label: "Service name", required: true, placeholder: "orders", note: "small letters, digits, dashes" },
      { name: "port", pointer: this.#ports().length > 1 ? "/ports" : "/port", label: "Ports", required: true, placeholder: "8000", note: "where it listens: 8000, or 53/udp+tcp, 50000-50100" },
      { name: "host", label: "Host", placeholder: "127.0.0.1", note: "where it listens, seen from this node" },
      { name: "protocol", label: "Protocol", options: ["tcp", "http", "udp"], note: "what it speaks at ports that do not say so", required: true },
      { name: "check", label: "Check", options: this.#ports().length && this.#ports().every((p) => p.protocol === "udp") ? ["none", "ttl"] : ["none", "tcp", "http", "ttl"], note: "how the node checks its health", required: true },
      ...(check === "http" ? [{ name: "path", pointer: "/check/path", label: "Check path", placeholder: "/health", note: "asked for by GET", required: true }] : []),
      { name: "weight", label: "Weight", type: "number", placeholder: "100", note: "its share of new connections among equally good providers" },
      { name: "tags", label: "Tags", placeholder: "eu stable", note: "words, with spaces between" },
      { name: "id", label: "Registration name", placeholder: this.values.service || "orders", note: "its own name on this node" },
    ];
  }

  request() {
    const v = this.values;
    const ports = this.#ports();
    const body = given({
      service: v.service ?? "",
      ...(ports.length > 1 || ports[0]?.endPort !== undefined ? { ports } : ports[0]),
      host: v.host,
      weight: number(v.weight),
      tags: words(v.tags),
      check: v.check && v.check !== "none" ? given({ type: v.check, path: v.check === "http" ? v.path : undefined }) : undefined,
    });
    const id = v.id || (v.service ?? "").replace(/^.*\//, "") || "NAME";
    return ["PUT", `/registrations/${encodeURIComponent(id)}`, body];
  }

  command() {
    const v = this.values;
    const option = (name, value) => (value ? ` --${name} ${value}` : "");
    const check = v.check === "http" ? `http:${v.path || "/health"}` : v.check === "none" ? "" : v.check;
    const tags = (words(v.tags) ?? []).map((t) => ` --tag ${t}`).join("");
    return mcc(
      `register ${v.service || "NAME"} --port ${(v.port ?? "").split(/[\s,]+/).filter(Boolean).join(",") || "PORT"}${option("host", v.host)}` +
        `${option("protocol", v.protocol === "tcp" ? "" : v.protocol)}${option("check", check)}${option("weight", v.weight)}${tags}${option("id", v.id)}`,
    );
  }

  done(answer) {
    return `${answer.service} is registered as ${answer.id}.`;
  }
}

class OpenTunnel extends Form {
  title = "Open a tunnel";
  purpose = "A port of this machine that leads to the service, wherever it runs.";
  action = "Open";

  #protocol() {
    return this.values.protocol === "as offered" ? undefined : this.values.protocol;
  }

  fields() {
    return [
      { name: "service", label: "Service name", required: true, placeholder: "orders", note: "as it was registered" },
      { name: "servicePort", pointer: "/port", label: "Service port", type: "number", placeholder: "its first", note: "which of its ports" },
      { name: "port", pointer: "/listen", label: "Local port", type: "number", placeholder: "any free one", note: "on 127.0.0.1" },
      { name: "protocol", label: "Protocol", options: ["as offered", "tcp", "udp"], note: "what the port carries", required: true },
      { name: "provider", label: "Only this provider", placeholder: "node ID", note: "8 or more characters of a node's ID; else the best one" },
    ];
  }

  request() {
    const v = this.values;
    const listen = v.port ? `127.0.0.1:${v.port}` : undefined;
    return ["POST", "/tunnels", given({ service: v.service || "NAME", port: number(v.servicePort), listen, protocol: this.#protocol(), provider: v.provider })];
  }

  command() {
    const v = this.values;
    return mcc(`tunnel open ${v.service || "NAME"}${v.servicePort ? ":" + v.servicePort : ""}${v.port ? " " + v.port : ""}${this.#protocol() === "udp" ? " --udp" : ""}${v.provider ? ` --provider ${v.provider}` : ""}`);
  }

  done(answer) {
    return `${answer.service} is now at ${answer.listen}.`;
  }
}

customElements.define("mcc-register", Register);
customElements.define("mcc-open-tunnel", OpenTunnel);
