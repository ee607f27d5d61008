// What happened, newest first, as it happens.

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { live as current } from "lit/directives/live.js";
import { Page } from "./base.js";
import { clock, count } from "./format.js";
import { live } from "./live.js";
import { badge, empty, twin } from "./parts.js";
import { curl, mcc } from "./rest.js";
import { route } from "./router.js";
import { kind, level, sentence } from "./words.js";

const SHOWN_MAX = 300;

class Events extends Page {
  channels = [];

  #shown(all) {
    const words = route.get("q").toLowerCase().split(/\s+/).filter(Boolean);
    const area = route.get("area");
    return all.filter((e) => {
      if (e.gap) return words.length === 0 && !area;
      if (area && !e.type.startsWith(area + ".")) return false;
      const text = words.length ? `${e.type} ${sentence(e)} ${JSON.stringify(e.data)}`.toLowerCase() : "";
      return words.every((w) => text.includes(w));
    });
  }

  #line(e) {
    if (e.gap) return html`<li class="gap"><span class="muted">── ${e.gap} ──</span></li>`;
    const open = route.get("sel") === e.id;
    return html`<li>
      <time datetime=${e.at}>${clock(e.at)}</time>${badge(kind(e), level(e))}
      <span><button type="button" class="open type" aria-expanded=${open} @click=${() => route.set({ sel: open ? "" : e.id })}>${e.type}</button> ${sentence(e)}
        ${open ? html`<pre tabindex="0">${JSON.stringify(e, null, 2)}</pre>` : nothing}</span>
    </li>`;
  }

  render() {
    const all = live.events;
    const shown = this.#shown(all);
    const areas = [...new Set(all.filter((e) => e.id).map((e) => e.type.split(".")[0]))].sort();
    const area = route.get("area");
    const newest = shown.slice(-SHOWN_MAX).reverse();
    const total = all.filter((e) => e.id).length;
    const some = shown.filter((e) => e.id).length;
    return html`<h1>Events</h1>
      <div class="tablebar">
        <input type="search" class="filter" placeholder="Filter events" aria-label="Filter events" .value=${current(route.get("q"))} @input=${(e) => route.set({ q: e.target.value })} />
        <label class="area">About <select @change=${(e) => route.set({ area: e.target.value })}>
          <option value="" ?selected=${!area}>everything</option>
          ${areas.map((a) => html`<option value=${a} ?selected=${a === area}>${a}</option>`)}
        </select></label>
        <span class="muted">${some === total ? count(total, "event") : `${some} of ${count(total, "event")}`}${some > SHOWN_MAX ? `, the newest ${SHOWN_MAX} shown` : ""}</span>
      </div>
      ${newest.length
        ? html`<ul class="log events card" aria-label="Events, newest first">${repeat(newest, (e) => e.key ?? e.id, (e) => this.#line(e))}</ul>`
        : total
          ? empty("No event fits the filter.", html`<button type="button" @click=${() => route.set({ q: "", area: "" })}>Show all</button>`)
          : empty("Quiet since the start of the node.", nothing, mcc("events"))}
      ${twin(mcc("events"), `${curl("GET", "/events" + (area ? `?types=${area}.*` : ""))} -N`)}`;
  }
}

customElements.define("mcc-events", Events);
