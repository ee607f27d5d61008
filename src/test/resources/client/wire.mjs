// Just enough Protobuf: fields as [number, value] are written in their order; a message that was read gives its fields by number.
// A value is a bigint or number (varint), bytes, or one of the wrappers below; undefined is not written.

export class Fixed32 {
  constructor(value) { this.value = value; }
}

export class Fixed64 {
  constructor(value) { this.value = value; }
}

export function varint(value) {
  let v = BigInt(value);
  const out = [];
  while (v > 0x7fn) {
    out.push(Number(v & 0x7fn) | 0x80);
    v >>= 7n;
  }
  out.push(Number(v));
  return Buffer.from(out);
}

export function message(...fields) {
  const out = [];
  for (const [number, value] of fields) {
    if (value === undefined) continue;
    if (value instanceof Fixed32) {
      const b = Buffer.alloc(4);
      b.writeUInt32LE(value.value);
      out.push(varint((number << 3) | 5), b);
    } else if (value instanceof Fixed64) {
      const b = Buffer.alloc(8);
      b.writeBigUInt64LE(value.value);
      out.push(varint((number << 3) | 1), b);
    } else if (typeof value === 'bigint' || typeof value === 'number') {
      out.push(varint(number << 3), varint(value));
    } else {
      out.push(varint((number << 3) | 2), varint(value.length), value);
    }
  }
  return Buffer.concat(out);
}

// A number or text that is written only where it is not nothing.
export const unless0 = (value) => (BigInt(value) === 0n ? undefined : value);
export const text = (value) => (value === '' ? undefined : Buffer.from(value));

class Message {
  #fields = new Map();

  add(number, value) {
    if (!this.#fields.has(number)) this.#fields.set(number, []);
    this.#fields.get(number).push(value);
  }

  all(number) { return this.#fields.get(number) ?? []; }
  has(number) { return this.#fields.has(number); }
  last(number, otherwise) { return this.all(number).at(-1) ?? otherwise; }
  bytes(number) { return this.last(number, Buffer.alloc(0)); }
  number(number) { return Number(this.last(number, 0n)); }
  big(number) { return BigInt(this.last(number, 0n)); }
  text(number) { return this.bytes(number).toString('utf8'); }
  message(number) { return read(this.bytes(number)); }

  // A repeated number: packed, or one by one.
  numbers(number) {
    const out = [];
    for (const value of this.all(number)) {
      if (!Buffer.isBuffer(value)) out.push(Number(value));
      else for (const each of varints(value)) out.push(Number(each));
    }
    return out;
  }
}

export function varints(buf) {
  const out = [];
  for (let at = 0; at < buf.length; ) {
    const [value, next] = readVarint(buf, at);
    out.push(value);
    at = next;
  }
  return out;
}

export function readVarint(buf, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    if (at >= buf.length || shift > 63n) throw new Error('no varint');
    const b = buf[at++];
    value |= BigInt(b & 0x7f) << shift;
    if (b < 0x80) return [BigInt.asUintN(64, value), at];
  }
}

// Throws for what is no message. Groups are not read: nobody writes them.
export function read(buf) {
  const out = new Message();
  for (let at = 0; at < buf.length; ) {
    let tag;
    [tag, at] = readVarint(buf, at);
    const number = Number(tag >> 3n);
    let length;
    switch (Number(tag & 7n)) {
      case 0: {
        let value;
        [value, at] = readVarint(buf, at);
        out.add(number, value);
        continue;
      }
      case 1: length = 8; break;
      case 2: {
        let n;
        [n, at] = readVarint(buf, at);
        length = Number(n);
        break;
      }
      case 5: length = 4; break;
      default: throw new Error('unknown wire type');
    }
    if (number === 0 || at + length > buf.length) throw new Error('no message');
    const value = buf.subarray(at, at + length);
    at += length;
    if ((tag & 7n) === 2n) out.add(number, value);
    else out.add(number, length === 8 ? value.readBigUInt64LE() : value.readUInt32LE());
  }
  return out;
}
