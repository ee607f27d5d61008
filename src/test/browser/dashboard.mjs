// The dashboard in a real browser, against real nodes; started by mcc.browser.DashboardIT, which says where they are.
//
// MCC_TEST = {"chromium", "control", "site", "nodes": [{"id", "http", "udp"}], "locked": {"http", "token"}}; POST control/kill/N and control/start/N.
// "long": true asks for the long journeys instead of the others, "network": true for those of network.mjs. Prints a line per journey; exit code 1 if any failed. Everything waits for what must appear, nothing for time to pass.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { networkJourneys } from "./network.mjs";

const setup = JSON.parse(process.env.MCC_TEST);
const [first, second, third] = setup.nodes;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = ["overview", "services", "tunnels", "peers", "dht", "network", "events"];
const WIDTHS = [390, 768, 1360];
const short = (id) => id.slice(0, 8);

const browser = await chromium.launch({
  executablePath: setup.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"].concat([
    "--disable-component-update",
    "--disable-sync",
  ]),
});

/** What a page complained about; a journey that cuts the connection on purpose says so. */
const complaints = [];
let cutOnPurpose = false;

async function open(node, path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(40_000);
  const note = (what) => cutOnPurpose || complaints.push(`${page.url()}: ${what}`);
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && note(`console ${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => note(`exception: ${e.message}`));
  page.on("requestfailed", (r) => !/ERR_ABORTED/.test(r.failure()?.errorText) && note(`request failed: ${r.url()}`));
  page.on("response", (r) => r.status() >= 400 && note(`status ${r.status()}: ${r.url()}`));
  if (options.before) await options.before(page);
  await page.goto(node.http + path);
  return page;
}

const control = async (what) => assert.equal((await fetch(`${setup.control}/${what}`, { method: "POST" })).status, 200);
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const row = (page, table, text) => page.getByRole("table", { name: table, exact: true }).getByRole("row").filter({ hasText: text }).first();
const see = (page, text) => page.getByText(text).first().waitFor();

async function overflow(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    const edge = document.querySelector("main").getBoundingClientRect().right;
    const wide = [...document.querySelectorAll("main table, main .card")].map((e) => Math.ceil(e.getBoundingClientRect().right - edge));
    return Math.max(root.scrollWidth - root.clientWidth, ...wide);
  });
}

async function audit(page, where) {
  const over = await overflow(page);
  assert.ok(over <= 0, `${where}: scrolls ${over} px to the side`);
  await page.evaluate(axeSource);
  const result = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"] }),
  );
  const said = result.violations.map((v) => `${v.id} at ${v.nodes.map((n) => `${n.target} (${n.any[0]?.message ?? n.failureSummary})`).join(" and ")}`);
  assert.deepEqual(said, [], where);
}

const send = (node, method, path, body) =>
  fetch(node.http + "/api/v1" + path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** A journey that runs alone needs what those before it would have left: a service and a tunnel to it. */
async function prepare() {
  if (address) return;
  await send(first, "PUT", "/registrations/shop", { service: "shop", port: setup.site });
  address = (await (await send(third, "POST", "/tunnels", { service: "shop" })).json()).listen;
}

/** Fetches so many bytes through a tunnel, by a connection of its own. */
function sends(address, bytes) {
  return new Promise((done, failed) => {
    const request = get(`http://${address}/bytes/${bytes}`, { agent: false }, (answer) => {
      let length = 0;
      answer.on("data", (chunk) => (length += chunk.length));
      answer.on("end", () => (length === bytes ? done() : failed(new Error(`${length} of ${bytes} bytes came`))));
      answer.on("error", failed);
    });
    request.on("error", failed);
  });
}

// ---- journeys -------------------------------------------------------------------------------------------------------

const journeys = [];
const journey = (name, run) => setup.long || journeys.push([name, run]);
const longJourney = (name, run) => setup.long && journeys.push([name, run]);
let address;

journey("first steps: register, discover elsewhere, open a tunnel, send bytes, see them", async () => {
  const one = await open(first, "/");
  await heading(one, "Overview");
  await see(one, "Another node joined");
  await see(one, "1 of 3 done");
  await one.getByRole("link", { name: "Register a service" }).click();
  const form = one.getByRole("dialog", { name: "Register a service" });
  await form.getByLabel("Service name").fill("Shop!");
  await form.getByLabel("Port").fill(String(setup.site));
  await form.getByLabel("Check", { exact: true }).selectOption("http");
  await form.getByLabel("Check path").fill("/");
  await form.getByText("Show as command").click();
  await form.getByText(`mcc register Shop! --port ${setup.site} --check http:/`).waitFor();
  cutOnPurpose = true;
  await form.getByRole("button", { name: "Register" }).click();
  await form.getByText("The request is not valid").waitFor();
  assert.equal(await form.getByLabel("Service name").getAttribute("aria-invalid"), "true");
  cutOnPurpose = false;
  await form.getByLabel("Service name").fill("shop");
  await form.getByRole("button", { name: "Register" }).click();
  await see(one, "is registered as shop");
  await row(one, "Registrations of this node", "shop").getByText("pass").waitFor();

  const three = await open(third, "/#/services");
  await three.getByLabel("Look a service up in the network").fill("shop");
  await three.getByRole("button", { name: "Look up" }).click();
  const provider = row(three, "Providers of shop", short(first.id));
  await provider.getByText("pass").waitFor();
  await provider.getByText(/lan|direct/).first().waitFor();
  await three.getByRole("button", { name: "Open tunnel", exact: true }).click();
  await three.getByRole("dialog", { name: "Open a tunnel" }).getByRole("button", { name: "Open", exact: true }).click();
  await heading(three, "Tunnels");
  const tunnel = row(three, "Tunnels", "shop");
  address = await tunnel.getByText(/^127\.0\.0\.1:\d+$/).first().innerText();
  await sends(address, 5_000_000);
  await tunnel.getByText(/^[\d.]+ [kM]B\/s/).waitFor();
  await tunnel.getByText(short(first.id)).waitFor();
  await three.getByText("Show as table").click();
  await row(three, "Throughput, last 20 seconds", "MB/s").waitFor();

  await one.getByRole("link", { name: "Overview", exact: true }).click();
  await see(one, "2 of 3 done");
  await three.getByRole("link", { name: "Overview", exact: true }).click();
  await three.getByRole("link", { name: "1 failing" }).waitFor({ state: "detached" });
  await three.getByText("1 tunnel", { exact: true }).waitFor();
  await three.context().close();
  await one.context().close();
});

journey("a tunnel is closed and the closing undone", async () => {
  const page = await open(third, "/#/tunnels");
  await row(page, "Tunnels", address).getByRole("button", { name: /^Close/ }).click();
  await see(page, "No tunnel is open.");
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, "Tunnels", address).waitFor();
  await sends(address, 1000);
  await page.context().close();
});

longJourney("the address reproduces the view; sort is told", async () => {
  const page = await open(third, `/#/peers?sort=-peer&q=${short(first.id)}`);
  await see(page, "1 of 2 peers");
  const head = page.getByRole("columnheader", { name: "Peer" });
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  await head.getByRole("button").click();
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  await row(page, "Peers", short(first.id)).getByRole("button", { name: short(first.id), exact: true }).click();
  assert.match(page.url(), new RegExp(`sel=${first.id}`));
  await page.getByRole("button", { name: "Ping 5 times" }).click();
  await see(page, "5 of 5 answered");
  await page.reload();
  await page.getByRole("button", { name: "Ping 5 times" }).waitFor();
  await page.context().close();
});

journey("a lookup is drawn as a ladder and told as a table", async () => {
  const page = await open(third, "/#/dht");
  await page.getByLabel("Service name or ID").fill("shop");
  await page.getByRole("button", { name: "Look up" }).click();
  const steps = page.getByRole("table", { name: "Steps of the lookup" });
  await steps.waitFor();
  const rows = (await steps.getByRole("row").count()) - 1;
  assert.ok(rows >= 1);
  assert.equal(await page.locator("svg.ladder .took, svg.ladder .timeout, svg.ladder .unreachable").count(), rows);
  await page.locator("button.cell").first().click();
  await see(page, "Requests unanswered");
  await page.context().close();
});

longJourney("by keyboard only", async () => {
  const page = await open(third, "/");
  await heading(page, "Overview");
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Tabs until the named thing has the focus, and the focus is seen. */
  const tabTo = async (target, back) => {
    for (let i = 0; i < 80; i++) {
      await press(back ? "Shift+Tab" : "Tab");
      const here = await target.evaluateAll((all) => all.includes(document.activeElement));
      if (!here) continue;
      const style = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(style, "none", "the focus is not seen");
      return;
    }
    assert.fail(`not reached by Tab: ${target}`);
  };
  for (const [key, name] of [["s", "Services"], ["t", "Tunnels"], ["p", "Peers"], ["d", "DHT"], ["e", "Events"], ["o", "Overview"]]) {
    await press("g", key);
    await heading(page, name);
  }
  await press("g", "p");
  await heading(page, "Peers");
  await row(page, "Peers", short(first.id)).waitFor();
  await press("/");
  await page.keyboard.type(short(first.id));
  await see(page, "1 of 2 peers");
  await press("Escape");
  await tabTo(page.locator("button.open"));
  await press("Enter");
  await page.getByRole("button", { name: "Ping 5 times" }).waitFor();
  await press("Escape");
  await page.getByRole("button", { name: "Ping 5 times" }).waitFor({ state: "detached" });

  await press("?");
  const help = page.getByRole("dialog", { name: "Shortcuts" });
  await help.waitFor();
  await audit(page, "help");
  await press("Escape");
  await help.waitFor({ state: "hidden" });

  await press("g", "s");
  await heading(page, "Services");
  await tabTo(page.getByRole("button", { name: "Register a service" }));
  await press("Enter");
  await page.getByRole("dialog", { name: "Register a service" }).waitFor();
  await page.keyboard.type("typed");
  await press("Tab");
  await page.keyboard.type(`${setup.site}, 5353/udp+tcp 7000-7001`);
  await page.getByText(`--port ${setup.site},5353/udp+tcp,7000-7001`).first().waitFor({ state: "attached" });
  await audit(page, "form");
  await press("Enter");
  const all = `${setup.site}/tcp, 5353/udp+tcp, 7000-7001/tcp`;
  await row(page, "Registrations of this node", "typed").getByText(all).waitFor();
  await tabTo(page.getByRole("button", { name: "Withdraw typed" }));
  await press("Enter");
  await tabTo(page.getByRole("button", { name: "Undo" }));
  await press("Enter");
  await see(page, "typed is registered again");
  await row(page, "Registrations of this node", "typed").getByText(all).waitFor();

  await press("p");
  await page.locator("[data-mode=paused]").waitFor();
  await press("p");
  await page.locator("[data-mode=live]").waitFor();
  await press("?");
  await tabTo(page.getByLabel("Use single-key shortcuts"));
  await press("Space", "Escape");
  await press("g", "t");
  await press("?");
  assert.equal(await help.isVisible(), false);
  await heading(page, "Services");
  await page.context().close();
});

longJourney("a hundred updates keep selection, focus and scroll", async () => {
  const id = (i) => (String.fromCharCode(97 + (i % 26)) + "bcdefgh" + "a".repeat(44)).replace(/^(.)b/, `$1${"abcdefghijklmnopqrstuvwxyz"[Math.floor(i / 26)]}`);
  const peer = (i, n) => ({
    id: id(i), name: null, org: null, suite: "x", rttMs: ((i * 7 + n) % 50) + 0.5, lossPpm: n, inner: [], txBytes: n * 1000 + i, rxBytes: n * 900, streams: 0, sinceMs: n * 1000, heardAgoMs: 10,
    path: { tx: "direct", rx: "direct", via: [], address: `192.0.2.${i}:9376`, reason: null },
  });
  let socket;
  const path = await (await fetch(`${third.http}/api/v1/peers/${first.id}/path`)).json();
  const page = await open(third, `/#/peers?sel=${id(40)}`, {
    before: async (p) => {
      await p.routeWebSocket("**/api/v1/live", (ws) => { socket = ws; ws.onMessage(() => {}); });
      await p.route("**/api/v1/peers/*/path", (r) => r.fulfill({ json: { ...path, id: id(40) } }));
    },
  });
  const push = (n) => {
    const all = Array.from({ length: 60 }, (_, i) => peer((i * 17 + n) % 60, n));
    socket.send(JSON.stringify({ ch: "peers", t: Date.now(), v: all }));
  };
  push(0);
  await see(page, "60 peers");
  const target = page.locator(`tr[data-key="${id(45)}"] button.open`);
  await target.focus();
  const before = await page.evaluate(() => {
    window.mark = document.activeElement;
    return scrollY;
  });
  assert.ok(before > 0, "the page is long enough to scroll");
  await page.getByText("Relays on the way").first().evaluate((e) => getSelection().selectAllChildren(e));
  for (let n = 1; n <= 100; n++) {
    push(n);
    await page.locator(`tr[data-key="${id(45)}"]`).getByText(`${(100 * n + 4.5).toFixed(0)}`).count();
  }
  await page.locator(`tr[data-key="${id(40)}"] + tr.detail`).getByText("1 min 40 s").waitFor();
  const after = await page.evaluate(() => [window.mark === document.activeElement && window.mark.isConnected, scrollY, String(getSelection())]);
  assert.deepEqual(after, [true, before, "Relays on the way"]);
  assert.equal(await page.locator("tr.selected").getAttribute("data-key"), id(40));
  await page.context().close();
});

longJourney("without the socket it polls, and says so", async () => {
  cutOnPurpose = true;
  const page = await open(third, "/#/peers", { before: (p) => p.routeWebSocket("**/api/v1/live", (ws) => ws.close()) });
  await see(page, "The live connection is lost");
  await row(page, "Peers", short(first.id)).waitFor();
  await page.context().close();
  cutOnPurpose = false;
});

/** Looks at every page in each theme at each of its widths with the auditor's eyes, and at the others for what sticks out. */
async function everyPage(themes) {
  await prepare();
  const tunnels = await (await fetch(third.http + "/api/v1/tunnels")).json();
  const views = { services: "?sel=open/shop", peers: `?sel=${first.id}`, dht: "?find=shop", tunnels: `?sel=${tunnels.items[0].id}`, network: `?sel=${first.id}` };
  const ready = {
    overview: (page) => see(page, "Latest events"),
    services: (page) => row(page, "Providers of shop", short(first.id)).waitFor(),
    tunnels: (page) => row(page, "Tunnels", "shop").waitFor(),
    peers: (page) => page.getByRole("button", { name: "Ping 5 times" }).waitFor(),
    dht: (page) => page.getByRole("table", { name: "Steps of the lookup" }).waitFor(),
    network: (page) => page.getByRole("list", { name: "Path timeline" }).waitFor(),
    events: (page) => page.locator(".log.events li").first().waitFor(),
  };
  /** Each theme has a browser page of its own, so that two cores have work. */
  const look = async (colorScheme, widths, otherWidths) => {
    const page = await open(third, "/", { colorScheme });
    for (const name of PAGES) {
      await page.setViewportSize({ width: 1360, height: 900 });
      await page.goto(`${third.http}/#/${name}${views[name] ?? ""}`);
      await ready[name](page);
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        await audit(page, `${name}, ${colorScheme}, ${width} px`);
      }
      for (const width of otherWidths) {
        await page.setViewportSize({ width, height: 700 });
        const over = await overflow(page);
        assert.ok(over <= 0, `${name} at ${width} px: scrolls ${over} px to the side`);
      }
    }
    await page.context().close();
  };
  await Promise.all(themes.map((each) => look(...each)));
}

journey("every page: accessible and within its width", () => everyPage([["dark", [390], []]]));

longJourney("every page, both themes, three widths: accessible and within its width", () =>
  everyPage([
    ["light", WIDTHS, [320, 1024, 1160]],
    ["dark", WIDTHS, [1180, 1200, 1280]],
  ]),
);

longJourney("the widest values fit at every width", async () => {
  await prepare();
  const [tunnel] = (await (await fetch(third.http + "/api/v1/tunnels")).json()).items;
  const wide = { ...tunnel, service: "a-name-as-long-as-services-may-have-it-".padEnd(63, "x"), listen: "127.0.0.1:65535", rttMs: 1234.5, connections: 10_000, failovers: 999 };
  let socket;
  const page = await open(third, "/#/tunnels", {
    before: (p) => p.routeWebSocket("**/api/v1/live", (ws) => { socket = ws; ws.onMessage(() => {}); }),
  });
  socket.send(JSON.stringify({ ch: "tunnels", t: Date.now(), v: [{ ...wide, txBytesPerSecond: 999.4e6, rxBytesPerSecond: 888.8e3 }] }));
  await see(page, "10000 open");
  for (let width = 320; width <= 1400; width += 20) {
    await page.setViewportSize({ width, height: 900 });
    const over = await overflow(page);
    assert.ok(over <= 0, `at ${width} px: scrolls ${over} px to the side`);
  }
  await page.context().close();
});

longJourney("long ids, names and tags of strangers fit on each page", async () => {
  const [id, service] = ["i".repeat(64), "s".repeat(63)];
  const long = { service, port: setup.site, tags: ["t".repeat(32)], meta: { note: "m".repeat(64) } };
  const made = await send(first, "PUT", `/registrations/${id}`, long);
  assert.equal(made.status, 201, await made.text());
  const page = await open(first, `/#/services?sel=open/${service}`);
  await row(page, "Registrations of this node", id).waitFor();
  for (const name of PAGES) {
    await page.goto(`${first.http}/#/${name}${name === "services" ? `?sel=open/${service}` : ""}`);
    await page.locator(`mcc-${name} h1`).waitFor();
    for (let width = 320; width <= 1400; width += 90) {
      await page.setViewportSize({ width, height: 844 });
      // A chart takes its new size with a frame of its own.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const over = await overflow(page);
      assert.ok(over <= 0, `${name} at ${width} px: scrolls ${over} px to the side`);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} at 390 px`);
  }
  await page.context().close();
  await send(first, "DELETE", `/registrations/${id}`);
});

longJourney("the theme is chosen and kept", async () => {
  const page = await open(third, "/", { colorScheme: "light" });
  await page.getByRole("button", { name: "Use the dark theme" }).click();
  await page.reload();
  await page.getByRole("button", { name: "Use the light theme" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.context().close();
});

journey("a node that wants a token is signed in to, in this tab, and the token is in no address", async () => {
  const { locked } = setup;
  cutOnPurpose = true; // the browser tells of each refusal
  const asked = [];
  const page = await open(locked, "/#/peers", {
    before: (p) => {
      p.on("request", (r) => asked.push(r.url()));
      p.on("websocket", (s) => asked.push(s.url()));
    },
  });
  await heading(page, "Sign in");
  await audit(page, "sign in");
  await page.getByLabel("Token").fill("mcc_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await see(page, "this node does not know the token");
  await heading(page, "Sign in");
  await page.getByLabel("Token").fill(locked.token);
  await page.keyboard.press("Enter");
  await heading(page, "Peers");
  await page.locator("[data-mode=live]").waitFor();
  cutOnPurpose = false;
  await page.getByRole("link", { name: "Services", exact: true }).click();
  await page.getByRole("button", { name: "Register a service" }).first().click();
  const form = page.getByRole("dialog", { name: "Register a service" });
  await form.getByLabel("Service name").fill("secret");
  await form.getByLabel("Port").fill(String(setup.site));
  await form.getByRole("button", { name: "Register" }).click();
  await row(page, "Registrations of this node", "secret").waitFor();
  await page.reload();
  await page.locator("[data-mode=live]").waitFor();
  await row(page, "Registrations of this node", "secret").waitFor();
  assert.ok(asked.some((url) => url.startsWith("ws")), "the socket was seen");
  assert.deepEqual(asked.filter((url) => url.includes(locked.token) || url.includes("mcc_wrong")), []);
  cutOnPurpose = true;
  const other = await open(locked, "/");
  await heading(other, "Sign in");
  await other.context().close();
  await page.getByRole("button", { name: "Sign out" }).click();
  await heading(page, "Sign in");
  assert.equal(await page.getByText("secret").count(), 0, "nothing is left to see");
  await page.reload();
  await heading(page, "Sign in");
  await page.context().close();
  cutOnPurpose = false;
});

longJourney("the interface is readable at /docs", async () => {
  const page = await open(first, "/docs");
  await page.getByText("/api/v1/tunnels", { exact: true }).first().waitFor();
  await page.context().close();
});

longJourney("a provider is killed: bytes go on by another one, and that is shown", async () => {
  await send(second, "PUT", "/registrations/pair", { service: "pair", port: setup.site, leaseMs: 10_000 });
  const made = await (await send(third, "POST", "/tunnels", { service: "pair" })).json();
  const page = await open(third, "/#/tunnels");
  const tunnel = row(page, "Tunnels", made.listen);
  await sends(made.listen, 1000);
  await tunnel.getByText(short(second.id)).waitFor();
  await send(first, "PUT", "/registrations/pair", { service: "pair", port: setup.site });
  const services = await open(third, "/#/services?sel=open/pair");
  await row(services, "Providers of pair", short(first.id)).waitFor();
  await row(services, "Providers of pair", short(second.id)).waitFor();
  await control("kill/2");
  await sends(made.listen, 1000);
  await tunnel.getByText(short(first.id)).waitFor();
  await tunnel.getByRole("button", { name: "pair", exact: true }).click();
  await page.locator("tr.detail .log li").filter({ hasText: short(first.id) }).first().waitFor();
  await row(services, "Providers of pair", short(second.id)).waitFor({ state: "detached" });
  await services.context().close();
  await page.context().close();
});

journey("the node is killed: told at once, stale values look stale; it comes back: no reload", async () => {
  await prepare();
  const page = await open(third, "/#/events");
  await page.locator(".log.events li").first().waitFor();
  await page.locator("[data-mode=live]").waitFor();
  await page.evaluate(() => (window.mark = "same document"));
  cutOnPurpose = true;
  await control("kill/3");
  await see(page, "The node does not answer");
  await page.getByText(/offline, retrying/).waitFor();
  await page.locator("main[data-stale]").waitFor();
  await page.getByText("Connection offline, node unreachable").waitFor();
  await audit(page, "offline");
  await control("start/3");
  await page.locator("[data-mode=live]").waitFor();
  cutOnPurpose = false;
  await page.locator("main:not([data-stale])").waitFor();
  await see(page, "the node was started again");
  assert.equal(await page.evaluate(() => window.mark), "same document");
  await page.getByRole("link", { name: "Tunnels" }).click();
  await row(page, "Tunnels", address).waitFor();
  await page.context().close();
});

// ---- run ------------------------------------------------------------------------------------------------------------

/** Own code as it goes over the wire, and when the first thing is seen. */
async function figures() {
  const page = await open(first, "/");
  await heading(page, "Overview");
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  let own = 0;
  const index = await (await fetch(first.http + "/")).text();
  const base = index.match(/\/ui\/[0-9a-f]+/)[0];
  const names = readdirSync(new URL("../../main/resources/webroot/app/", import.meta.url));
  for (const name of names) {
    const answer = await fetch(`${first.http}${base}/app/${name}`);
    assert.equal(answer.status, 200, name);
    own += gzipSync(Buffer.from(await answer.arrayBuffer())).length;
  }
  assert.ok(own < 120_000, `own code is ${own} bytes gzipped`);
  await page.context().close();
  return `first paint after ${Math.round(paint)} ms; own code ${(own / 1000).toFixed(1)} kB gzipped`;
}

/** Does what the page must complain about. */
async function onPurpose(work) {
  cutOnPurpose = true;
  await work();
  cutOnPurpose = false;
}

const tools = { first, third, site: setup.site, open, heading, row, see, audit, send, sends, short, widths: WIDTHS, onPurpose, shots: process.env.MCC_SHOTS };
const chosen = setup.network ? networkJourneys(tools) : journeys;
let failed = 0;
const began = Date.now();
for (const [name, run] of chosen) {
  if (process.env.MCC_JOURNEY && !name.includes(process.env.MCC_JOURNEY)) continue;
  const at = Date.now();
  complaints.length = 0;
  cutOnPurpose = false;
  try {
    await run();
    assert.deepEqual(complaints, [], "the page complained");
    console.log(`ok    ${((Date.now() - at) / 1000).toFixed(1)} s  ${name}`);
  } catch (e) {
    failed++;
    console.log(`FAIL  ${((Date.now() - at) / 1000).toFixed(1)} s  ${name}\n${e.stack}\n${complaints.join("\n")}`);
    for (const context of browser.contexts()) await context.close();
  }
}
if (!setup.long && !setup.network) console.log(await figures());
console.log(`${chosen.length - failed} of ${chosen.length} journeys in ${((Date.now() - began) / 1000).toFixed(0)} s`);
await browser.close();
process.exit(failed ? 1 : 0);
