// A lookup as a ladder: time to the right, bits shared with the target upwards; and the same as a table.

import { html, nothing, svg } from "lit";
import { ms, short } from "./format.js";
import { badge, id } from "./parts.js";

const LEFT = 46;
const RIGHT = 96;
const TOP = 16;
const BOTTOM = 26;

const answered = (s) => s.result === "closer" || s.result === "values";

export function outcome(s) {
  if (s.result === "values") return badge("ok", `${s.count} ${s.count === 1 ? "record" : "records"}`);
  if (s.result === "closer") return badge("ok", s.count ? `${s.count} new ${s.count === 1 ? "contact" : "contacts"}` : "nothing new");
  return badge("fail", s.result);
}

/** @param {any} lookup the answer of POST /dht/lookups @param {number} width in pixels */
export function ladder(lookup, width) {
  const { steps } = lookup;
  if (steps.length === 0) return nothing;
  const took = Math.max(1, lookup.tookMs ?? 0, ...steps.map((s) => s.atMs + (s.rttMs ?? 0)));
  const bits = Math.max(4, ...steps.map((s) => s.sharedBits)) + 1;
  const height = Math.min(340, 120 + steps.length * 14);
  const x = (t) => LEFT + (t / took) * (width - LEFT - RIGHT);
  // Requests of the same moment and height are drawn a little apart.
  const seen = new Map();
  const nudge = (s) => {
    const key = `${s.sharedBits}/${Math.round((12 * s.atMs) / took)}`;
    seen.set(key, (seen.get(key) ?? -1) + 1);
    return seen.get(key) * 13;
  };
  const y = (b) => height - BOTTOM - (b / bits) * (height - TOP - BOTTOM - 14);
  const lines = [];
  for (let b = 0; b <= bits; b += Math.max(1, Math.ceil(bits / 5))) lines.push(b);
  const times = [0, 0.25, 0.5, 0.75, 1].map((f) => f * took);
  return html`<svg class="ladder" viewBox="0 0 ${width} ${height}" role="img" aria-label="Ladder of the lookup: ${steps.length} requests in ${lookup.tookMs} ms; the table below says the same">
    ${lines.map((b) => svg`<line class="axis" x1=${LEFT} x2=${width - RIGHT} y1=${y(b)} y2=${y(b)} /><text x=${LEFT - 8} y=${y(b) + 4} text-anchor="end">${b}</text>`)}
    <text x="4" y="11">shared bits</text>
    ${times.map((t) => svg`<text x=${x(t)} y=${height - 6} text-anchor="middle">${ms(Math.round(t))}</text>`)}
    ${steps.map((s) => {
      const from = x(s.atMs);
      const to = x(s.atMs + (s.rttMs ?? 0));
      const at = y(s.sharedBits) - nudge(s);
      const good = answered(s);
      const end = good
        ? svg`<circle class=${s.result === "values" ? "dotval" : "dotok"} cx=${to} cy=${at} r="4.5" />`
        : svg`<path class="cross" d="M${to - 4} ${at - 4}l8 8m0-8l-8 8" />`;
      return svg`<line class=${good ? "took" : s.result} x1=${from} x2=${to} y1=${at} y2=${at} />${end}
        <text class="name" x=${to + 9} y=${at + 4}>${short(s.peer)}</text>`;
    })}
  </svg>`;
}

/** The ladder's steps, for reading. */
export const steps = (lookup) => html`<table role="table" aria-label="Steps of the lookup">
  <thead role="rowgroup"><tr role="row">
    ${["Step", "Sent at", "Asked", "Shared bits", "Took", "Answer"].map((h, i) => html`<th role="columnheader" scope="col" class=${i === 2 || i === 5 ? nothing : "num"}>${h}</th>`)}
  </tr></thead>
  <tbody role="rowgroup">
    ${lookup.steps.map(
      (s) => html`<tr role="row">
        <td role="cell" data-label="Step" class="num">${s.index + 1}</td>
        <td role="cell" data-label="Sent at" class="num">${ms(s.atMs)}</td>
        <td role="cell" data-label="Asked"><span>${id(s.peer, "node ID")}</span></td>
        <td role="cell" data-label="Shared bits" class="num">${s.sharedBits}</td>
        <td role="cell" data-label="Took" class="num">${ms(s.rttMs)}</td>
        <td role="cell" data-label="Answer">${outcome(s)}</td>
      </tr>`,
    )}
  </tbody>
</table>`;
