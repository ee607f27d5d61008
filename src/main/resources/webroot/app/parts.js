// Small pieces of pages: states as shape, word and colour; IDs; paths; problems; commands.

import { html, nothing } from "lit";
import { ms, short } from "./format.js";

const SHAPES = { ok: "●", warn: "▲", fail: "✕", idle: "○" };

/** A state: its shape, its word, its colour. */
export const badge = (kind, word, title) =>
  html`<span class="badge ${kind}" title=${title || nothing}><span aria-hidden="true">${SHAPES[kind]}</span> ${word}</span>`;

const HEALTH = { pass: "ok", fail: "fail", stale: "warn" };

export const health = (word, reason) => badge(HEALTH[word] ?? "idle", word, reason);

const PATHS = { lan: "ok", direct: "ok", carrier: "warn", relay: "warn", none: "idle" };

/** How packets go, both ways. */
export function path(p, local) {
  if (local) return badge("ok", "here");
  if (!p) return badge("idle", "none");
  if (p.tx === p.rx) return badge(PATHS[p.tx] ?? "idle", p.tx);
  return html`${badge(PATHS[p.tx] ?? "idle", "out " + p.tx)} ${badge(PATHS[p.rx] ?? "idle", "in " + p.rx)}`;
}

/** Why the path is what it is. */
export function why(p, local) {
  if (local) return "this node itself";
  if (!p) return "no connection has been made yet";
  if (p.reason) return p.reason;
  if (p.tx === "lan") return "its address is a local one";
  if (p.tx === "direct") return "it answers at its own address";
  return p.via?.length ? "by way of " + p.via.map(short).join(", ") : "no reason given";
}

export const rtt = (value, local) => (local ? "" : ms(value));

/** A sentence begins with a capital and ends with a full stop. */
export const full = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/[.]?$/, ".");

async function copyText(event, text) {
  const button = event.currentTarget;
  event.stopPropagation();
  await navigator.clipboard.writeText(text).catch(() => {});
  button.dataset.done = "";
  setTimeout(() => delete button.dataset.done, 1200);
}

export const copy = (text, what) => html`<button
  type="button"
  class="copy"
  title="Copy ${what}"
  aria-label="Copy ${what}"
  @click=${(e) => copyText(e, text)}
></button>`;

/** An ID: eight characters of it, the whole on request. */
export const id = (value, what = "ID") =>
  value ? html`<code title=${value}>${short(value)}</code>${copy(value, `${what} ${short(value)}`)}` : html`–`;

/** The same by command line and by REST. */
export const twin = (...lines) => html`<details class="twin">
  <summary>Show as command</summary>
  ${lines.map((line) => html`<div class="line"><code tabindex="0">${line}</code>${copy(line, "command")}</div>`)}
</details>`;

/** What the node refused, and the way on. */
export const problem = (error, retry) => {
  const p = error.problem ?? { title: "Something went wrong in this page", detail: String(error) };
  return html`<div class="problem" role="alert">
    ${badge("fail", p.title)}
    <p>${p.detail}</p>
    ${p.hint ? html`<p class="hint">${p.hint}</p>` : nothing}
    <p class="hint">${p.code ? html`code <code>${p.code}</code>` : nothing}</p>
    ${retry ? html`<button type="button" @click=${retry}>Try again</button>` : nothing}
  </div>`;
};

/** A sentence where rows would be, and what to do about it. */
export const empty = (sentence, action, command) => html`<div class="empty">
  <p>${sentence}</p>
  ${action ?? nothing} ${command ? html`<div class="line"><code tabindex="0">${command}</code>${copy(command, "command")}</div>` : nothing}
</div>`;

export const loading = () => html`<div class="skeleton" aria-busy="true"><span class="sr">Loading</span></div>`;

/** Named values. */
export const facts = (pairs) => html`<dl class="facts">
  ${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>`;

/** Says something below the page, for eight seconds when it can be undone. */
export function toast(text, undo) {
  dispatchEvent(new CustomEvent("mcc-toast", { detail: { text, undo } }));
}
