// "Whom do I reach, how?"

import { html, nothing } from "lit";
import { Page } from "./base.js";
import { bytes, ms, percent, short, span } from "./format.js";
import { live } from "./live.js";
import { copy, empty, facts, id, loading, path, problem, rtt, twin, why } from "./parts.js";
import { call, curl, mcc } from "./rest.js";
import "./paths.js";
import "./table.js";

class Peers extends Page {
  static properties = { pings: { state: true } };

  channels = ["peers", "nat"];

  constructor() {
    super();
    this.pings = {};
  }

  async #ping(peer) {
    this.pings = { ...this.pings, [peer.id]: "busy" };
    let result;
    try {
      result = await call("POST", `/peers/${peer.id}/ping?count=5`);
    } catch (e) {
      result = { error: e };
    }
    this.pings = { ...this.pings, [peer.id]: result };
  }

  #pinged(peer) {
    const result = this.pings[peer.id];
    if (!result || result === "busy") return nothing;
    if (result.error) return problem(result.error);
    const times = result.pings.map((p) => (p.rttMs == null ? "no answer" : ms(p.rttMs)));
    return html`<p role="status">${result.received} of ${result.sent} answered by ${result.pings[0].path}: ${times.join(", ")}</p>`;
  }

  #detail(p) {
    return html`${facts([
        ["ID", id(p.id, "node ID")],
        ["Path", html`${path(p.path)} ${p.path.address ?? ""}`],
        ["Why this path", why(p.path)],
        ["Relays on the way", p.path.via.length ? p.path.via.map(short).join(", ") : "none"],
        ["Round trip", ms(p.rttMs)],
        ["Packets lost", percent(p.lossPpm)],
        ["Inner addresses", p.inner.length ? p.inner.join(", ") : "no virtual interface here"],
        ["Encrypted with", p.suite || "no session"],
        ["Streams open", p.streams],
        ["Sent", bytes(p.txBytes)],
        ["Received", bytes(p.rxBytes)],
        ["Connected for", span(p.sinceMs)],
        ["Last heard", `${span(p.heardAgoMs)} ago`],
      ])}
      <div class="buttons"><button type="button" ?disabled=${this.pings[p.id] === "busy"} @click=${() => this.#ping(p)}>Ping 5 times</button></div>
      ${this.#pinged(p)}
      <mcc-path .peer=${p.id}></mcc-path>
      ${twin(mcc(`ping ${short(p.id)}`), curl("POST", `/peers/${p.id}/ping?count=5`), curl("GET", `/peers/${p.id}`))}`;
  }

  render() {
    const rows = live.data.peers;
    const udp = live.data.node?.udp[0] ?? "HOST:PORT";
    const spec = {
      name: "Peers",
      one: "peer",
      key: (p) => p.id,
      sort: "peer",
      columns: [
        { key: "peer", label: "Peer", value: (p) => p.name ?? p.id, cell: (p) => p.name ?? html`<code>${short(p.id)}</code>`, after: (p) => copy(p.id, `node ID ${short(p.id)}`) },
        { key: "path", label: "Path", value: (p) => p.path.tx, cell: (p) => html`<span>${path(p.path)}<span class="sub">${why(p.path)}</span></span>` },
        { key: "address", label: "Address", value: (p) => p.path.address, cell: (p) => html`<code>${p.path.address ?? "–"}</code>` },
        { key: "rtt", label: "Round trip", num: true, value: (p) => p.rttMs, cell: (p) => rtt(p.rttMs) },
        { key: "loss", label: "Loss", num: true, value: (p) => p.lossPpm, cell: (p) => percent(p.lossPpm) },
        { key: "rx", label: "Received", num: true, value: (p) => p.rxBytes, cell: (p) => bytes(p.rxBytes) },
        { key: "tx", label: "Sent", num: true, value: (p) => p.txBytes, cell: (p) => bytes(p.txBytes) },
        { key: "heard", label: "Last heard", num: true, value: (p) => p.heardAgoMs, cell: (p) => `${span(p.heardAgoMs)} ago` },
      ],
      detail: (p) => this.#detail(p),
      empty: empty("Only this node. Start MCC on another machine and point it here.", nothing, `mcc run --bootstrap ${udp}`),
    };
    const { nat } = live.data;
    return html`<h1>Peers</h1>
      ${nat ? html`<p class="muted">${nat.verdict}</p>` : nothing}
      ${rows ? html`<mcc-table .rows=${rows} .spec=${spec}></mcc-table>` : loading()}
      ${twin(mcc("peers"), curl("GET", "/peers"))}`;
  }
}

customElements.define("mcc-peers", Peers);
