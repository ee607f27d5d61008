// A node: handshakes, the DHT's requests, records and tunnels. Sections 3, 4 and 9 to 12 of docs/protocol.md.
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import * as c from './crypto.mjs';
import { Link } from './link.mjs';
import { Fixed32, Fixed64, message, read, readVarint, text, unless0 } from './wire.mjs';

const VERSION = 2;
const V1 = { streams: 10_000, stream: 262_144, all: 1_048_576 };
const RETRY_MS = [300, 600, 1200, 2500];
const TEN_MINUTES_MS = 600_000;
const RPC_BYTES = 1120;
const LEASE_MS = 600_000;
const BEAT_MS = 30_000;

const position = (id) => c.sha256(id);
const key = (id) => id.toString('hex');
const nearer = (target) => (a, b) => {
  for (let i = 0; i < 32; i++) {
    const by = (a.position[i] ^ target[i]) - (b.position[i] ^ target[i]);
    if (by !== 0) return by;
  }
  return 0;
};

export class Node {
  #socket = dgram.createSocket('udp4');
  #slots = new Map(); // by receiver index: what takes the datagram
  #links = new Map();
  #calling = new Map(); // handshakes of ours under way
  #contacts = new Map();
  #records = new Map();
  #ephemerals = new Map();
  #offers = [];

  constructor(network, seed = crypto.randomBytes(32)) {
    this.network = network;
    this.identity = new c.Identity(seed);
    this.limits = { streams: 100, stream: 262_144, all: 1_048_576 };
  }

  async listen() {
    this.#socket.on('message', (datagram, from) => {
      try {
        this.#receive(datagram, from);
      } catch (e) {
        if (process.env.TRACE) console.error(e); // dropped: what others send ends nothing here
      }
    });
    await new Promise((resolve) => this.#socket.bind(0, '127.0.0.1', resolve));
    this.at = this.#socket.address();
  }

  random64() { return crypto.randomBytes(8).readBigUInt64LE(); }

  send(datagram, to) { this.#socket.send(datagram, to.port, to.address); }

  #slot(handler) {
    let index;
    do index = (crypto.randomInt(2 ** 28) << 4) >>> 0;
    while (index === 0 || this.#slots.has(index));
    this.#slots.set(index, handler);
    return index;
  }

  // ---- datagrams ------------------------------------------------------------------------------------------------------

  #receive(datagram, from) {
    if (datagram[0] === 0x0d) {
      this.#slots.get(c.Session.receiverOf(datagram))?.transport?.(datagram, from);
      return;
    }
    const d = read(datagram);
    if (d.has(6)) this.#onInitiation(d.message(6), from, datagram.length);
    if (d.has(9)) this.#onXxInitiation(d.message(9), from, datagram.length);
    for (const [field, index, name] of [[7, 2, 'response'], [8, 1, 'cookie'], [10, 2, 'response'], [11, 1, 'last']]) {
      if (d.has(field)) this.#slots.get(d.message(field).last(index))?.[name]?.(d.message(field), from);
    }
  }

  #endpoint({ address, port }) {
    return message([1, Buffer.from(address.split('.').map(Number))], [2, port]);
  }

  // What a payload tells of its sender's end; in an initiator's the instance is field 4, in a responder's field 3.
  #hello(payload, instance) {
    const told = payload.message(10);
    return {
      instance: payload.big(instance),
      limits: payload.number(9) < 2 ? V1 : { streams: told.number(1), stream: told.number(2), all: told.number(3) },
    };
  }

  // Who a payload is from; throws unless the identity fits the Noise key and is not our own.
  #checked(payload, handshake) {
    const id = payload.bytes(1);
    const fits = id.length === 32 && c.toX25519(id)?.equals(handshake.rs) && !id.equals(this.identity.id);
    if (!fits) throw new Error('the identity is not of that key');
    return id;
  }

  #terms() {
    const { streams, stream, all } = this.limits;
    return [[9, VERSION], [10, message([1, streams], [2, stream], [3, all])]];
  }

  #link(id) {
    if (!this.#links.has(key(id))) this.#links.set(key(id), new Link(this, id));
    return this.#links.get(key(id));
  }

  forget(link) {
    link.begin();
    this.#links.delete(key(link.id));
  }

  #established(link, session, hello, from) {
    link.established(session, hello, from);
    this.#slots.set(session.localIndex, {
      transport: (datagram, at) => {
        const frames = session.open(datagram);
        if (frames !== null) link.receive(frames, at);
      },
      last: () => link.control([[3, this.#endpoint(link.at)]]), // its confirmation was lost
    });
    link.control([[3, this.#endpoint(from)]]);
  }

  // ---- handshakes of ours -----------------------------------------------------------------------------------------------

  #initiation(field, mac1Key, cookie, index, noise, bytes) {
    const mac1 = c.mac(mac1Key, index, noise);
    const mac2 = cookie && c.mac(cookie, index, noise);
    const padding = bytes > noise.length ? Buffer.alloc(bytes - noise.length) : undefined;
    const initiation = message([1, new Fixed32(index)], [2, noise], [3, mac1], [4, mac2], [5, padding]);
    return { mac1, datagram: message([field, initiation]) };
  }

  #says(suites, instance) {
    return message(
      [1, this.identity.id],
      [2, Date.now()],
      [3, Buffer.from(suites)],
      [4, new Fixed64(instance)],
      ...this.#terms(),
    );
  }

  // The link to a node whose key is known: Noise IK.
  async link(contact) {
    const link = this.#link(contact.id);
    if (link.session !== undefined) return link;
    if (!this.#calling.has(key(contact.id))) {
      const done = this.#call(link, contact.addresses).finally(() => this.#calling.delete(key(contact.id)));
      this.#calling.set(key(contact.id), done);
      this.#calling.get(key(contact.id)).since = Date.now();
    }
    await this.#calling.get(key(contact.id));
    return link;
  }

  async #call(link, addresses) {
    const remote = c.toX25519(link.id);
    const mac1Key = c.mac1Key(this.network, remote);
    let cookie;
    for (let i = 0; i < 5 && link.session === undefined; i++) {
      const handshake = new c.Handshake('IK', true, this.network, this.identity, remote);
      await new Promise((again) => {
        let mac1;
        const index = this.#slot({
          response: (m, from) => {
            const payload = read(handshake.read(m.bytes(3)));
            const suites = payload.numbers(2);
            if (!this.#checked(payload, handshake).equals(link.id) || suites.length !== 1) throw new Error('another');
            const session = new c.Session(handshake.split(), suites[0], true, index, m.last(1));
            this.#established(link, session, this.#hello(payload, 3), from);
            again();
          },
          cookie: (m) => {
            cookie ??= c.openCookie(mac1Key, m.bytes(2), mac1, m.bytes(3)) ?? undefined;
            again();
          },
        });
        const noise = handshake.write(this.#says([2, 1], link.instance));
        const sent = this.#initiation(6, mac1Key, cookie, index, noise, 0);
        mac1 = sent.mac1;
        for (const address of addresses) this.send(sent.datagram, address);
        setTimeout(again, RETRY_MS[Math.min(i, 3)]);
      });
    }
    if (link.session === undefined) throw new Error('the peer is not reached');
  }

  // The link to whoever is at an address: Noise XX.
  async dial(to) {
    const mac1Key = c.mac1KeyXx(this.network);
    let cookie;
    for (let i = 0; i < 4; i++) {
      const handshake = new c.Handshake('XX', true, this.network, this.identity);
      const link = await new Promise((again) => {
        let mac1;
        const index = this.#slot({
          response: (m, from) => {
            const payload = read(handshake.read(m.bytes(3)));
            const id = this.#checked(payload, handshake);
            const link = this.#link(id);
            if (link.session !== undefined) return again(link);
            if (link.remoteInstance !== undefined) return again(this.link({ id, addresses: [from] }));
            const suite = payload.numbers(2).find((each) => each in c.SUITES);
            const noise = handshake.write(this.#says([suite], link.instance));
            const session = new c.Session(handshake.split(), suite, true, index, m.last(1));
            const last = message([11, message([1, new Fixed32(m.last(1))], [2, noise])]);
            const timer = setInterval(() => this.send(last, from), RETRY_MS[0]);
            this.#slots.set(index, {
              transport: (datagram, at) => {
                const frames = session.open(datagram);
                if (frames === null) return;
                clearInterval(timer);
                this.#established(link, session, this.#hello(payload, 3), at);
                link.receive(frames, at);
                again(link);
              },
            });
            setTimeout(() => clearInterval(timer), 3000);
            return this.send(last, from);
          },
          cookie: (m) => {
            cookie ??= c.openCookie(mac1Key, m.bytes(2), mac1, m.bytes(3)) ?? undefined;
            again();
          },
        });
        const sent = this.#initiation(9, mac1Key, cookie, index, handshake.write(Buffer.alloc(0)), 200);
        mac1 = sent.mac1;
        this.send(sent.datagram, to);
        setTimeout(again, 3000);
      });
      if (link !== undefined) return link;
    }
    throw new Error('nobody answers at the address');
  }

  // ---- handshakes of others ---------------------------------------------------------------------------------------------

  #answers(suites, instance, from, refused) {
    return message(
      [1, this.identity.id],
      [2, Buffer.from(suites)],
      [3, new Fixed64(instance)],
      [4, this.#endpoint(from)],
      [8, refused ? 1 : undefined],
      ...this.#terms(),
    );
  }

  #onInitiation(m, from, size) {
    const noise = m.bytes(2);
    const index = m.last(1, 0);
    if (!c.mac(c.mac1Key(this.network, this.identity.agreementPublic), index, noise).equals(m.bytes(3))) return;
    const ephemeral = key(noise.subarray(0, 32));
    for (const [old, at] of this.#ephemerals) if (Date.now() - at > 2 * TEN_MINUTES_MS) this.#ephemerals.delete(old);
    if (this.#ephemerals.has(ephemeral)) return;
    const handshake = new c.Handshake('IK', false, this.network, this.identity);
    const payload = read(handshake.read(noise));
    const id = this.#checked(payload, handshake);
    const suite = payload.numbers(3).find((each) => each in c.SUITES);
    const begun = this.#calling.get(key(id))?.since;
    const crossing = begun !== undefined && Date.now() - begun < RETRY_MS[0];
    if (suite === undefined || (crossing && Buffer.compare(this.identity.id, id) < 0)) return;
    this.#ephemerals.set(ephemeral, Date.now());
    const early = payload.bytes(5);
    const timely = Math.abs(Date.now() - payload.number(2)) < TEN_MINUTES_MS;
    const answer = early.length > 0 && timely ? this.answer({ id, at: from }, read(early), [2, 4, 6]) : undefined;
    const told = this.#links.get(key(id))?.instance ?? this.random64();
    let session;
    const mine = this.#slot({
      transport: (datagram, at) => {
        const frames = session.open(datagram);
        if (frames === null) return;
        const had = this.#links.has(key(id));
        const link = this.#link(id);
        if (!had || link.remoteInstance === undefined) link.instance = told;
        if (link.instance !== told) return;
        this.#established(link, session, this.#hello(payload, 4), at);
        link.receive(frames, at);
      },
    });
    const refused = early.length > 0 && answer === undefined;
    const second = handshake.write(this.#answers([suite], told, from, refused));
    session = new c.Session(handshake.split(), suite, false, mine, index);
    const response = message([7, message([1, new Fixed32(mine)], [2, new Fixed32(index)], [3, second])]);
    this.send(response, from);
    if (answer === undefined) return;
    const datagram = session.seal(message([3, answer]));
    if (response.length + datagram.length <= 3 * size) this.send(datagram, from);
  }

  #onXxInitiation(m, from, size) {
    const index = m.last(1, 0);
    if (!c.mac(c.mac1KeyXx(this.network), index, m.bytes(2)).equals(m.bytes(3))) return;
    const handshake = new c.Handshake('XX', false, this.network, this.identity);
    handshake.read(m.bytes(2));
    const told = this.random64();
    const mine = this.#slot({
      last: (final, at) => {
        const payload = read(handshake.read(final.bytes(2)));
        const id = this.#checked(payload, handshake);
        const [suite, another] = payload.numbers(3);
        if (!(suite in c.SUITES) || another !== undefined) return;
        const link = this.#link(id);
        const hello = this.#hello(payload, 4);
        if (link.remoteInstance === hello.instance) return; // it has its state, as we have ours
        link.instance = told;
        this.#established(link, new c.Session(handshake.split(), suite, false, mine, index), hello, at);
      },
    });
    const second = handshake.write(this.#answers([2, 1], told, from));
    const response = message([10, message([1, new Fixed32(mine)], [2, new Fixed32(index)], [3, second])]);
    if (response.length <= 3 * size) this.send(response, from);
  }

  // ---- requests ---------------------------------------------------------------------------------------------------------

  // Answers a request; undefined where there is nothing to say.
  answer(link, rpc, allowed = [2, 4, 6, 8, 10]) {
    const kind = allowed.find((each) => rpc.has(each));
    if (kind === undefined) return undefined;
    const body = rpc.message(kind);
    this.#know({ id: link.id, addresses: [link.at] });
    const said = (field, ...fields) => message([1, rpc.big(1)], [field, message(...fields)]);
    switch (kind) {
      case 2:
        return said(3, [1, Date.now()]);
      case 4:
        return body.bytes(1).length === 32 ? said(5, ...this.#nearest(body.bytes(1), link.id)) : undefined;
      case 6:
        return this.#values(rpc.big(1), body, link.id);
      case 8: {
        const verdict = this.#store(body.message(1));
        return verdict && said(9, [1, verdict], [3, Date.now()]);
      }
      default: {
        const held = this.#records.get(`${key(body.bytes(1))} ${key(link.id)} ${key(body.bytes(2))}`);
        const known = held !== undefined && held.content.big(6) === body.big(3);
        if (known) held.heard = Date.now();
        return said(11, [1, known ? 1 : undefined]);
      }
    }
  }

  #nearest(target, except, most = 16) {
    return [...this.#contacts.values()]
      .filter((each) => !each.id.equals(except))
      .sort(nearer(target))
      .slice(0, most)
      .map((each) => [1, this.#contact(each)]);
  }

  #contact({ id, addresses }) {
    return message([1, id], ...addresses.slice(0, 4).map((each) => [2, this.#endpoint(each)]));
  }

  #values(call, body, asker) {
    const held = [...this.#records.values()].filter((each) => each.content.bytes(3).equals(body.bytes(1)));
    const page = [];
    let at = body.number(2);
    const answer = (contacts) => {
      const next = unless0(at === held.length ? 0 : at);
      const fields = [...page, ...contacts, [3, unless0(held.length)], [4, next]];
      return message([1, call], [7, message(...fields)]);
    };
    while (at < held.length && page.length < 16) {
      const { record, heard } = held[at];
      page.push([1, message([1, record], [2, unless0(Date.now() - heard)])]);
      if (page.length > 1 && answer([]).length > RPC_BYTES - 20) {
        page.pop();
        break;
      }
      at++;
    }
    const contacts = this.#nearest(body.bytes(1), asker).map(([, contact]) => [2, contact]);
    while (answer(contacts).length > RPC_BYTES) contacts.pop();
    return answer(contacts);
  }

  #know(contact) {
    if (!contact.id.equals(this.identity.id)) {
      this.#contacts.set(key(contact.id), { ...contact, position: position(contact.id) });
    }
  }

  // ---- records ----------------------------------------------------------------------------------------------------------

  #signedBytes(content) {
    const length = Buffer.from([this.network.length >> 8, this.network.length & 255]);
    return Buffer.concat([Buffer.from('mcc/record/1'), length, Buffer.from(this.network), content]);
  }

  // The content of a record whose writer signed it; null for any other.
  #opened(record) {
    const bytes = record.bytes(1);
    const content = read(bytes);
    const sound = content.number(1) === 1 && content.bytes(3).length === 32 && bytes.length <= 960;
    return sound && c.verify(content.bytes(4), this.#signedBytes(bytes), record.bytes(2)) ? content : null;
  }

  #store(record) {
    const content = this.#opened(record);
    if (content === null || Math.abs(content.number(7) - Date.now()) > TEN_MINUTES_MS) return 3;
    const name = `${key(content.bytes(3))} ${key(content.bytes(4))} ${key(content.last(5, Buffer.alloc(32)))}`;
    const held = this.#records.get(name);
    if (held?.bytes === key(record.bytes(1))) return 1;
    if (held !== undefined && held.content.big(6) >= content.big(6)) return 2;
    if (held === undefined && this.#records.size >= 1000) return 4;
    clearTimeout(held?.timer);
    this.#records.delete(name);
    const leaseMs = content.number(8);
    if (leaseMs === 0) return 1;
    const timer = setTimeout(() => this.#records.delete(name), leaseMs).unref();
    const encoded = message([1, record.bytes(1)], [2, record.bytes(2)]);
    this.#records.set(name, { record: encoded, bytes: key(record.bytes(1)), content, heard: Date.now(), timer });
    return 1;
  }

  // ---- lookups ----------------------------------------------------------------------------------------------------------

  // Asks nearer and nearer nodes; returns those that answered, the nearest first, each with its answer.
  async #lookup(target, field) {
    const asked = new Map();
    for (;;) {
      const next = [...this.#contacts.values()]
        .sort(nearer(target))
        .slice(0, 16)
        .filter((each) => !asked.has(key(each.id)))
        .slice(0, 4);
      if (next.length === 0) break;
      await Promise.all(
        next.map(async (each) => {
          asked.set(key(each.id), undefined);
          try {
            const link = await this.link(each);
            const answer = (await link.ask(field, message([1, target]))).message(field + 1);
            for (const found of answer.all(field === 4 ? 1 : 2)) this.#heardOf(read(found));
            asked.set(key(each.id), { ...each, link, answer });
          } catch {
            this.#contacts.delete(key(each.id)); // it does not answer
          }
        }),
      );
    }
    return [...asked.values()].filter((each) => each !== undefined).sort(nearer(target));
  }

  #heardOf(contact) {
    const addresses = contact.all(2).map((each) => this.#address(read(each)));
    const id = contact.bytes(1);
    if (id.length === 32 && !this.#contacts.has(key(id))) this.#know({ id, addresses });
  }

  #address(endpoint) {
    return { address: [...endpoint.bytes(1)].join('.'), port: endpoint.number(2) };
  }

  async join(bootstrap) {
    const link = await this.dial(bootstrap);
    this.#know({ id: link.id, addresses: [link.at] });
    return (await this.#lookup(position(this.identity.id), 4)).length;
  }

  // The providers of a service, as their records say.
  async resolve(name) {
    const found = new Map();
    const target = c.serviceKey(this.network, 'open', name);
    for (const { answer } of await this.#lookup(target, 6)) {
      for (const held of answer.all(1)) {
        const content = this.#opened(read(held).message(1));
        const provider = content === null ? null : read(content.bytes(11));
        const own = provider !== null && provider.bytes(2).equals(content.bytes(4));
        const endpoint = own && c.endpointId(provider.bytes(2), provider.bytes(1));
        if (!own || !endpoint.equals(content.bytes(5)) || provider.text(10) !== name) continue;
        const addresses = provider.all(3).map((each) => this.#address(read(each)));
        found.set(key(endpoint), { endpoint, id: provider.bytes(2), addresses });
      }
    }
    return [...found.values()];
  }

  // ---- services ---------------------------------------------------------------------------------------------------------

  // Offers a service; what comes in by a tunnel is given to serve(stream).
  async offer(name, serve) {
    const registration = c.sha256(Buffer.from(name));
    const endpoint = c.endpointId(this.identity.id, registration);
    const standing = Buffer.concat([c.sha256(endpoint).subarray(0, 10), Buffer.alloc(22)]);
    const offer = { name, serve, registration, endpoint, seq: 0 };
    offer.keys = [c.serviceKey(this.network, 'open', name), standing];
    this.#offers.push(offer);
    const holders = await this.#publish(offer, LEASE_MS);
    offer.timer = setInterval(() => this.#beat(offer), BEAT_MS / 3);
    return { endpoint, holders };
  }

  async #publish(offer, leaseMs) {
    offer.seq = Math.max(Date.now(), offer.seq + 1);
    let kept = 0;
    offer.holders = [];
    for (const at of offer.keys) {
      const body = message(
        [1, offer.registration],
        [2, this.identity.id],
        [3, this.#endpoint(this.at)],
        [4, 1],
        [5, 100],
        [9, text('open')],
        [10, text(offer.name)],
      );
      const content = message(
        [1, 1],
        [3, at],
        [4, this.identity.id],
        [5, offer.endpoint],
        [6, offer.seq],
        [7, Date.now()],
        [8, unless0(leaseMs)],
        [9, BEAT_MS],
        [11, body],
      );
      const record = message([1, content], [2, this.identity.sign(this.#signedBytes(content))]);
      const nearest = await this.#lookup(at, 4);
      for (const { link } of nearest.slice(0, 16)) {
        const verdict = (await link.ask(8, message([1, record]))).message(9).number(1);
        if (verdict === 1) kept++;
      }
      offer.holders.push(...nearest.slice(0, 4).map(({ link }) => ({ link, at })));
    }
    return kept;
  }

  async #beat(offer) {
    for (const { link, at } of offer.holders) {
      const beat = message([1, at], [2, offer.endpoint], [3, offer.seq]);
      await link.ask(10, beat).catch(() => {});
    }
  }

  // Withdraws what was offered, and takes leave.
  async close() {
    for (const offer of this.#offers) {
      clearInterval(offer.timer);
      await this.#publish(offer, 0);
    }
    for (const link of this.#links.values()) if (link.session !== undefined) link.control([[5, 0]]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    this.#socket.close();
  }

  // ---- tunnels ----------------------------------------------------------------------------------------------------------

  // Hands over the first message and what came behind it.
  static #first(stream, then) {
    let all = Buffer.alloc(0);
    stream.onData = (data) => {
      all = Buffer.concat([all, data]);
      if (all[all.length > 1 ? 1 : 0] >= 0x80 && all.length < 2) return;
      const [length, at] = readVarint(all, 0);
      if (all.length < at + Number(length)) return;
      stream.onData = () => {};
      then(read(all.subarray(at, at + Number(length))), all.subarray(at + Number(length)));
    };
  }

  static #envelope(body) {
    return Buffer.concat([Buffer.from(body.length < 128 ? [body.length] : [body.length | 0x80, body.length >> 7]), body]);
  }

  onStream(stream) {
    Node.#first(stream, (open, rest) => {
      const offer = this.#offers.find((each) => each.endpoint.equals(open.bytes(1)));
      if (offer === undefined || open.number(2) || open.number(3)) {
        stream.write(Node.#envelope(message([1, 2], [2, text('no such endpoint')])));
        stream.end();
        return;
      }
      stream.write(Node.#envelope(message([1, 1])));
      offer.serve(stream);
      if (rest.length > 0) stream.onData(rest);
    });
  }

  async tunnel(provider) {
    const link = await this.link(provider);
    const stream = link.open();
    return new Promise((resolve, reject) => {
      stream.onBroken = (why) => reject(new Error(why));
      Node.#first(stream, (opened, rest) => {
        if (opened.number(1) === 1) resolve({ stream, rest });
        else reject(new Error(`refused with ${opened.number(1)}: ${opened.text(2)}`));
      });
      stream.write(Node.#envelope(message([1, provider.endpoint])));
    });
  }
}
