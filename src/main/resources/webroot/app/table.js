// A table that lives: rows keep their identity, so that selection, focus and scroll survive every update.

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { live as current } from "lit/directives/live.js";
import { Base } from "./base.js";
import { count } from "./format.js";
import { route } from "./router.js";

/** What rows are called when there are several. */
const many = (spec) => spec.many ?? spec.one + "s";

const ROWS_MAX = 500;

/**
 * Properties: `rows`, and `spec` with
 * name (of the table), one/many (noun), key(row), columns [{key, label, value(row), cell(row), num}], detail(row),
 * sort (default), empty (template), prefix (of its parameters in the address).
 */
class Table extends Base {
  static properties = { rows: { attribute: false }, spec: { attribute: false }, all: { state: true } };

  #draw = () => this.requestUpdate();

  connectedCallback() {
    super.connectedCallback();
    route.addEventListener("change", this.#draw);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    route.removeEventListener("change", this.#draw);
  }

  #p(name) {
    return (this.spec.prefix ?? "") + name;
  }

  #shown() {
    const words = route.get(this.#p("q")).toLowerCase().split(/\s+/).filter(Boolean);
    const kept = this.rows.filter((row) => {
      const text = words.length ? JSON.stringify(row).toLowerCase() : "";
      return words.every((w) => text.includes(w));
    });
    const sort = route.get(this.#p("sort")) || this.spec.sort;
    if (!sort) return kept;
    const down = sort.startsWith("-");
    const column = this.spec.columns.find((c) => c.key === sort.replace(/^-/, ""));
    if (!column?.value) return kept;
    const order = (a, b) => {
      const x = column.value(a) ?? (down ? -Infinity : Infinity);
      const y = column.value(b) ?? (down ? -Infinity : Infinity);
      const one = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
      return (down ? -one : one) || String(this.spec.key(a)).localeCompare(String(this.spec.key(b)));
    };
    return [...kept].sort(order);
  }

  #sortBy(key) {
    const now = route.get(this.#p("sort")) || this.spec.sort;
    route.set({ [this.#p("sort")]: now === key ? "-" + key : key });
  }

  #select(key) {
    route.set({ [this.#p("sel")]: route.get(this.#p("sel")) === key ? "" : key });
  }

  #onKey(event) {
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.matches(".open")) return;
    const all = [...this.querySelectorAll(".open")];
    all[all.indexOf(event.target) + step]?.focus();
    event.preventDefault();
  }

  #head(column, sort) {
    if (!column.value) return html`<th scope="col" role="columnheader">${column.label}</th>`;
    const up = sort === column.key;
    const down = sort === "-" + column.key;
    return html`<th
      scope="col"
      role="columnheader"
      class=${column.num ? "num" : nothing}
      aria-sort=${up ? "ascending" : down ? "descending" : "none"}
    >
      <button type="button" @click=${() => this.#sortBy(column.key)}>
        ${column.label}<span aria-hidden="true" class="arrow">${up ? "▲" : down ? "▼" : ""}</span>
      </button>
    </th>`;
  }

  #row(row, selected) {
    const { spec } = this;
    const key = spec.key(row);
    const open = selected === key;
    return html`<tr role="row" class=${open ? "selected" : ""} data-key=${key}>
        ${spec.columns.map((column, i) => {
          const cell = column.cell ? column.cell(row) : column.value(row);
          const toggle = i === 0 && spec.detail;
          return html`<td role="cell" data-label=${column.label} class=${column.num ? "num" : nothing}>
            ${toggle
              ? html`<button type="button" class="open" aria-expanded=${open} @click=${() => this.#select(key)}>${cell}</button
                  >${column.after?.(row)}`
              : cell}
          </td>`;
        })}
      </tr>
      ${open && spec.detail
        ? html`<tr role="row" class="detail"><td role="cell" colspan=${spec.columns.length}>${spec.detail(row)}</td></tr>`
        : nothing}`;
  }

  render() {
    const { spec, rows } = this;
    if (rows.length === 0) return spec.empty;
    const shown = this.#shown();
    const sort = route.get(this.#p("sort")) || spec.sort || "";
    const selected = route.get(this.#p("sel"));
    const filter = route.get(this.#p("q"));
    const drawn = this.all ? shown : shown.slice(0, ROWS_MAX);
    const noun = (n) => count(n, spec.one, spec.many);
    return html`<div class="tablebar">
        <input
          type="search"
          class="filter"
          placeholder="Filter ${many(spec)}"
          aria-label="Filter ${many(spec)}"
          .value=${current(filter)}
          @input=${(e) => route.set({ [this.#p("q")]: e.target.value })}
        />
        <label class="sorter"
          >Sort by
          <select @change=${(e) => route.set({ [this.#p("sort")]: e.target.value })}>
            ${spec.columns
              .filter((c) => c.value)
              .flatMap((c) => [
                html`<option value=${c.key} ?selected=${sort === c.key}>${c.label}, up</option>`,
                html`<option value=${"-" + c.key} ?selected=${sort === "-" + c.key}>${c.label}, down</option>`,
              ])}
          </select>
        </label>
        <span class="muted">${shown.length === rows.length ? noun(rows.length) : `${shown.length} of ${noun(rows.length)}`}</span>
      </div>
      ${shown.length === 0
        ? html`<div class="empty">
            <p>No ${spec.one} contains “${filter}”.</p>
            <button type="button" @click=${() => route.set({ [this.#p("q")]: "" })}>Show all</button>
          </div>`
        : html`<table role="table" aria-label=${spec.name} @keydown=${(e) => this.#onKey(e)}>
            <thead role="rowgroup">
              <tr role="row">
                ${spec.columns.map((c) => this.#head(c, sort))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              ${repeat(drawn, spec.key, (row) => this.#row(row, selected))}
            </tbody>
          </table>`}
      ${drawn.length < shown.length
        ? html`<button type="button" @click=${() => (this.all = true)}>Show all ${noun(shown.length)}</button>`
        : nothing}`;
  }
}

customElements.define("mcc-table", Table);
