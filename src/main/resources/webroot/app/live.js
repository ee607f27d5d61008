// The node as this tab knows it: one socket, the newest value of each channel and its age; polling when the socket is lost.

import { get, token, useToken } from "./rest.js";

const STALE_MS = 2_500;
const DEAD_MS = 8_000;
const POLL_MS = 5_000;
const RETRY_MS = [1_000, 2_000, 4_000];
const EVENTS_MAX = 1_000;
const HISTORY_S = 900;
const AGAIN = "the node was started again";
const ALWAYS = ["node", "totals", "registrations", "tunnels", "events"];
const PATHS = {
  node: "/node",
  peers: "/peers?limit=1000",
  dht: "/dht",
  buckets: "/dht/buckets?limit=1000",
  tunnels: "/tunnels?limit=1000",
  registrations: "/registrations?limit=1000",
  nat: "/nat",
  relays: "/relays",
};

class Live extends EventTarget {
  /** Newest value per channel. */
  data = {};
  /** "connecting", "live", "paused", "polling", "offline", or "locked" while the node wants a token. */
  mode = "connecting";
  heardAt = 0;
  retryAt = 0;
  /** Events, oldest first; where some are missing, {gap}. */
  events = [];
  /** Bytes per second through the node: {t, tx, rx}. */
  history = [];
  /** Bytes per second of each tunnel for the last minute. */
  rates = new Map();

  #socket = null;
  #page = [];
  #paused = false;
  #failures = 0;
  #totals = null;
  #seeded = false;
  #nextPoll = 0;
  #startedAt = 0;

  start() {
    document.addEventListener("visibilitychange", () => this.#subscribe());
    setInterval(() => this.#tick(), 500);
    addEventListener("mcc-signed-out", () => this.#to("locked"));
    this.#connect();
  }

  /** Tries a token; throws what the node says of it. */
  async signIn(text) {
    useToken(text);
    try {
      await get("/node");
    } catch (e) {
      useToken(null);
      throw e;
    }
    this.#socket?.close();
    this.#failures = 0;
    this.#to("connecting");
    this.#connect();
  }

  signOut() {
    useToken(null);
    this.#socket?.close();
    this.data = {};
    this.events = [];
    this.history = [];
    this.rates = new Map();
    this.#to("locked");
  }

  /** The channels that the page at hand shows, besides those always shown. */
  want(channels) {
    this.#page = channels;
    this.#subscribe();
  }

  get paused() {
    return this.#paused;
  }

  pause(on) {
    this.#paused = on;
    if (on) this.#to("paused");
    else if (this.#socket?.readyState === WebSocket.OPEN) {
      this.heardAt = Date.now();
      this.#to("live");
    } else this.#to("offline");
    this.#subscribe();
    if (!on) this.#readEvents();
  }

  get ageMs() {
    return this.heardAt ? Date.now() - this.heardAt : 0;
  }

  get stale() {
    return (this.mode === "live" && this.ageMs > STALE_MS) || this.mode === "offline";
  }

  #channels() {
    return [...new Set([...ALWAYS, ...this.#page])];
  }

  #subscribe() {
    const off = this.#paused || document.hidden;
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.heardAt = Date.now();
    this.#socket.send(JSON.stringify({ sub: off ? [] : this.#channels() }));
  }

  #connect() {
    const url = location.origin.replace(/^http/, "ws") + "/api/v1/live";
    // A script cannot set headers here; the protocols that it offers travel in one.
    const socket = token() ? new WebSocket(url, ["mcc", `bearer.${token()}`]) : new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#failures = 0;
      this.#totals = null;
      if (!this.#paused) this.#to("live");
      this.#subscribe();
      this.#readEvents();
    };
    socket.onmessage = (message) => {
      if (socket !== this.#socket || this.#paused) return;
      const { ch, t, v } = JSON.parse(message.data);
      this.heardAt = Date.now();
      this.#take(ch, t, v);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  #lost() {
    this.#socket = null;
    const wait = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
    this.retryAt = Date.now() + wait;
    if (!this.#paused && this.mode !== "polling" && this.mode !== "locked") this.#to("offline");
  }

  #tick() {
    if (this.mode === "locked") return;
    if (this.#socket === null && Date.now() >= this.retryAt) this.#connect();
    const watching = !this.#paused && !document.hidden;
    if (watching && this.mode === "live" && this.ageMs > DEAD_MS && this.#socket) {
      const dead = this.#socket;
      dead.onclose = null;
      dead.close();
      this.#lost();
    }
    const lost = this.mode === "offline" || this.mode === "polling";
    if (watching && lost && Date.now() >= this.#nextPoll) this.#poll();
    this.#say("tick");
  }

  /** Without the socket: the same values by REST, every five seconds. */
  async #poll() {
    this.#nextPoll = Date.now() + POLL_MS;
    try {
      const names = this.#channels().filter((ch) => PATHS[ch]);
      const answers = await Promise.all(names.map((ch) => get(PATHS[ch], AbortSignal.timeout(4_000))));
      if (this.mode === "live" || this.mode === "locked" || this.#paused) return;
      this.heardAt = Date.now();
      names.forEach((ch, i) => this.#take(ch, 0, answers[i].items ?? answers[i]));
      await this.#readEvents();
      if (this.mode !== "live") this.#to("polling");
      if (this.#socket === null) this.#connect();
    } catch {
      if (this.mode === "polling") this.#to("offline");
    }
  }

  #take(ch, t, v) {
    if (ch === "events") {
      this.#add(v.items, v.dropped);
    } else {
      this.data[ch] = v;
      if (ch === "node" && t) this.#started(t - v.uptimeMs);
      if (ch === "totals") this.#measure(t, v);
      if (ch === "tunnels") this.#trace(v);
    }
    this.#say("change");
  }

  /** A node that was started again since may have said nothing yet: the mark is set without an event of it. */
  #started(at) {
    if (Math.abs(at - this.#startedAt) < 1_000) return;
    this.#startedAt = at;
    this.#add([], 0);
  }

  #measure(t, v) {
    const now = { t, tx: v.txBytes + v.servedTxBytes, rx: v.rxBytes + v.servedRxBytes };
    const old = this.#totals;
    this.#totals = now;
    const seconds = old ? (t - old.t) / 1000 : 0;
    if (!old || seconds < 0.5) return;
    // A closed tunnel takes its bytes out of the totals.
    const per = (a, b) => Math.max(0, Math.round((a - b) / seconds));
    this.history.push({ t, tx: per(now.tx, old.tx), rx: per(now.rx, old.rx) });
    while (this.history.length && this.history[0].t < t - HISTORY_S * 1000) this.history.shift();
  }

  #trace(tunnels) {
    if (!this.#seeded) {
      this.#seeded = true;
      this.#seed(tunnels);
    }
    const rates = new Map();
    for (const tunnel of tunnels) {
      const row = this.rates.get(tunnel.id) ?? [];
      row.push(tunnel.txBytesPerSecond + tunnel.rxBytesPerSecond);
      if (row.length > 60) row.shift();
      rates.set(tunnel.id, row);
    }
    this.rates = rates;
  }

  /** What passed before this tab was opened, from the node's own record of its tunnels. */
  async #seed(tunnels) {
    const busy = tunnels.filter((t) => t.txBytes + t.rxBytes > 0).slice(0, 8);
    const columns = await Promise.all(
      busy.map((t) => get(`/tunnels/${t.id}/stats?range=15m&step=1s`).catch(() => null)),
    );
    const sums = new Map();
    for (const c of columns) {
      if (!c) continue;
      c.t.forEach((second, i) => {
        const sum = sums.get(second) ?? { t: second * 1000, tx: 0, rx: 0 };
        sum.tx += c.txBytes[i];
        sum.rx += c.rxBytes[i];
        sums.set(second, sum);
      });
      const row = c.txBytes.map((tx, i) => tx + c.rxBytes[i]).slice(-60);
      this.rates.set(c.id, [...row, ...(this.rates.get(c.id) ?? [])].slice(-60));
    }
    const first = this.history[0]?.t ?? Date.now();
    this.history = [...[...sums.values()].filter((s) => s.t < first - 1000 && s.t >= this.#startedAt), ...this.history];
    this.#say("change");
  }

  async #readEvents() {
    try {
      const page = await get(`/events/history?limit=${EVENTS_MAX}&sort=-at`);
      this.#add(page.items.reverse(), 0);
      this.#say("change");
    } catch {
      // The socket's next value, or the next poll, tells what is wrong.
    }
  }

  /** Adds events in their order, each once, with a mark where numbers are missing. */
  #add(items, dropped) {
    const known = new Map(this.events.filter((e) => e.id).map((e) => [e.id, e]));
    for (const item of items) known.set(item.id, item);
    const split = (id) => [id.slice(0, id.lastIndexOf("-")), Number(id.slice(id.lastIndexOf("-") + 1))];
    const all = [...known.values()].sort((a, b) => {
      const [ea, na] = split(a.id);
      const [eb, nb] = split(b.id);
      return ea === eb ? na - nb : ea < eb ? -1 : 1;
    });
    const out = [];
    let before = null;
    for (const event of all.slice(-EVENTS_MAX)) {
      const [epoch, number] = split(event.id);
      if (before && before[0] !== epoch) out.push({ gap: AGAIN, key: "start-" + event.id });
      else if (before && number > before[1] + 1)
        out.push({ gap: `${number - before[1] - 1} events are missing here`, key: "gap-" + event.id });
      out.push(event);
      before = [epoch, number];
    }
    const last = out.at(-1);
    if (last && Date.parse(last.at) < this.#startedAt - 1_000) out.push({ gap: AGAIN, key: "start-" + this.#startedAt });
    this.events = out;
    if (dropped > 0) this.#readEvents();
  }

  #to(mode) {
    if (this.mode === mode) return;
    this.mode = mode;
    this.#say("mode");
    this.#say("change");
  }

  #say(type) {
    this.dispatchEvent(new Event(type));
  }
}

export const live = new Live();
