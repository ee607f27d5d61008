// "Is my node all right?"

import { html, nothing } from "lit";
import { Page } from "./base.js";
import { bytes, clock, count, rate, span } from "./format.js";
import { live } from "./live.js";
import { badge, copy, facts, full, id, loading, twin } from "./parts.js";
import { curl, mcc } from "./rest.js";
import { href } from "./router.js";
import { kind, level, sentence } from "./words.js";
import "./throughput.js";

const DONE_KEY = "mcc-first-run-done";

class Overview extends Page {
  channels = ["peers", "dht", "nat"];

  #problems() {
    const { node, registrations = [] } = live.data;
    const own = node.problems.map((p) => ({ kind: p.severity === "error" ? "fail" : "warn", word: p.severity === "error" ? "error" : "warning", title: p.title, hint: p.hint }));
    const failing = registrations
      .filter((r) => r.health === "fail")
      .map((r) => ({ kind: "fail", word: "error", title: `${r.id} (${r.service}) fails its check: ${r.reason}`, hint: `see that something answers at ${r.host}:${r.port}`, link: href("services", { rsel: r.id }) }));
    return [...own, ...failing].sort((a, b) => (a.kind === b.kind ? 0 : a.kind === "fail" ? -1 : 1));
  }

  #needs() {
    const problems = this.#problems();
    if (problems.length === 0) return html`<section class="needs none"><h2>${badge("ok", "Nothing needs you")}</h2></section>`;
    return html`<section class="needs" aria-labelledby="needs">
      <h2 id="needs">${count(problems.length, "thing needs", "things need")} you</h2>
      <ul>
        ${problems.map(
          (p) => html`<li>${badge(p.kind, p.word)}<span>${full(p.title)} <span class="hint">${full(p.hint)}</span>
            ${p.link ? html`<a href=${p.link}>Show it</a>` : nothing}</span></li>`,
        )}
      </ul>
    </section>`;
  }

  #firstRun() {
    const { node, peers = [], registrations = [], tunnels = [] } = live.data;
    if (localStorage.getItem(DONE_KEY)) return nothing;
    const udp = node.udp[0] ?? "HOST:PORT";
    const steps = [
      [peers.length > 0, "Another node joined", "Start MCC on a second machine and point it here.", `mcc run --bootstrap ${udp}`],
      [registrations.length > 0, "A service registered", html`Say what runs on this machine. <a href=${href("services", { form: "register" })}>Register a service</a>`, mcc("register hello --port 8000")],
      [tunnels.length > 0, "A tunnel opened", html`Reach a service by its name. <a href=${href("tunnels", { form: "open" })}>Open a tunnel</a>`, mcc("tunnel open hello")],
    ];
    const done = steps.filter((s) => s[0]).length;
    return html`<section class="card first" aria-labelledby="first">
      <div class="row"><h2 id="first">First steps</h2><span class="muted">${done} of 3 done</span><span class="grow"></span>
        <button type="button" class="quiet" @click=${() => { localStorage.setItem(DONE_KEY, "1"); this.requestUpdate(); }}>${done === 3 ? "All done, hide this" : "Hide"}</button></div>
      <ol>
        ${steps.map(
          ([ticked, title, text, command]) => html`<li data-done=${ticked}>
            <h3>${ticked ? badge("ok", "done") : badge("idle", "to do")} ${title}</h3>
            <p>${text}</p>
            <div class="line"><code tabindex="0">${command}</code>${copy(command, "command")}</div>
          </li>`,
        )}
      </ol>
    </section>`;
  }

  #cards() {
    const { peers = [], tunnels = [], registrations = [], totals, dht, nat } = live.data;
    const of = (word) => peers.filter((p) => p.path.tx === word).length;
    const failing = registrations.filter((r) => r.health === "fail").length;
    const last = live.history.at(-1);
    const card = (title, link, number, ...lines) => html`<section class="card stat">
      <h2>${link ? html`<a href=${link}>${title}</a>` : title}</h2>
      <p class="big">${number}</p>
      ${lines.map((line) => html`<p>${line}</p>`)}
    </section>`;
    const kinds = ["direct", "lan", "relay", "none"].filter((k) => of(k) > 0);
    return html`<div class="cards">
      ${card("Peers", href("peers"), count(peers.length, "peer"), kinds.length ? kinds.map((k, i) => html`${i ? ", " : ""}<a href=${href("peers", { q: `"tx":"${k}"` })}>${of(k)} ${k}</a>`) : "only this node")}
      ${card("Tunnels", href("tunnels"), count(tunnels.length, "tunnel"), `${count(totals?.connections ?? 0, "connection")} open`, `in ${rate(last?.rx ?? 0)}, out ${rate(last?.tx ?? 0)}`)}
      ${card("Services here", href("services"), count(registrations.length, "registration"), failing ? html`<a href=${href("services", { rq: '"health":"fail"' })}>${badge("fail", failing + " failing")}</a>` : registrations.length ? badge("ok", "none failing") : "none registered yet", `${count(totals?.servedConnections ?? 0, "connection")} served now, ${bytes((totals?.servedTxBytes ?? 0) + (totals?.servedRxBytes ?? 0))} in all`)}
      ${card("DHT", href("dht"), dht ? count(dht.contacts, "contact") : "–", dht ? `in ${count(dht.buckets, "bucket")}, about ${count(dht.estimatedNodes, "node")} in the network` : "", dht ? `${count(dht.records, "record")} kept for others` : "")}
      ${card("NAT", href("network"), nat ? html`<span class="word">${nat.mapping.replaceAll("-", " ")}</span>` : "–", nat?.verdict ?? "")}
    </div>`;
  }

  #events() {
    const latest = live.events.filter((e) => e.id).slice(-7).reverse();
    return html`<section class="card latest" aria-labelledby="latest">
      <div class="row"><h2 id="latest">Latest events</h2><span class="grow"></span><a href=${href("events")}>All events</a></div>
      ${latest.length === 0
        ? html`<p class="muted">Quiet since the start of the node.</p>`
        : html`<ul class="log">${latest.map((e) => html`<li><time datetime=${e.at}>${clock(e.at)}</time>${badge(kind(e), level(e))}<span>${sentence(e)}</span></li>`)}</ul>`}
    </section>`;
  }

  render() {
    const { node } = live.data;
    if (!node) return html`<h1>Overview</h1>${loading()}`;
    return html`<h1>Overview</h1>
      ${this.#needs()} ${this.#firstRun()} ${this.#cards()}
      <div class="two"><section class="card"><mcc-throughput></mcc-throughput></section>${this.#events()}</div>
      <section class="card"><h2>This node</h2>
        ${facts([
          ["Name", node.name],
          ["ID", id(node.id, "node ID")],
          ["Network", node.network],
          ["Listens on", node.udp.join(", ")],
          ...(node.tun ? [["Virtual interface", `${node.tun.name} ${node.tun.addresses.join(", ")}`]] : []),
          ["Up for", span(node.uptimeMs)],
          ["Upkeep", node.upkeep ? html`${bytes(node.upkeep.bytesPerMonth)} a month <span class="muted">without applications' traffic, from the last ${span(node.upkeep.overMs)}</span>` : "known after some minutes"],
          ["Version", `${node.version}, Java ${node.java}`],
        ])}
        ${twin(mcc("status"), curl("GET", "/node"))}
      </section>`;
  }
}

customElements.define("mcc-overview", Overview);
