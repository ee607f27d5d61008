// Why a peer is reached the way it is: the verdict, who could change what, what took over from what, what was tried.

import { html, nothing } from "lit";
import { Base } from "./base.js";
import { clock, count, ms, short, span } from "./format.js";
import { live } from "./live.js";
import { badge, facts, full, loading, path, problem, twin } from "./parts.js";
import { curl, get, mcc } from "./rest.js";

const AGAIN_MS = 2_000;
const KINDS = { lan: "ok", direct: "ok", carrier: "warn", relay: "warn", none: "fail" };
const STATES = { "in-use": "ok", standby: "ok", answered: "idle", waiting: "idle", silent: "warn" };
const OUTCOMES = { direct: "ok", tried: "warn", unanswered: "warn", asked: "idle", ended: "idle" };
const words = (text) => text.replaceAll("-", " ");
const where = (x) => (x.relay ? `by way of ${short(x.relay)}` : (x.address ?? ""));
const took = (x) => (x.rttMs == null ? "" : `, ${ms(x.rttMs)}`);
const line = (at, mark, text) => html`<li><time datetime=${at}>${clock(at)}</time>${mark}<span>${text}</span></li>`;

/** Properties: `peer`, its ID. */
class Path extends Base {
  static properties = { peer: {}, answer: { state: true }, error: { state: true } };

  connectedCallback() {
    super.connectedCallback();
    this.timer = setInterval(() => this.#read(), AGAIN_MS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  updated(changed) {
    if (!changed.has("peer")) return;
    this.answer = null;
    this.error = null;
    this.#read();
  }

  async #read() {
    const peer = this.peer;
    if (document.hidden || live.paused || !peer) return;
    try {
      const answer = await get(`/peers/${peer}/path`);
      if (peer === this.peer) [this.answer, this.error] = [answer, null];
    } catch (e) {
      if (peer === this.peer) this.error = e;
    }
  }

  #advice({ advice }) {
    if (advice.length === 0) return nothing;
    return html`<ul class="log plain">
      ${advice.map((a) => html`<li>${badge("idle", a.side === "this" ? "this node" : "the peer")}<span>${full(a.text)}</span></li>`)}
    </ul>`;
  }

  #nats({ here, there }) {
    return facts([
      ["NAT before this node", `mapping ${words(here.mapping)}, filtering ${words(here.filtering)}`],
      ["Votes", `${count(here.voices, "network")} ${here.voices === 1 ? "says" : "say"} what it is seen at${here.seenByPeer ? `; this peer sees ${here.seenByPeer}` : ""}`],
      ["NAT before the peer", there.mapping === "unknown" ? "it has not told" : `mapping ${words(there.mapping)}, ports ${there.ports}`],
    ]);
  }

  #tries({ tries }) {
    if (tries.length === 0) return nothing;
    const told = (t) => {
      const answered = t.answeredAt ? `, answered at ${clock(t.answeredAt)}${took(t)}` : "";
      const tried = t.times ? `tried ${count(t.times, "time")}, first at ${clock(t.firstAt)}` : "the peer came from there";
      return `${where(t)}: ${tried}${answered}`;
    };
    return html`<h3>Addresses tried</h3>
      <ul class="log">${[...tries].reverse().map((t) => line(t.lastAt, badge(STATES[t.state] ?? "idle", words(t.state)), told(t)))}</ul>`;
  }

  #punching({ punching: p }) {
    if (p.attempts.length === 0) return nothing;
    const told = (a) =>
      `${a.candidates.length ? a.candidates.join(", ") : "no address"}: ${count(a.challenges, "challenge")}${a.tookMs == null ? "" : `, after ${ms(a.tookMs)}`}`;
    const next = p.nextInMs == null ? "" : `; the next one in ${span(p.nextInMs)}`;
    return html`<h3>Hole punching</h3>
      <ul class="log">${[...p.attempts].reverse().map((a) => line(a.at, badge(OUTCOMES[a.outcome] ?? "idle", a.outcome), told(a)))}</ul>
      <p class="muted">${count(p.attemptsTotal, "attempt")} in all, ${count(p.challenges, "challenge")} sent${next}</p>`;
  }

  render() {
    const { answer, error } = this;
    if (error && !answer) return problem(error, () => this.#read());
    if (!answer) return loading();
    return html`<div class="why">
      <p>${path(answer.path)} ${answer.verdict}</p>
      ${this.#advice(answer)} ${this.#nats(answer)}
      <h3>Path timeline</h3>
      ${answer.changes.length === 0
        ? html`<p class="muted">No path was used yet, or it is too long ago.</p>`
        : html`<ul class="log" aria-label="Path timeline">
            ${[...answer.changes].reverse().map((c) => line(c.at, badge(KINDS[c.path] ?? "idle", c.path), html`${where(c)}${where(c) ? ": " : ""}${c.why}${took(c)}`))}
          </ul>`}
      ${this.#tries(answer)} ${this.#punching(answer)}
      ${twin(mcc(`explain path ${short(answer.id)}`), curl("GET", `/peers/${answer.id}/path`))}
    </div>`;
  }
}

customElements.define("mcc-path", Path);
