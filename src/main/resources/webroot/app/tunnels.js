// "What flows, how fast, by which path?"

import { html, nothing, svg } from "lit";
import { Page } from "./base.js";
import { bytes, clock, count, rate, short, span } from "./format.js";
import { live } from "./live.js";
import { badge, copy, empty, facts, id, loading, path, rtt, toast, twin, why } from "./parts.js";
import { call, curl, mcc } from "./rest.js";
import { route } from "./router.js";
import { kind, level, sentence } from "./words.js";
import "./forms.js";
import "./paths.js";
import "./table.js";
import "./throughput.js";

const plain = (name) => name.replace(/^open\//, "");

/** Whether the provider in use is this node. */
const here = (t) => Boolean(t.provider) && t.provider === live.data.node?.id;

/** The last minute as a line; words for those who do not see it. */
function spark(id) {
  const row = live.rates.get(id) ?? [];
  const top = Math.max(1, ...row);
  const points = row.map((v, i) => `${(100 - (row.length - 1 - i) * (100 / 59)).toFixed(1)},${(22 - (20 * v) / top).toFixed(1)}`).join(" ");
  const now = row.at(-1) ?? 0;
  return html`<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label="last minute: most ${rate(row.length ? Math.max(...row) : 0)}, now ${rate(now)}">
    ${svg`<polyline points=${points || "0,22"} vector-effect="non-scaling-stroke" />`}</svg>`;
}

class Tunnels extends Page {
  channels = [];

  firstUpdated() {
    if (route.get("form") === "open") this.#open({ service: route.get("service") });
  }

  #open(values) {
    this.querySelector("mcc-open-tunnel").open(values);
  }

  async #close(t) {
    try {
      await call("DELETE", `/tunnels/${t.id}`);
    } catch (e) {
      toast(`Tunnel ${t.id} was not closed: ${e.message}`);
      return;
    }
    live.data.tunnels = (live.data.tunnels ?? []).filter((x) => x.id !== t.id);
    this.requestUpdate();
    toast(`The tunnel to ${plain(t.service)} at ${t.listen} was closed.`, async () => {
      try {
        const body = { service: t.service, listen: t.listen, protocol: t.protocol };
        if (t.pinnedEndpoint) body.service += `#${t.pinnedEndpoint}`;
        if (t.pinned) body.provider = t.pinned;
        if (t.port) body.port = t.port;
        if (t.idleMs) body.idleMs = t.idleMs;
        await call("POST", "/tunnels", body);
        toast(`${plain(t.service)} is at ${t.listen} again.`);
      } catch (e) {
        toast(`The tunnel could not be opened again: ${e.message}`);
      }
    });
  }

  #detail(t) {
    const happened = live.events.filter((e) => e.id && e.data?.id === t.id && e.type.startsWith("tunnel.")).slice(-12).reverse();
    return html`${facts([
        ["Listens on", html`<code>${t.listen}</code>${copy(t.listen, "address")}`],
        ["Service port", t.port ?? "the first"],
        ["Carries", t.protocol === "udp" ? "datagrams (UDP); each local address that sends is a flow" : "connections (TCP)"],
        ["State", t.failure ? badge("fail", t.state, t.failure) : badge("ok", t.state)],
        ["Provider", t.provider ? id(t.provider, "node ID") : "none yet: chosen with the first connection"],
        ["Only this provider", t.pinned ? short(t.pinned) : "no, the best one"],
        ["Path", html`${path(t.path, here(t))} ${t.path?.address ?? ""}`],
        ["Why this path", why(t.path, here(t))],
        ["Round trip", rtt(t.rttMs, here(t)) || "none: this node itself"],
        [t.protocol === "udp" ? "Flows" : "Connections", `${t.connections} open, ${t.connectionsTotal} in all, ${t.refused} refused`],
        ["Out", `${bytes(t.txBytes)}, now ${rate(t.txBytesPerSecond)}`],
        ["In", `${bytes(t.rxBytes)}, now ${rate(t.rxBytesPerSecond)}`],
        ["Open for", span(Date.now() - Date.parse(t.openedAt))],
        ["Failovers", count(t.failovers, "failover")],
      ])}
      ${t.failure ? html`<p>${badge("fail", "fails")} ${t.failure}</p>` : nothing}
      ${t.provider && !here(t) ? html`<mcc-path .peer=${t.provider}></mcc-path>` : nothing}
      <h3>What happened</h3>
      ${happened.length
        ? html`<ul class="log">${happened.map((e) => html`<li><time datetime=${e.at}>${clock(e.at)}</time>${badge(kind(e), level(e))}<span>${sentence(e)}</span></li>`)}</ul>`
        : html`<p class="muted">Nothing since the start of the node.</p>`}
      ${twin(mcc(`tunnel show ${t.id}`), mcc(`tunnel close ${t.id}`), curl("GET", `/tunnels/${t.id}`), curl("DELETE", `/tunnels/${t.id}`))}`;
  }

  #table(rows) {
    const flow = (t) => t.txBytesPerSecond + t.rxBytesPerSecond;
    const spec = {
      name: "Tunnels",
      one: "tunnel",
      key: (t) => t.id,
      sort: "service",
      columns: [
        { key: "service", label: "Service", value: (t) => plain(t.service) + (t.port ? `:${t.port}` : "") },
        { key: "listen", label: "Local port", value: (t) => t.listen, cell: (t) => html`<span><span class="together"><code>${t.listen}</code>${copy(t.listen, `address ${t.listen}`)}</span>${t.protocol === "udp" ? html`<span class="sub">UDP</span>` : nothing}${t.failure ? html`<span class="sub">${badge("fail", t.state)} ${t.failure}</span>` : nothing}</span>` },
        { key: "provider", label: "Provider and path", value: (t) => t.provider, cell: (t) => html`<span>${t.provider ? html`<code title=${t.provider}>${short(t.provider)}</code> ` : ""}${path(t.path, here(t))}<span class="sub">${why(t.path, here(t))}</span></span>` },
        { key: "rtt", label: "Round trip", num: true, value: (t) => t.rttMs, cell: (t) => rtt(t.rttMs, here(t)) || "–" },
        { key: "flow", label: "In / out", num: true, value: flow, cell: (t) => html`<span>${rate(t.rxBytesPerSecond)}<span class="sub">${rate(t.txBytesPerSecond)}</span></span>` },
        { key: "spark", label: "Last minute", cell: (t) => spark(t.id) },
        { key: "connections", label: "Connections", num: true, value: (t) => t.connections, cell: (t) => html`<span>${t.connections} ${t.protocol === "udp" ? "flows" : "open"}<span class="sub">${t.failovers ? badge("warn", count(t.failovers, "failover")) : "0 failovers"}</span></span>` },
        { key: "do", label: "Close", cell: (t) => html`<span class="buttons"><button type="button" aria-label="Close the tunnel to ${plain(t.service)} at ${t.listen}" @click=${() => this.#close(t)}>Close</button></span>` },
      ],
      detail: (t) => this.#detail(t),
      empty: empty(
        "No tunnel is open.",
        html`<button type="button" class="main" @click=${() => this.#open()}>Open a tunnel</button>`,
        mcc("tunnel open hello"),
      ),
    };
    return html`<mcc-table .rows=${rows} .spec=${spec}></mcc-table>`;
  }

  render() {
    const rows = live.data.tunnels;
    return html`<div class="title"><h1>Tunnels</h1><span class="grow"></span>
        <button type="button" class="main" @click=${() => this.#open()}>Open a tunnel</button></div>
      <section class="card"><mcc-throughput></mcc-throughput></section>
      ${rows ? this.#table(rows) : loading()}
      ${twin(mcc("tunnel ls"), curl("GET", "/tunnels"))}
      <mcc-open-tunnel @done=${(e) => route.set({ sel: e.detail.id })}></mcc-open-tunnel>`;
  }
}

customElements.define("mcc-tunnels", Tunnels);
