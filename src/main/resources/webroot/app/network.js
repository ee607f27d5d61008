// "What is before my node, and what helps?"

import { html, nothing } from "lit";
import { Page } from "./base.js";
import { count, ms, short, span } from "./format.js";
import { live } from "./live.js";
import { badge, copy, empty, facts, id, loading, path, problem, rtt, twin, why } from "./parts.js";
import { call, curl, mcc } from "./rest.js";
import { href } from "./router.js";
import "./paths.js";
import "./table.js";

const words = (text) => text.replaceAll("-", " ");
const KINDS = ["direct", "lan", "carrier", "relay", "none"];

class Network extends Page {
  static properties = { refused: { state: true } };

  channels = ["nat", "relays", "peers"];

  async #check() {
    this.refused = null;
    try {
      live.data.nat = await call("POST", "/nat/check");
      this.requestUpdate();
    } catch (e) {
      this.refused = e;
    }
  }

  #mark(nat) {
    if (nat.udp === "blocked") return badge("fail", "blocked");
    if (nat.reachable === "yes") return badge("ok", "open");
    if (nat.mapping === "unknown") return badge("idle", "not known yet");
    if (nat.mapping === "none") return nat.reachable === "no" ? badge("warn", "behind a firewall") : badge("idle", "no NAT");
    return nat.mapping === "endpoint-independent" ? badge("ok", "direct paths are likely") : badge("warn", "hard to reach");
  }

  #nat(nat) {
    const none = { unknown: "not known", none: "this machine's own" };
    const side = (s) => s.address ?? none[s.mapping] ?? "each peer sees another one";
    const main = nat.ipv4.mapping === "unknown" && nat.ipv6.mapping !== "unknown" ? nat.ipv6 : nat.ipv4;
    return html`<section class="card told" aria-labelledby="nat">
      <div class="row"><h2 id="nat">This node's NAT</h2>${this.#mark(nat)}<span class="grow"></span>
        <button type="button" ?disabled=${nat.checking} @click=${() => this.#check()}>${nat.checking ? "Checking" : "Check again"}</button></div>
      <p>${nat.verdict}</p>
      ${this.refused ? problem(this.refused) : nothing}
      ${facts([
        ["UDP", nat.udp],
        ["IPv4 as peers see it", side(nat.ipv4)],
        ["IPv6 as peers see it", side(nat.ipv6)],
        ["Mapping", words(nat.mapping)],
        ["Filtering", words(nat.filtering)],
        ["Reached by strangers", nat.reachable],
        ["Ports", words(main.ports)],
        ["By TCP", this.#carriers(nat.carriers)],
        ["Last check", main.checkedAgoMs == null ? "none yet" : `${span(main.checkedAgoMs)} ago`],
        ["Announced", nat.addresses.length ? nat.addresses.join(", ") : "no address"],
      ])}
      ${twin(mcc("netcheck --again"), curl("POST", "/nat/check"), curl("GET", "/nat"))}
    </section>`;
  }

  #carriers(carriers) {
    if (!carriers.length) return "no relay is known that takes it";
    return carriers.map((c) => `${c.url} ${c.state === "idle" ? "not needed" : c.state}${c.trouble ? `: ${c.trouble}` : ""}`).join("; ");
  }

  #votes(nat) {
    const spec = {
      name: "What peers see",
      one: "vote",
      prefix: "v",
      key: (v) => v.by,
      sort: "age",
      columns: [
        { key: "by", label: "Seen by", value: (v) => v.by, cell: (v) => html`<code title=${v.by}>${short(v.by)}</code>${copy(v.by, `node ID ${short(v.by)}`)}` },
        { key: "sees", label: "As", value: (v) => v.sees, cell: (v) => html`<code>${v.sees}</code>` },
        { key: "age", label: "Said", num: true, value: (v) => v.ageMs, cell: (v) => `${span(v.ageMs)} ago` },
      ],
      empty: empty("No peer has said yet how it sees this node."),
    };
    return html`<h2>What peers see</h2><mcc-table .rows=${nat.votes} .spec=${spec}></mcc-table>`;
  }

  #relays(relays) {
    const kept = (k) => html`<li>${badge("ok", "kept")}<span>${id(k.relay, "node ID")} ${ms(k.rttMs)}, kept for ${span(k.leaseMs)} more</span></li>`;
    return html`<section class="card told" aria-labelledby="relays">
      <h2 id="relays">Relays</h2>
      <h3>In use: where others reach this node</h3>
      ${relays.kept.length
        ? html`<ul class="log plain">${relays.kept.map(kept)}</ul>`
        : html`<p class="muted">None: this node needs no relay, or knows none.</p>`}
      <h3>Served: whom this node relays for</h3>
      <p>${relays.relaying ? badge("ok", "relays for others") : badge("idle", "relays for nobody")}
        ${count(relays.places.length, "node")} with a place here, ${count(relays.circuits, "circuit")} open</p>
      ${relays.places.length ? html`<p>${relays.places.map((p) => id(p, "node ID"))}</p>` : nothing}
      ${twin(curl("GET", "/relays"))}
    </section>`;
  }

  #peers(peers) {
    const of = (kind) => peers.filter((p) => p.path.tx === kind).length;
    const spec = {
      name: "Peers by path",
      one: "peer",
      key: (p) => p.id,
      sort: "path",
      columns: [
        { key: "peer", label: "Peer", value: (p) => p.name ?? p.id, cell: (p) => p.name ?? html`<code>${short(p.id)}</code>`, after: (p) => copy(p.id, `node ID ${short(p.id)}`) },
        { key: "path", label: "Path", value: (p) => p.path.tx, cell: (p) => path(p.path) },
        { key: "where", label: "Address or relay", value: (p) => p.path.address ?? p.path.via[0], cell: (p) => html`<code>${p.path.address ?? (p.path.via.map(short).join(", ") || "–")}</code>` },
        { key: "rtt", label: "Round trip", num: true, value: (p) => p.rttMs, cell: (p) => rtt(p.rttMs) },
        { key: "why", label: "Why", value: (p) => why(p.path) },
      ],
      detail: (p) => html`<mcc-path .peer=${p.id}></mcc-path>`,
      empty: empty("Only this node."),
    };
    return html`<h2>Peers by path</h2>
      <p>${KINDS.filter((kind) => of(kind) > 0).map((kind, i) => html`${i ? ", " : ""}<a href=${href("network", { q: `"tx":"${kind}"` })}>${of(kind)} ${kind}</a>`)}</p>
      <mcc-table .rows=${peers} .spec=${spec}></mcc-table>`;
  }

  render() {
    const { nat, relays, peers } = live.data;
    if (!nat || !relays || !peers) return html`<h1>Network</h1>${loading()}`;
    return html`<h1>Network</h1>
      <div class="two">${this.#nat(nat)} ${this.#relays(relays)}</div>
      ${this.#peers(peers)} ${this.#votes(nat)}`;
  }
}

customElements.define("mcc-network", Network);
