// The standard client of Vert.x's event-bus bridge, over every transport of SockJS that a program has, against a real node.
//
// Arguments: the node's address. Prints a line per transport; started by mcc.plugin.PluginIT.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const EventBus = createRequire(import.meta.url)("@vertx/eventbus-bridge-client.js");
const url = `${process.argv[2]}/api/v1/bus`;

for (const transport of ["websocket", "xhr-streaming", "xhr-polling", "eventsource"]) {
  const bus = new EventBus(url, { transports: transport });
  await new Promise((done, failed) => {
    bus.onopen = done;
    bus.onclose = (e) => failed(new Error(`${transport} was closed: ${e.code} ${e.reason}`));
  });
  bus.onclose = (e) => {
    throw new Error(`${transport} was closed after it was open: ${e.code} ${e.reason}`);
  };
  const ask = (operation, body) =>
    new Promise((done, failed) => bus.send(`mcc.api.${operation}`, body, (e, m) => (e ? failed(e) : done(m.body))));
  const heard = new Promise((done, failed) =>
    bus.registerHandler("mcc.api.events.service.joined", (e, m) => {
      if (e) failed(e);
      else if (m.body.data.service === `open/${transport}`) done(m.body.data.service);
    }),
  );
  const node = await ask("getNode", {});
  await ask("watch", { service: transport });
  await ask("putRegistration", { id: transport, service: transport, port: 9000 });
  const refused = await ask("putRegistration", { id: transport, port: "nine" }).catch((e) => e);
  assert.equal(JSON.parse(refused.message).code, "validation");
  console.log(`${transport}: ${await heard} at ${node.id}`);
  bus.onclose = null;
  bus.close();
}
