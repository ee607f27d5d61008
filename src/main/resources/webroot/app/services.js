// "Who offers what, can I use it, from where?"

import { html, nothing } from "lit";
import { Page } from "./base.js";
import { count, ports, short, span } from "./format.js";
import { live } from "./live.js";
import { badge, copy, empty, health, id, loading, path, problem, rtt, toast, twin, why } from "./parts.js";
import { call, curl, get, mcc } from "./rest.js";
import { route } from "./router.js";
import "./forms.js";
import "./table.js";

const slashed = (name) => encodeURIComponent(name);
const plain = (name) => name.replace(/^open\//, "");

class Services extends Page {
  static properties = { services: { state: true }, providers: { state: true }, error: { state: true }, found: { state: true }, asking: { state: true } };

  channels = [];
  #asked = "";

  connectedCallback() {
    super.connectedCallback();
    this.every(3_000, () => this.#read());
  }

  firstUpdated() {
    if (route.get("form") === "register") this.#register();
  }

  updated() {
    const selected = route.get("sel");
    if (selected === this.#asked) return;
    this.#asked = selected;
    this.providers = undefined;
    if (selected) this.#read();
  }

  async #read() {
    const selected = route.get("sel");
    try {
      const [services, providers] = await Promise.all([
        get("/services?limit=1000"),
        selected ? get(`/services/${slashed(selected)}/providers?health=all&limit=200`) : null,
      ]);
      this.services = services.items;
      if (route.get("sel") === selected) this.providers = providers?.items;
      this.error = null;
    } catch (e) {
      if (live.mode !== "offline") this.error = e;
    }
  }

  #register(values) {
    this.querySelector("mcc-register").open(values);
  }

  #openTunnel(service, provider, protocol) {
    this.querySelector("mcc-open-tunnel").open({ service, provider, protocol: protocol === "udp" ? "udp" : "" });
  }

  async #lookUp(event) {
    event.preventDefault();
    const name = event.target.querySelector("input").value.trim();
    if (!name) return;
    this.asking = true;
    this.found = null;
    try {
      const service = await get(`/services/${slashed(name)}`);
      this.found = { text: `${service.name}: ${count(service.providers, "usable provider")}.` };
      await this.#read();
      route.set({ sel: service.name, q: "" });
    } catch (e) {
      this.found = { error: e };
    } finally {
      this.asking = false;
    }
  }

  async #withdraw(r) {
    try {
      await call("DELETE", `/registrations/${encodeURIComponent(r.id)}`);
    } catch (e) {
      toast(`${r.id} was not withdrawn: ${e.message}`);
      return;
    }
    const { service, host, ports, weight, tags, meta, leaseMs, proxy } = r;
    const idle = r.idleMs ? { idleMs: r.idleMs } : {};
    const check = Object.fromEntries(Object.entries(r.check).filter(([, v]) => v !== null && v !== 0));
    const again = async () => {
      try {
        await call("PUT", `/registrations/${encodeURIComponent(r.id)}`, { service, host, ports, weight, tags, meta, leaseMs, proxy, ...idle, check: check.type === "none" ? { type: "none" } : check });
        toast(`${r.id} is registered again.`);
      } catch (e) {
        toast(`${r.id} could not be registered again: ${e.message}`);
      }
    };
    toast(`${r.id} was withdrawn.`, again);
    this.#read();
  }

  #best(s) {
    if (!s.best) return html`${badge("idle", "none")}<span class="sub">no usable provider</span>`;
    return html`${path(s.best.path, s.best.local)} ${rtt(s.best.rttMs, s.best.local)}<span class="sub">${short(s.best.node)}: ${why(s.best.path, s.best.local)}</span>`;
  }

  #score(p, i) {
    const { total, parts = {} } = p.score;
    const title = `score ${total}: less is better; health ${parts.health}, distance class ${parts.rttClass}, share ${parts.share}`;
    return html`<b title=${title}>${i + 1}</b>`;
  }

  #provider(p, i, name) {
    const parts = p.score.parts ?? {};
    return html`<tr role="row">
      <td role="cell" data-label="Rank" class="num">${this.#score(p, i)}</td>
      <td role="cell" data-label="Provider"><span>${id(p.node, "node ID")}${p.local ? " (this node)" : ""}<span class="sub">${ports(p)} <code>${p.address}</code>${copy(p.address, "address of the endpoint")}</span></span></td>
      <td role="cell" data-label="Health"><span>${health(p.health, p.reason)}<span class="sub">${p.reason}</span></span></td>
      <td role="cell" data-label="Path"><span>${path(p.path, p.local)} ${rtt(p.rttMs, p.local)}<span class="sub">${why(p.path, p.local)}${p.path?.address ? ` (${p.path.address})` : ""}</span></span></td>
      <td role="cell" data-label="Why this rank"><span>distance class ${parts.rttClass}, share ${parts.share?.toLocaleString("en")}<span class="sub">weight ${p.weight}, load ${Math.round((p.load ?? 0) * 100)} %</span></span></td>
      <td role="cell" data-label="Lease" class="num">${span(p.leaseMs)}</td>
      <td role="cell" data-label="Use"><span class="buttons"><button type="button" ?disabled=${p.health !== "pass"} aria-label="Open a tunnel to ${short(p.node)} only" @click=${() => this.#openTunnel(name, p.node, p.protocol)}>Open here</button></span></td>
    </tr>`;
  }

  #detail(s) {
    const shown = this.providers;
    const name = plain(s.name);
    return html`<div class="row"><h3>Providers of ${name}, ranked as the selector ranks them</h3><span class="grow"></span>
        <button type="button" class="main" ?disabled=${s.providers === 0} @click=${() => this.#openTunnel(name)}>Open tunnel</button></div>
      ${!shown
        ? loading()
        : shown.length === 0
          ? html`<p class="muted">No provider is left. Failing ones stay registered at their nodes; those of dead nodes disappear when their lease ends.</p>`
          : html`<table role="table" aria-label="Providers of ${name}">
              <thead role="rowgroup"><tr role="row">${["Rank", "Provider", "Health", "Path", "Why this rank", "Lease", "Use"].map((h) => html`<th role="columnheader" scope="col">${h}</th>`)}</tr></thead>
              <tbody role="rowgroup">${shown.map((p, i) => this.#provider(p, i, name))}</tbody>
            </table>`}
      ${twin(mcc(`discover ${name} --all`), curl("GET", `/services/${slashed(s.name)}/providers?health=all`))}`;
  }

  #services() {
    if (this.error && !this.services) return problem(this.error, () => this.#read());
    if (!this.services) return loading();
    const spec = {
      name: "Services",
      one: "service",
      key: (s) => s.name,
      sort: "service",
      columns: [
        { key: "service", label: "Service", value: (s) => plain(s.name) },
        { key: "providers", label: "Providers", value: (s) => s.providers + s.failing, cell: (s) => html`<span>${count(s.providers + s.failing, "provider")}${s.local ? html`<span class="sub">${s.local} on this node</span>` : nothing}</span>` },
        { key: "failing", label: "Health", value: (s) => -s.failing, cell: (s) => html`<span>${s.providers ? badge("ok", `${s.providers} pass`) : nothing} ${s.failing ? badge("fail", `${s.failing} fail`) : nothing}${s.providers + s.failing ? nothing : badge("idle", "none")}</span>` },
        { key: "rtt", label: "Best path", value: (s) => (s.best?.local ? 0 : s.best?.rttMs), cell: (s) => html`<span>${this.#best(s)}</span>` },
      ],
      detail: (s) => this.#detail(s),
      empty: empty(
        "No service is known yet. Register one here, or look one up by its name.",
        html`<button type="button" class="main" @click=${() => this.#register()}>Register a service</button>`,
        mcc("register hello --port 8000"),
      ),
    };
    return html`<mcc-table .rows=${this.services} .spec=${spec}></mcc-table>`;
  }

  #registrations() {
    const rows = live.data.registrations;
    if (!rows || rows.length === 0) return nothing;
    const spec = {
      name: "Registrations of this node",
      one: "registration",
      prefix: "r",
      key: (r) => r.id,
      sort: "id",
      columns: [
        { key: "id", label: "Registration", value: (r) => r.id },
        { key: "service", label: "Service", value: (r) => plain(r.service) },
        { key: "at", label: "Runs at", value: (r) => `${r.host} ${ports(r)}`, cell: (r) => html`<span>${r.host}<span class="sub">${ports(r)}</span></span>` },
        { key: "health", label: "Health", value: (r) => r.health, cell: (r) => html`<span>${health(r.health, r.reason)}<span class="sub">${r.reason}</span></span>` },
        { key: "check", label: "Check", value: (r) => r.check.type, cell: (r) => (r.check.type === "none" ? "none" : `${r.check.type}${r.check.type === "http" ? " " + r.check.path : ""}, every ${span(r.check.intervalMs)}`) },
        { key: "replicas", label: "Stored on", num: true, value: (r) => r.replicas, cell: (r) => count(r.replicas ?? 0, "node") },
        { key: "do", label: "Withdraw", cell: (r) => html`<span class="buttons"><button type="button" aria-label="Withdraw ${r.id}" @click=${() => this.#withdraw(r)}>Withdraw</button></span>` },
      ],
      empty: nothing,
    };
    return html`<h2>Registered at this node</h2><mcc-table .rows=${rows} .spec=${spec}></mcc-table>`;
  }

  render() {
    return html`<div class="title"><h1>Services</h1><span class="grow"></span>
        <button type="button" class="main" @click=${() => this.#register()}>Register a service</button></div>
      <form class="inline" @submit=${(e) => this.#lookUp(e)}>
        <div class="field"><label for="lookup">Look a service up in the network</label><input id="lookup" autocomplete="off" spellcheck="false" placeholder="name or org/name" /></div>
        <button ?disabled=${this.asking}>Look up</button>
      </form>
      ${this.found?.error ? problem(this.found.error) : this.found ? html`<p role="status">${this.found.text}</p>` : nothing}
      ${this.#services()} ${this.#registrations()}
      ${twin(mcc("services"), curl("GET", "/services"))}
      <mcc-register @done=${() => this.#read()}></mcc-register>
      <mcc-open-tunnel @done=${(e) => route.go("tunnels", { sel: e.detail.id })}></mcc-open-tunnel>`;
  }
}

customElements.define("mcc-services", Services);
