// One peer: packets, acknowledgements, requests and streams. Sections 4 to 7 and 9 of docs/protocol.md.
import { Fixed64, message, read, unless0, varint, varints } from './wire.mjs';

const PIECE = 1000; // of a stream in one packet
const IN_FLIGHT = 10; // packets: the window of section 8, which is a sender's own affair
const AGAIN_MS = 300;
const RUNS = 64;

class Stream {
  constructor(link, id, credit) {
    this.link = link;
    this.id = id;
    this.sent = 0;
    this.credit = credit; // what the peer takes
    this.out = []; // not sent yet
    this.finish = false;
    this.arrived = new Map();
    this.read = 0;
    this.granted = link.node.limits.stream;
    this.size = null;
    this.over = false;
    this.onData = () => {};
    this.onEnd = () => {};
    this.onBroken = () => {};
  }

  write(bytes) {
    this.out.push(bytes);
    this.link.flush();
  }

  end() {
    this.finish = true;
    this.link.flush();
  }

  // The next piece that credit allows; undefined when there is none.
  piece() {
    if (this.told) return undefined;
    const room = Math.min(this.credit - this.sent, this.link.credit - this.link.sent);
    if (this.out.length > 0 && room > 0) {
      let data = this.out.shift();
      const n = Math.min(PIECE, room, data.length);
      if (n < data.length) this.out.unshift(data.subarray(n));
      data = data.subarray(0, n);
      const piece = { stream: this, offset: this.sent, data, fin: this.finish && this.out.length === 0 };
      this.sent += n;
      this.link.sent += n;
      this.told = piece.fin;
      return piece;
    }
    if (!this.finish || this.out.length > 0) return undefined;
    this.told = true;
    return { stream: this, offset: this.sent, data: Buffer.alloc(0), fin: true };
  }

  take(offset, data, fin) {
    if (fin) this.size = offset + data.length;
    if (offset + data.length > this.read) this.arrived.set(offset, data);
    for (let more = true; more; ) {
      more = false;
      for (const [at, bytes] of this.arrived) {
        if (at > this.read) continue;
        this.arrived.delete(at);
        const fresh = bytes.subarray(this.read - at);
        this.read += fresh.length;
        this.link.read += fresh.length;
        if (fresh.length > 0) this.onData(fresh);
        more = true;
      }
    }
    const window = this.link.node.limits.stream;
    if (this.granted - this.read < window / 2) {
      this.granted = this.read + window;
      this.link.push({ field: [5, message([1, this.id], [2, this.granted])] });
    }
    if (this.size === this.read && !this.over) {
      this.over = true;
      this.onEnd();
      this.link.ended(this);
    }
  }
}

export class Link {
  constructor(node, id) {
    this.node = node;
    this.id = id;
    this.instance = node.random64();
    this.lower = Buffer.compare(node.identity.id, id) < 0;
    this.begin();
  }

  // State that belongs to one instance of the peer.
  begin() {
    clearTimeout(this.timer);
    for (const stream of this.streams?.values() ?? []) stream.onBroken('the peer lost its state');
    this.number = 0;
    this.runs = []; // of numbers that arrived, the highest first: [from, to]
    this.flights = new Map();
    this.waiting = []; // pieces and fields that want an acknowledgement
    this.messages = [];
    this.calls ??= new Map();
    this.streams = new Map();
    this.opened = 0;
    this.sent = 0;
    this.read = 0;
    this.granted = this.node.limits.all;
    this.remoteStreams = 0;
    this.ackDue = false;
  }

  // A handshake is done: these keys, these words of the peer, from there.
  established(session, hello, from) {
    if (this.remoteInstance !== undefined && this.remoteInstance !== hello.instance) this.begin();
    if (this.remoteInstance !== hello.instance) {
      this.credit = hello.limits.all;
      this.streamCredit = hello.limits.stream;
      this.mayOpen = hello.limits.streams;
    }
    this.remoteInstance = hello.instance;
    this.previous = this.session;
    this.session = session;
    this.at = from;
    this.flush();
  }

  control(fields) { this.node.send(this.session.seal(message([15, message(...fields)])), this.at); }

  // ---- out ------------------------------------------------------------------------------------------------------------

  push(entry) {
    this.waiting.push(entry);
    this.flush();
  }

  flush() {
    if (this.session === undefined) return;
    for (const stream of this.streams.values()) {
      while (this.flights.size + this.waiting.length < IN_FLIGHT) {
        const piece = stream.piece();
        if (piece === undefined) break;
        this.waiting.push(piece);
      }
    }
    while (this.messages.length > 0 || this.ackDue || (this.waiting.length > 0 && this.flights.size < IN_FLIGHT)) {
      this.packet();
    }
    clearTimeout(this.timer);
    if (this.flights.size > 0) this.timer = setTimeout(() => this.lose([...this.flights.keys()]), AGAIN_MS);
  }

  packet() {
    const number = ++this.number;
    const fields = [[1, number]];
    if (this.ackDue && this.runs.length > 0) fields.push([2, this.ack()]);
    this.ackDue = false;
    const said = this.messages.shift();
    if (said !== undefined) fields.push([3, said]);
    const entry = said === undefined && this.flights.size < IN_FLIGHT ? this.waiting.shift() : undefined;
    if (entry !== undefined) {
      this.flights.set(number, entry);
      fields.push(entry.field ?? Link.#stream(entry));
    }
    this.node.send(this.session.seal(message(...fields)), this.at);
  }

  static #stream({ stream, offset, data, fin }) {
    return [
      4,
      message([1, stream.id], [2, unless0(offset)], [3, fin ? 1 : undefined], [4, data.length > 0 ? data : undefined]),
    ];
  }

  ack() {
    const ranges = [];
    this.runs.slice(0, RUNS).forEach(([from, to], i) => {
      if (i > 0) ranges.push(varint(this.runs[i - 1][0] - to - 1));
      ranges.push(varint(to - from + 1));
    });
    return message([1, this.runs[0][1]], [3, Buffer.concat(ranges)]);
  }

  lose(numbers) {
    for (const number of numbers) {
      this.waiting.unshift(this.flights.get(number));
      this.flights.delete(number);
    }
    this.flush();
  }

  // ---- in -------------------------------------------------------------------------------------------------------------

  receive(frames, from) {
    if (frames[0] === 0x7a) return this.onControl(read(frames).message(15), from);
    const packet = read(frames);
    if (frames[0] === 0x1a) return this.onMessage(packet.all(3)[0]);
    const number = packet.number(1);
    if (number < 1 || packet.all(2).length > 1 || !this.isNew(number)) return undefined;
    for (const ack of packet.all(2)) this.onAck(read(ack));
    for (const body of packet.all(3)) this.onMessage(body);
    for (const f of packet.all(4).map(read)) this.onStream(f.number(1), f.number(2), f.bytes(4), f.number(3) !== 0);
    for (const f of packet.all(5).map(read)) {
      const stream = this.stream(f.number(1));
      if (stream !== undefined) stream.credit = Math.max(stream.credit, f.number(2));
    }
    this.credit = Math.max(this.credit, packet.number(6));
    this.mayOpen = Math.max(this.mayOpen, packet.number(7));
    for (const f of packet.all(8).map(read)) this.onBreak(f.number(1), f.number(2));
    for (const f of packet.all(9).map(read)) this.onBreak(f.number(1), f.number(2));
    this.ackDue ||= [4, 5, 6, 7, 8, 9, 10, 11, 12].some((field) => packet.has(field));
    return this.flush();
  }

  isNew(number) {
    if (this.runs.some(([from, to]) => from <= number && number <= to)) return false;
    this.runs.push([number, number]);
    this.runs.sort((a, b) => b[0] - a[0]);
    for (let i = 1; i < this.runs.length; ) {
      if (this.runs[i][1] + 1 === this.runs[i - 1][0]) {
        this.runs[i - 1][0] = this.runs[i][0];
        this.runs.splice(i, 1);
      } else i++;
    }
    this.runs.length = Math.min(this.runs.length, RUNS);
    return true;
  }

  onAck(ack) {
    let top = ack.number(1);
    varints(ack.bytes(3)).forEach((length, i) => {
      if (i % 2 === 0) for (let n = top; n > top - Number(length); n--) this.flights.delete(n);
      top -= Number(length);
    });
    this.lose([...this.flights.keys()].filter((number) => number + 3 <= ack.number(1)));
  }

  onControl(control, from) {
    if (control.has(1)) this.control([[2, new Fixed64(control.last(1))]]);
    if (control.has(6)) this.control([[7, new Fixed64(control.last(6))]]);
    if (control.has(5)) this.node.forget(this);
    if (control.has(3)) this.node.observed = control.message(3);
    this.at = from; // one path, on loopback
  }

  // ---- requests -------------------------------------------------------------------------------------------------------

  onMessage(bytes) {
    const rpc = read(bytes);
    const answered = this.calls.get(rpc.big(1));
    if (answered !== undefined) {
      this.calls.delete(rpc.big(1));
      answered(rpc);
      return;
    }
    const answer = this.node.answer(this, rpc);
    if (answer === undefined) return;
    this.messages.push(answer);
    this.flush();
  }

  // Asks three times, a second apart: nothing below does it.
  async ask(...body) {
    for (let i = 0; i < 3; i++) {
      const call = this.node.random64();
      const answer = await new Promise((resolve) => {
        this.calls.set(call, resolve);
        this.messages.push(message([1, call], body));
        this.flush();
        setTimeout(() => resolve(undefined), 1000);
      });
      this.calls.delete(call);
      if (answer !== undefined) return answer;
    }
    throw new Error('no answer');
  }

  // ---- streams --------------------------------------------------------------------------------------------------------

  open() {
    if (this.opened >= this.mayOpen) throw new Error('the peer takes no more streams');
    const id = 2 * this.opened++ + (this.lower ? 2 : 1);
    const stream = new Stream(this, id, this.streamCredit);
    this.streams.set(id, stream);
    return stream;
  }

  isOurs(id) { return (id % 2 === 0) === this.lower; }

  stream(id) {
    if (!this.isOurs(id) && Math.ceil(id / 2) > this.remoteStreams) {
      for (let next = this.remoteStreams + 1; next <= Math.ceil(id / 2); next++) {
        const one = 2 * next - (this.lower ? 1 : 0);
        this.streams.set(one, new Stream(this, one, this.streamCredit));
        this.node.onStream(this.streams.get(one));
      }
      this.remoteStreams = Math.ceil(id / 2);
    }
    return this.streams.get(id);
  }

  onStream(id, offset, data, fin) {
    this.stream(id)?.take(offset, data, fin);
    if (this.granted - this.read < this.node.limits.all / 2) {
      this.granted = this.read + this.node.limits.all;
      this.push({ field: [6, this.granted] });
    }
  }

  onBreak(id, code) {
    const stream = this.stream(id);
    if (stream === undefined) return;
    this.streams.delete(id);
    if (!stream.told) this.push({ field: [8, message([1, id], [2, unless0(code)], [3, unless0(stream.sent)])] });
    stream.onBroken(`broken off with ${code}`);
    this.ended(stream);
  }

  // Of the peer's streams another one may be opened for each that is over.
  ended(stream) {
    if (this.isOurs(stream.id)) return;
    this.finished = (this.finished ?? 0) + 1;
    this.push({ field: [7, this.node.limits.streams + this.finished] });
  }
}
