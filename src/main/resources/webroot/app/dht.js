// "Is my view of the key space sound, and why did that lookup go so?"

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Page } from "./base.js";
import { count, ms, short, span } from "./format.js";
import { ladder, steps } from "./ladder.js";
import { live } from "./live.js";
import { badge, empty, facts, id, loading, problem, twin } from "./parts.js";
import { call, curl, mcc } from "./rest.js";
import { route } from "./router.js";

const MARKS = { fresh: "■", stale: "◪", failing: "✕" };
const WORDS = { fresh: "ok", stale: "warn", failing: "fail" };

class Dht extends Page {
  static properties = { lookup: { state: true }, error: { state: true }, busy: { state: true } };

  channels = ["dht", "buckets"];

  firstUpdated() {
    if (route.get("find")) this.#run(route.get("find"));
  }

  #body(text) {
    return /^[a-z2-7]{52}$/.test(text) ? { target: text } : { service: text || "NAME" };
  }

  async #run(text) {
    this.busy = true;
    this.error = null;
    try {
      this.lookup = await call("POST", "/dht/lookups", this.#body(text));
    } catch (e) {
      this.error = e;
    } finally {
      this.busy = false;
    }
  }

  #submit(event) {
    event.preventDefault();
    const text = event.target.querySelector("input").value.trim();
    if (!text) return;
    route.set({ find: text });
    this.#run(text);
  }

  #verdict(dht, buckets) {
    const contacts = buckets.flatMap((b) => b.contacts);
    const failing = contacts.filter((c) => c.state === "failing").length;
    if (contacts.length === 0) return badge("warn", "only this node");
    if (!dht.joined) return badge("warn", "not joined yet");
    if (failing > contacts.length / 2) return badge("fail", "most contacts do not answer");
    return failing ? badge("warn", `${count(failing, "contact does", "contacts do")} not answer`) : badge("ok", "sound: every contact answers");
  }

  #bucket(b) {
    const free = Math.max(0, b.capacity - b.contacts.length);
    const chosen = route.get("sel");
    return html`<li class="bucket">
      <b>${b.index}</b><code title="positions that begin with ${b.prefix}">${b.prefix || "all"}</code>
      <span class="cells">
        ${repeat(
          b.contacts,
          (c) => c.id,
          (c) => html`<button type="button" class="cell ${c.state}" aria-pressed=${chosen === c.id} title="${short(c.id)}, ${c.state}"
            aria-label="${short(c.id)}, ${c.state}" @click=${() => route.set({ sel: chosen === c.id ? "" : c.id })}>${MARKS[c.state] ?? "■"}</button>`,
        )}
        ${Array.from({ length: free }, () => html`<span class="cell free" aria-hidden="true"></span>`)}
      </span>
      <span class="muted">${b.size} of ${b.capacity}</span>
    </li>`;
  }

  #contact(buckets) {
    for (const b of buckets) {
      const c = b.contacts.find((x) => x.id === route.get("sel"));
      if (!c) continue;
      return html`<section class="card" aria-label="Contact ${short(c.id)}">${facts([
        ["Contact", id(c.id, "node ID")],
        ["State", badge(WORDS[c.state] ?? "idle", c.state)],
        ["Bucket", `${b.index}: positions that begin with ${b.prefix || "anything"}`],
        ["Addresses", c.addresses.join(", ") || "none known"],
        ["Round trip", ms(c.rttMs)],
        ["Last heard", `${span(c.heardAgoMs)} ago`],
        ["Requests unanswered", c.failures],
      ])}</section>`;
    }
    return nothing;
  }

  #table(dht, buckets) {
    if (buckets.length === 0)
      return empty("Only this node is in the table. Start MCC elsewhere and point it here, or give this node a bootstrap address.", nothing, `mcc run --bootstrap HOST:PORT`);
    return html`<section class="card" aria-labelledby="strip"><div class="row"><h2 id="strip">Routing table</h2><span class="grow"></span>
        <span class="legend"><span><span class="cell fresh" aria-hidden="true">■</span>fresh</span><span><span class="cell stale" aria-hidden="true">◪</span>stale</span><span><span class="cell failing" aria-hidden="true">✕</span>failing</span><span><span class="cell free" aria-hidden="true"></span>free</span></span></div>
        <ul class="strip">${buckets.map((b) => this.#bucket(b))}</ul></section>
      ${this.#contact(buckets)}`;
  }

  #found() {
    if (this.busy) return loading();
    if (this.error) return problem(this.error, () => this.#run(route.get("find")));
    const { lookup } = this;
    if (!lookup) return html`<p class="muted">A lookup asks the contacts nearest to a position, then those they name, until none is nearer. Each request is one rung.</p>`;
    const failed = lookup.steps.filter((s) => s.result === "timeout" || s.result === "unreachable").length;
    return html`<p>${badge(failed ? "warn" : "ok", `${lookup.tookMs} ms`)}
        ${count(lookup.requests ?? lookup.steps.length, "node")} asked, ${failed} without an answer; ${count(lookup.result.closest.length, "closest node")}, ${count(lookup.result.records, "record")} found.</p>
      ${ladder(lookup, Math.max(280, Math.min(1000, this.clientWidth - 40)))} ${lookup.steps.length ? steps(lookup) : html`<p class="muted">No request was needed.</p>`}`;
  }

  render() {
    const { dht, buckets } = live.data;
    const find = route.get("find");
    if (!dht || !buckets) return html`<h1>DHT</h1>${loading()}`;
    return html`<div class="title"><h1>DHT</h1>${this.#verdict(dht, buckets)}</div>
      <section class="card">${facts([
        ["Contacts", `${count(dht.contacts, "contact")} in ${count(dht.buckets, "bucket")}`],
        ["Network, estimated", `about ${count(dht.estimatedNodes, "node")}`],
        ["Kept for others", count(dht.records, "record")],
        ["Published from here", count(dht.publications ?? 0, "record")],
        ["Bucket size k, parallel α", `${dht.k}, ${dht.alpha}`],
        ["Running now", count(dht.lookups ?? 0, "lookup")],
      ])}</section>
      ${this.#table(dht, buckets)}
      <section class="card" aria-labelledby="lookup"><h2 id="lookup">Lookup</h2>
        <form class="inline" @submit=${(e) => this.#submit(e)}>
          <div class="field"><label for="find">Service name or ID</label><input id="find" class="filter" autocomplete="off" spellcheck="false" placeholder="orders, or an ID of 52 characters" .value=${find} /></div>
          <button class="main" ?disabled=${this.busy}>Look up</button>
        </form>
        <div class="found">${this.#found()}</div>
        ${twin(mcc(`lookup ${find || "NAME"}`), curl("POST", "/dht/lookups", this.#body(find)))}
      </section>
      ${twin(curl("GET", "/dht"), curl("GET", "/dht/buckets"))}`;
  }
}

customElements.define("mcc-dht", Dht);
