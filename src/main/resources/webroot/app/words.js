// Events as sentences.

import { short } from "./format.js";

const KINDS = {
  "peer.up": "ok",
  "peer.down": "warn",
  "service.joined": "ok",
  "service.left": "warn",
  "tunnel.connected": "ok",
  "tunnel.failover": "warn",
  "tunnel.refused": "fail",
  "policy.denied": "warn",
  "bootstrap.unreachable": "fail",
  "verticle.failed": "fail",
  "dht.joined": "ok",
};

export function kind(event) {
  if (event.type === "registration.health") return event.data.health === "pass" ? "ok" : "fail";
  return KINDS[event.type] ?? "idle";
}

const WORDS = { ok: "ok", warn: "notice", fail: "failed", idle: "info" };
export const level = (event) => WORDS[kind(event)];

const SENTENCES = {
  "peer.up": (d) => `${short(d.peer)} is connected at ${d.address}`,
  "peer.down": (d) => `${short(d.peer)} is gone: ${d.reason}`,
  "dht.joined": (d) => `joined the network; ${d.neighbours} neighbours known`,
  "dht.table": (d) => `the routing table holds ${d.contacts} contacts`,
  "dht.expired": (d) => `a record expired: ${short(d.key)}`,
  "bootstrap.unreachable": (d) => `bootstrap node ${d.address} cannot be reached: ${d.reason.toLowerCase()}`,
  "registration.health": (d) => `${d.id} (${d.service}) is now ${d.health}: ${d.reason}`,
  "service.joined": (d) => `${d.service}: a provider joined at ${short(d.provider.node)}`,
  "service.left": (d) => `${d.service}: the provider at ${short(d.provider.node)} left`,
  "service.changed": (d) => `${d.service}: the provider at ${short(d.provider.node)} changed, now ${d.provider.health}`,
  "tunnel.opened": (d) => `tunnel ${d.id} to ${d.service} was opened`,
  "tunnel.closed": (d) => `tunnel ${d.id} to ${d.service} was closed`,
  "tunnel.connected": (d) => `tunnel ${d.id}: ${d.service} is reached at ${short(d.provider)}, after ${d.tookMs} ms`,
  "tunnel.failover": (d) =>
    `tunnel ${d.id}: ${d.failed.map((f) => `${short(f.provider)} failed (${f.reason})`).join(", ")}; now ${short(d.provider)}`,
  "policy.denied": (d) => `node ${short(d.peer)} was denied ${d.service} (${d.reason}, ${d.ref})`,
  "tunnel.refused": (d) => `tunnel ${d.id}: a connection to ${d.service} was refused: ${d.reason}`,
  "verticle.failed": (d) => `the part '${d.verticle}' failed`,
  "verticle.restarted": (d) => `the part '${d.verticle}' was started again`,
};

/** One event as a sentence; of an unknown type, its data as they are. */
export function sentence(event) {
  try {
    const say = SENTENCES[event.type];
    if (say) return say(event.data);
  } catch {
    // Data of another shape than expected are shown as they are.
  }
  return JSON.stringify(event.data);
}
