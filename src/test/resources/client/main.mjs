// A second implementation at work, written from docs/protocol.md alone: joins, uses one service, offers another that echoes.
//
//   node main.mjs ADDRESS:PORT NETWORK SERVICE_TO_USE SERVICE_TO_OFFER
//
// Says a line of JSON at each step, serves until its input ends, then withdraws what it offered.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { Node } from './node.mjs';

const [, , bootstrap, network, used, offered] = process.argv;
const [address, port] = bootstrap.split(':');
const say = (what) => console.log(JSON.stringify(what));

const node = new Node(network);
await node.listen();
const answered = await node.join({ address, port: Number(port) });
say({ step: 'joined', node: node.identity.id.toString('hex'), udp: `127.0.0.1:${node.at.port}`, answered });

// Records take a moment to be everywhere.
let providers = [];
for (let i = 0; i < 20 && providers.length === 0; i++) {
  if (i > 0) await new Promise((resolve) => setTimeout(resolve, 250));
  providers = await node.resolve(used);
}
assert.equal(providers.length, 1, 'one node offers the service');
const { stream, rest } = await node.tunnel(providers[0]);
const sent = crypto.randomBytes(400_000);
const echoed = await new Promise((resolve, reject) => {
  const parts = [rest];
  stream.onData = (data) => parts.push(data);
  stream.onEnd = () => resolve(Buffer.concat(parts));
  stream.onBroken = (why) => reject(new Error(why));
  stream.write(sent);
  stream.end();
});
assert.ok(echoed.equals(sent), 'what came back is what was sent');
say({ step: 'used', bytes: echoed.length });

const { endpoint, holders } = await node.offer(offered, (served) => {
  served.onData = (data) => served.write(data);
  served.onEnd = () => served.end();
});
say({ step: 'offered', endpoint: endpoint.toString('hex'), holders });

process.stdin.resume();
await new Promise((resolve) => process.stdin.once('end', resolve));
await node.close();
say({ step: 'withdrawn' });
process.exit(0);
