// Bytes per second through the node: a chart, a cursor for the keyboard, and the same as a table.

import { html, nothing } from "lit";
import { Base } from "./base.js";
import { clock, rate } from "./format.js";
import { live } from "./live.js";
import { route } from "./router.js";

const RANGES = { "1m": 60, "5m": 300, "15m": 900 };

class Throughput extends Base {
  static properties = { cursor: { state: true } };

  #chart = null;
  #drawn = 0;
  #draw = () => this.#update();
  #theme = () => this.#dress();

  connectedCallback() {
    super.connectedCallback();
    live.addEventListener("change", this.#draw);
    route.addEventListener("change", this.#draw);
    addEventListener("mcc-theme", this.#theme);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#theme);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    live.removeEventListener("change", this.#draw);
    route.removeEventListener("change", this.#draw);
    removeEventListener("mcc-theme", this.#theme);
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.#theme);
    this.#chart?.destroy();
    this.#chart = null;
  }

  get #range() {
    return RANGES[route.get("range")] ? route.get("range") : "5m";
  }

  #rows() {
    const now = live.history.at(-1)?.t ?? Date.now();
    return live.history.filter((row) => row.t > now - RANGES[this.#range] * 1000);
  }

  async firstUpdated() {
    const { Chart, LineController, LineElement, PointElement, LinearScale, Filler } = await import("chart.js");
    if (!this.isConnected) return;
    Chart.register(LineController, LineElement, PointElement, LinearScale, Filler);
    const line = (label, fill) => ({ label, data: [], borderWidth: 1.75, pointRadius: 0, tension: 0, fill });
    this.#chart = new Chart(this.querySelector("canvas"), {
      type: "line",
      data: { datasets: [line("in", "origin"), line("out", false)] },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        maintainAspectRatio: false,
        events: [],
        scales: {
          x: { type: "linear", grid: { display: false }, ticks: { maxTicksLimit: 6, maxRotation: 0, callback: (t) => clock(t) } },
          y: { beginAtZero: true, suggestedMax: 1000, border: { display: false }, ticks: { maxTicksLimit: 4, callback: rate } },
        },
      },
    });
    this.#dress();
  }

  /** Colours from the style sheet; a canvas cannot read custom properties by itself. */
  #dress() {
    if (!this.#chart) return;
    const colour = (name) => getComputedStyle(this.querySelector(".probe-" + name)).color;
    const [down, up] = this.#chart.data.datasets;
    down.borderColor = colour("in");
    down.backgroundColor = colour("in").replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)");
    up.borderColor = colour("out");
    for (const axis of ["x", "y"]) {
      this.#chart.options.scales[axis].ticks.color = colour("text");
      this.#chart.options.scales[axis].grid.color = colour("grid");
    }
    this.#update();
  }

  #update() {
    if (Date.now() - this.#drawn > 900 || !this.#chart) this.requestUpdate();
    if (!this.#chart) return;
    this.#drawn = Date.now();
    const rows = this.#rows();
    const [down, up] = this.#chart.data.datasets;
    down.data = rows.map((r) => ({ x: r.t, y: r.rx }));
    up.data = rows.map((r) => ({ x: r.t, y: r.tx }));
    const last = rows.at(-1)?.t ?? Date.now();
    this.#chart.options.scales.x.min = last - RANGES[this.#range] * 1000;
    this.#chart.options.scales.x.max = last;
    this.#chart.update("none");
  }

  #onKey(event) {
    const rows = this.#rows();
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -rows.length, End: rows.length }[event.key];
    if (!step || rows.length === 0) return;
    event.preventDefault();
    const at = this.cursor ? rows.findIndex((r) => r.t >= this.cursor) : rows.length - 1;
    this.cursor = rows[Math.min(rows.length - 1, Math.max(0, at + step))].t;
  }

  render() {
    const rows = this.#rows();
    const last = rows.at(-1);
    const at = this.cursor && rows.find((r) => r.t >= this.cursor);
    const words = (r) => `${clock(r.t)}: in ${rate(r.rx)}, out ${rate(r.tx)}`;
    return html`<figure class="chart">
      <figcaption>
        <h2>Throughput</h2>
        <span class="key"><i class="swatch in" aria-hidden="true"></i>in <b>${rate(last?.rx ?? 0)}</b></span>
        <span class="key"><i class="swatch out" aria-hidden="true"></i>out <b>${rate(last?.tx ?? 0)}</b></span>
        <span class="grow"></span>
        <span class="segments" role="group" aria-label="Range">
          ${Object.keys(RANGES).map(
            (r) => html`<button type="button" aria-pressed=${this.#range === r} @click=${() => route.set({ range: r === "5m" ? "" : r })}>
              ${r.replace("m", " min")}
            </button>`,
          )}
        </span>
      </figcaption>
      <div
        class="plot"
        role="img"
        tabindex="0"
        aria-label="Chart of bytes per second in and out; arrow keys read single seconds"
        @keydown=${(e) => this.#onKey(e)}
        @blur=${() => (this.cursor = null)}
      >
        <canvas></canvas>
        <i class="probe-in"></i><i class="probe-out"></i><i class="probe-text"></i><i class="probe-grid"></i>
      </div>
      <p class="cursor" aria-live="polite">${at ? words(at) : nothing}</p>
      <details class="twin">
        <summary>Show as table</summary>
        <table role="table" aria-label="Throughput, last 20 seconds">
          <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Time</th><th role="columnheader" scope="col" class="num">In</th><th role="columnheader" scope="col" class="num">Out</th></tr></thead>
          <tbody role="rowgroup">
            ${rows.slice(-20).reverse().map(
              (r) => html`<tr role="row"><td role="cell" data-label="Time">${clock(r.t)}</td><td role="cell" data-label="In" class="num">${rate(r.rx)}</td><td role="cell" data-label="Out" class="num">${rate(r.tx)}</td></tr>`,
            )}
          </tbody>
        </table>
      </details>
    </figure>`;
  }
}

customElements.define("mcc-throughput", Throughput);
