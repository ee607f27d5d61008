// The shell: top bar, navigation, the page at hand, shortcuts, notices.

import { html, nothing } from "lit";
import { Base } from "./base.js";
import { count } from "./format.js";
import { live } from "./live.js";
import { badge, copy } from "./parts.js";
import { token } from "./rest.js";
import { href, route } from "./router.js";
import "./signin.js";

const NAMES = { overview: "Overview", services: "Services", tunnels: "Tunnels", peers: "Peers", dht: "DHT", network: "Network", events: "Events" };
const ICONS = {
  overview: "M3 11 12 4l9 7M6 10v10h12V10",
  services: "M4 5h16v5H4zM4 14h16v5H4zM7 7.5h.01M7 16.5h.01",
  tunnels: "M3 8h13l-3-3M21 16H8l3 3",
  peers: "M12 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM5 21a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM19 21a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM12 8v4M12 12l-6 4M12 12l6 4",
  dht: "M4 20V4M4 20h16M8 16h2v-3H8zM13 16h2V9h-2zM18 16h2V5h-2z",
  network: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c3 3 3.6 6 3.6 9S15 18 12 21c-3-3-3.6-6-3.6-9S9 6 12 3Z",
  events: "M4 6h16M4 12h16M4 18h10",
};
const KEYS = { o: "overview", s: "services", t: "tunnels", p: "peers", d: "dht", n: "network", e: "events" };
const FIRST = "overview";

const stored = (key) => localStorage.getItem(key);

class App extends Base {
  static properties = { keysOn: { state: true }, theme: { state: true } };

  #loaded = new Set();
  #toasts = [];
  #announced = "";
  #going = 0;

  constructor() {
    super();
    this.keysOn = stored("mcc-keys") !== "off";
    this.theme = stored("mcc-theme") ?? "";
  }

  connectedCallback() {
    super.connectedCallback();
    this.replaceChildren();
    this.#dress();
    live.addEventListener("mode", () => this.#moved());
    live.addEventListener("change", () => this.requestUpdate());
    live.addEventListener("tick", () => this.requestUpdate());
    route.addEventListener("change", () => this.#turn());
    addEventListener("mcc-toast", (e) => this.#toast(e.detail));
    document.addEventListener("keydown", (e) => this.#onKey(e));
    live.start();
    this.#turn();
  }

  /** A page that was not drawn while the node wanted a token says only now what it wants to know. */
  async #moved() {
    const locked = this.locked;
    this.locked = live.mode === "locked";
    this.requestUpdate();
    await this.updateComplete;
    if (locked && !this.locked) this.#want();
  }

  #want() {
    live.want(this.querySelector("main > .page")?.channels ?? []);
  }

  async #turn() {
    const { page } = route;
    if (this.page === page) return;
    this.page = page;
    await import(`./${page}.js`);
    this.#loaded.add(page);
    if (this.page !== page) return;
    document.title = `${NAMES[page]} – MCC`;
    this.requestUpdate();
    await this.updateComplete;
    this.#want();
    if (this.turned) this.querySelector("main").focus({ preventScroll: true });
    if (this.turned) scrollTo(0, 0);
    this.turned = true;
  }

  #dress() {
    document.documentElement.dataset.theme = this.theme;
    dispatchEvent(new Event("mcc-theme"));
  }

  get #dark() {
    return this.theme ? this.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  #switchTheme() {
    this.theme = this.#dark ? "light" : "dark";
    localStorage.setItem("mcc-theme", this.theme);
    this.#dress();
  }

  #toast(detail) {
    const toast = { ...detail, key: Symbol("toast") };
    this.#toasts = [...this.#toasts.slice(-2), toast];
    this.requestUpdate();
    setTimeout(() => this.#drop(toast), 8_000);
  }

  #drop(toast) {
    this.#toasts = this.#toasts.filter((t) => t !== toast);
    this.requestUpdate();
  }

  #onKey(event) {
    if (event.key === "Escape") return this.#escape(event);
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (!this.keysOn || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (Date.now() - this.#going < 1_500 && KEYS[event.key]) {
      this.#going = 0;
      route.go(KEYS[event.key]);
    } else if (event.key === "g") {
      this.#going = Date.now();
      return;
    } else if (event.key === "/") this.querySelector(".filter")?.focus();
    else if (event.key === "?") this.#help();
    else if (event.key === "p") live.pause(!live.paused);
    else return;
    event.preventDefault();
  }

  #escape(event) {
    if (event.target.closest?.("dialog")) return;
    if (event.target.matches?.("input")) event.target.blur();
    else if (route.get("sel") || route.get("rsel")) route.set({ sel: "", rsel: "" });
  }

  #help() {
    this.querySelector("dialog.help").showModal();
  }

  #health() {
    const { node, peers } = live.data;
    if (live.mode === "locked") return ["idle", "unknown"];
    if (live.mode === "offline") return ["fail", "unreachable"];
    if (!node) return ["idle", "loading"];
    if (node.draining) return ["warn", "stopping"];
    if (node.problems.some((p) => p.severity === "error")) return ["fail", "failing"];
    if (!node.joined) return (peers?.length ?? node.peers) ? ["warn", "joining"] : ["warn", "alone"];
    return ["ok", "healthy"];
  }

  #liveWord() {
    const seconds = live.ageMs / 1000;
    if (live.mode === "paused") return ["idle", "paused"];
    if (live.mode === "polling") return ["warn", `polling ${Math.floor(seconds)} s`];
    if (live.mode === "connecting") return ["idle", "connecting"];
    if (live.mode === "locked") return ["idle", "signed out"];
    if (live.mode === "offline") {
      const left = Math.ceil((live.retryAt - Date.now()) / 1000);
      return ["fail", left > 0 ? `offline, retrying in ${left} s` : "offline, retrying"];
    }
    return live.stale ? ["warn", `stale ${Math.floor(seconds)} s`] : ["ok", `live ${seconds.toFixed(1)} s`];
  }

  /** Changes of state in words, for those who do not see them; never rates. */
  #state() {
    const [, health] = this.#health();
    const word = live.stale && live.mode === "live" ? "stale" : live.mode;
    const problems = live.data.node?.problems.length ?? 0;
    const next = `Connection ${word}, node ${health}, ${count(problems, "problem")}`;
    if (next !== this.#announced) this.#announced = next;
    return this.#announced;
  }

  #banner() {
    const since = live.heardAt ? new Date(live.heardAt).toLocaleTimeString("en-GB") : "–";
    if (live.mode === "polling")
      return html`<div class="banner warn">${badge("warn", "The live connection is lost")} <span>Values come every 5 s instead. Last: ${since}</span></div>`;
    if (live.mode === "offline")
      return html`<div class="banner fail">${badge("fail", "The node does not answer")} <span>What is shown is as of ${since}. This page goes on by itself when the node is back.</span></div>`;
    if (live.mode === "paused") return html`<div class="banner">${badge("idle", "Paused")} <span>What is shown is as of ${since}.</span>
      <button type="button" @click=${() => live.pause(false)}>Go on</button></div>`;
    return nothing;
  }

  #page() {
    if (live.mode === "locked") return html`<mcc-signin></mcc-signin>`;
    if (!this.#loaded.has(this.page)) return nothing;
    return {
      overview: html`<mcc-overview class="page"></mcc-overview>`,
      services: html`<mcc-services class="page"></mcc-services>`,
      tunnels: html`<mcc-tunnels class="page"></mcc-tunnels>`,
      peers: html`<mcc-peers class="page"></mcc-peers>`,
      dht: html`<mcc-dht class="page"></mcc-dht>`,
      network: html`<mcc-network class="page"></mcc-network>`,
      events: html`<mcc-events class="page"></mcc-events>`,
    }[this.page];
  }

  render() {
    const { node } = live.data;
    const [healthKind, healthWord] = this.#health();
    const [liveKind, liveWord] = this.#liveWord();
    return html`<a class="skip" href="#main" @click=${(e) => { e.preventDefault(); this.querySelector("main").focus(); }}>Skip to content</a>
      <header>
        <a class="brand" href=${href(FIRST)} aria-label="MCC, overview"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 18 12 6l7 12M5 18h14M12 6v12" /><circle cx="5" cy="18" r="2.4" /><circle cx="19" cy="18" r="2.4" /><circle cx="12" cy="6" r="2.4" /></svg></a>
        <div class="who">
          <b class="name">${node?.name ?? "MCC"}</b>
          ${node ? html`<span class="nid"><code title=${node.id}>${node.id.slice(0, 8)}</code>${copy(node.id, "node ID")}</span><span class="net">network ${node.network}</span>` : nothing}
        </div>
        <span class="grow"></span>
        <span class="health">${badge(healthKind, healthWord)}</span>
        <span class="dot" data-mode=${live.stale && live.mode === "live" ? "stale" : live.mode}>${badge(liveKind, liveWord)}</span>
        <button type="button" class="icon" aria-pressed=${live.paused} aria-label="Pause live updates" title="Pause live updates (p)" @click=${() => live.pause(!live.paused)}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d=${live.paused ? "M8 5v14l11-7z" : "M8 5v14M16 5v14"} /></svg></button>
        <button type="button" class="icon" aria-label="Use the ${this.#dark ? "light" : "dark"} theme" title="Use the ${this.#dark ? "light" : "dark"} theme" @click=${() => this.#switchTheme()}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8" /><path class="solid" d="M12 4a8 8 0 0 1 0 16z" /></svg></button>
        <button type="button" class="icon helpbutton" aria-label="Help and shortcuts" title="Help and shortcuts (?)" @click=${() => this.#help()}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.1-1.5 2.4M12 17.5v.01" /><circle cx="12" cy="12" r="9" /></svg></button>
      </header>
      <nav aria-label="Pages">
        ${Object.entries(NAMES).map(
          ([page, name]) => html`<a href=${href(page)} title=${name} aria-current=${this.page === page ? "page" : nothing}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d=${ICONS[page]} /></svg><span>${name}</span></a>`,
        )}
        <a href="/docs" class="apart" title="REST interface"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 6 3 12l5 6M16 6l5 6-5 6" /></svg><span>REST</span></a>
      </nav>
      <main id="main" tabindex="-1" data-stale=${live.stale || live.mode === "paused" ? "yes" : nothing}>
        ${this.#banner()} ${this.#page()}
        <p class="seen">As seen from ${node?.name ?? "this node"}. <a href="/docs">REST interface</a>
          ${token() ? html`<button type="button" @click=${() => live.signOut()}>Sign out</button>` : nothing}</p>
      </main>
      <p class="sr" role="status" data-testid="state">${this.#state()}</p>
      <div class="toasts" role="status">
        ${this.#toasts.map(
          (t) => html`<div class="toast"><span>${t.text}</span>${t.undo
            ? html`<button type="button" @click=${() => { this.#drop(t); t.undo(); }}>Undo</button>`
            : nothing}</div>`,
        )}
      </div>
      <dialog class="help" aria-labelledby="helptitle">
        <h2 id="helptitle">Shortcuts</h2>
        <dl class="keys">
          ${Object.entries(KEYS).map(([key, page]) => html`<div><dt><kbd>g</kbd> <kbd>${key}</kbd></dt><dd>${NAMES[page]}</dd></div>`)}
          <div><dt><kbd>/</kbd></dt><dd>filter</dd></div>
          <div><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next and previous row</dd></div>
          <div><dt><kbd>Enter</kbd></dt><dd>open the row</dd></div>
          <div><dt><kbd>p</kbd></dt><dd>pause</dd></div>
          <div><dt><kbd>?</kbd></dt><dd>this help</dd></div>
          <div><dt><kbd>Esc</kbd></dt><dd>close</dd></div>
        </dl>
        <label class="check"><input type="checkbox" .checked=${this.keysOn} @change=${(e) => { this.keysOn = e.target.checked; localStorage.setItem("mcc-keys", this.keysOn ? "on" : "off"); }} /> Use single-key shortcuts</label>
        <div class="buttons"><button type="button" @click=${(e) => e.target.closest("dialog").close()}>Close</button></div>
      </dialog>`;
  }
}

customElements.define("mcc-app", App);
