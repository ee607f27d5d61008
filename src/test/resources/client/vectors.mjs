// Checks this client against the handshakes of appendix A: node vectors.mjs HANDSHAKES.json
import assert from 'node:assert/strict';
import fs from 'node:fs';
import * as c from './crypto.mjs';
import { Fixed32, Fixed64, message, read, unless0 } from './wire.mjs';

const all = JSON.parse(fs.readFileSync(process.argv[2]));
const hex = (s) => Buffer.from(s, 'hex');
const limits = message([1, 100], [2, 262144], [3, 1048576]);
const address = (last, port) => message([1, Buffer.from([192, 0, 2, last])], [2, port]);

for (const [name, { inputs, outputs }] of Object.entries(all).filter(([name]) => name !== 'about')) {
  const seen = new Set();
  const is = (output, value) => {
    assert.equal(value.toString('hex'), outputs[output], `${name}: ${output}`);
    seen.add(output);
  };
  const instance = (who) => BigInt(`0x${{ initiator: '0102030405060708', responder: '1112131415161718' }[who]}`);
  const who = {};
  for (const each of ['initiator', 'responder']) {
    who[each] = new c.Identity(hex(inputs[`${each}_seed`]));
    is(`${each}_id`, who[each].id);
    is(`${each}_static_private`, who[each].agreementPrivate);
    is(`${each}_static_public`, who[each].agreementPublic);
    is(`${each}_static_public`, c.toX25519(who[each].id));
    is(`${each}_ephemeral_public`, c.x25519Public(hex(inputs[`${each}_ephemeral_private`])));
  }
  is('prologue', Buffer.from(`mcc/1/${inputs.network}`));
  const ik = inputs.pattern === 'IK';
  const key = ik ? c.mac1Key(inputs.network, who.responder.agreementPublic) : c.mac1KeyXx(inputs.network);
  is('mac1_key', key);
  const side = (each, first) =>
    new c.Handshake(
      inputs.pattern,
      each === 'initiator',
      inputs.network,
      who[each],
      ik && each === 'initiator' ? who.responder.agreementPublic : undefined,
      hex(inputs[first ? 'first_ephemeral_private' : `${each}_ephemeral_private`]),
    );
  const early = inputs.early_target && message([1, inputs.call], [4, message([1, hex(inputs.early_target)])]);
  const says = (suites) =>
    message(
      [1, who.initiator.id],
      [2, inputs.sent_at_ms],
      [3, Buffer.from(suites)],
      [4, new Fixed64(instance('initiator'))],
      [5, early],
      [9, 2],
      [10, limits],
    );
  const answers = (suites) =>
    message(
      [1, who.responder.id],
      [2, Buffer.from(suites)],
      [3, new Fixed64(instance('responder'))],
      [4, address(1, 40001)],
      [9, 2],
      [10, limits],
    );
  const initiation = (index, noise, mac2, padding) =>
    message([
      ik ? 6 : 9,
      message(
        [1, new Fixed32(index)],
        [2, noise],
        [3, c.mac(key, index, noise)],
        [4, mac2],
        [5, padding && Buffer.alloc(padding - noise.length)],
      ),
    ]);
  const step = (n, from, to, payload) => {
    is(`payload_${n}`, payload);
    const noise = from.write(payload);
    is(`noise_${n}`, noise);
    assert.deepEqual(to.read(noise), payload);
    return noise;
  };

  let mac2;
  const index = inputs.initiator_index;
  const i = side('initiator');
  const r = side('responder');
  const first = step(1, i, r, ik ? says(inputs.suites) : Buffer.alloc(0));
  is('mac1', c.mac(key, index, first));
  if (inputs.cookie_secret) {
    const noise = side('initiator', true).write(says(inputs.suites));
    is('first_noise', noise);
    const mac1 = c.mac(key, inputs.first_index, noise);
    is('first_mac1', mac1);
    is('first_initiation', initiation(inputs.first_index, noise));
    const cookie = c.cookieFor(hex(inputs.cookie_secret), Buffer.from([192, 0, 2, 1]), 40001);
    is('cookie', cookie);
    const salt = hex(inputs.cookie_salt);
    const box = c.sealCookie(key, salt, mac1, cookie);
    is('cookie_reply', message([8, message([1, new Fixed32(inputs.first_index)], [2, salt], [3, box])]));
    assert.deepEqual(c.openCookie(key, salt, mac1, box), cookie);
    seen.add('cookie_key'); // that opened it
    mac2 = c.mac(cookie, index, first);
    is('mac2', mac2);
  }
  is('initiation', initiation(index, first, mac2, early ? 420 : ik ? undefined : 200));
  const second = step(2, r, i, answers(ik ? [inputs.chosen] : inputs.suites));
  const ends = [[1, new Fixed32(inputs.responder_index)], [2, new Fixed32(index)]];
  is('response', message([ik ? 7 : 10, message(...ends, [3, second])]));
  if (!ik) {
    const third = step(3, i, r, says([inputs.chosen]));
    is('final', message([11, message([1, new Fixed32(inputs.responder_index)], [2, third])]));
  }
  is('handshake_hash', i.h);
  assert.deepEqual(r.h, i.h);
  const split = i.split();
  assert.deepEqual(r.split(), split);
  ['initiator_to_responder', 'responder_to_initiator'].forEach((way, k) => {
    is(`split_${way}`, split[k]);
    is(`packet_key_${way}`, c.packetKey(split[k], inputs.chosen));
  });
  const a = new c.Session(split, inputs.chosen, true, index, inputs.responder_index);
  const b = new c.Session(split, inputs.chosen, false, inputs.responder_index, index);
  const packet = (label, from, to, frames) => {
    is(`${label}_frames`, frames);
    const datagram = from.seal(frames);
    is(`${label}_datagram`, datagram);
    assert.equal(c.Session.receiverOf(datagram), to.localIndex);
    assert.deepEqual(to.open(datagram), frames);
    assert.equal(to.open(datagram), null);
  };
  const nodes = message([1, inputs.call], [5, Buffer.alloc(0)]);
  if (early) packet('early_answer', b, a, message([3, nodes]));
  packet('observed', a, b, message([15, message([3, address(2, 4100)])]));
  packet('request', a, b, message([1, 1], [3, message([1, inputs.call], [2, Buffer.alloc(0)])]));
  packet('ping', b, a, message([1, 1], [2, message([1, 1], [2, unless0(0)], [3, Buffer.from([1])])], [10, 1]));
  assert.deepEqual([...seen].sort(), Object.keys(outputs).sort(), `${name}: all is checked`);
  assert.equal(read(message([5, 300])).number(5), 300);
  console.log(`ok ${name}`);
}
