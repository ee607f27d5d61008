// Keys, Noise, cookies and packets: sections 1 to 3 of docs/protocol.md, with nothing but Node.js's own cryptography.
import crypto from 'node:crypto';
import { Fixed32, message } from './wire.mjs';

export const sha256 = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts)).digest();
export const hmac = (key, ...parts) => crypto.createHmac('sha256', key).update(Buffer.concat(parts)).digest();
export const hkdf = (salt, secret, info, n) => Buffer.from(crypto.hkdfSync('sha256', secret, salt, info, n));
const ascii = (s) => Buffer.from(s, 'ascii');
const EMPTY = Buffer.alloc(0);

// ---- section 1 --------------------------------------------------------------------------------------------------------

const P = (1n << 255n) - 19n;
const mod = (a) => ((a % P) + P) % P;
function power(base, exponent) {
  let out = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) out = mod(out * b);
  return out;
}
const number = (bytes) => BigInt('0x' + Buffer.from(bytes).reverse().toString('hex'));
const bytes32 = (n) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex').reverse();

// The X25519 form of a node ID; null where that is no canonical encoding of a point. That its order is prime is left to the
// Diffie-Hellman results, which are refused when they are zeros.
export function toX25519(id) {
  const y = number(id) & ((1n << 255n) - 1n);
  if (y >= P || y === 1n || y === P - 1n) return null;
  return bytes32(mod((1n + y) * power(1n - y, P - 2n)));
}

const DER = {
  x25519: [Buffer.from('302e020100300506032b656e04220420', 'hex'), Buffer.from('302a300506032b656e032100', 'hex')],
  ed25519: [Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from('302a300506032b6570032100', 'hex')],
};
const privateKey = (kind, raw) =>
  crypto.createPrivateKey({ key: Buffer.concat([DER[kind][0], raw]), format: 'der', type: 'pkcs8' });
const publicKey = (kind, raw) =>
  crypto.createPublicKey({ key: Buffer.concat([DER[kind][1], raw]), format: 'der', type: 'spki' });
const publicOf = (kind, raw) =>
  crypto.createPublicKey(privateKey(kind, raw)).export({ format: 'der', type: 'spki' }).subarray(12);

export const x25519Public = (raw) => publicOf('x25519', raw);

export class Identity {
  constructor(seed) {
    this.seed = seed;
    this.id = publicOf('ed25519', seed);
    this.agreementPrivate = crypto.createHash('sha512').update(seed).digest().subarray(0, 32);
    this.agreementPublic = x25519Public(this.agreementPrivate);
  }

  sign(bytes) { return crypto.sign(null, bytes, privateKey('ed25519', this.seed)); }
}

export function verify(id, bytes, signature) {
  try {
    return crypto.verify(null, bytes, publicKey('ed25519', id), signature);
  } catch {
    return false;
  }
}

export const endpointId = (node, registration) => sha256(ascii('mcc/endpoint/1'), node, registration);

export function serviceKey(network, organisation, name) {
  const parts = [ascii('mcc/svc/1')];
  for (const each of [network, organisation, name]) parts.push(Buffer.from([each.length]), ascii(each));
  return sha256(...parts, Buffer.from([0]));
}

// ---- AEADs ------------------------------------------------------------------------------------------------------------

export const SUITES = {
  1: { name: 'chacha20-poly1305', label: ascii('mcc/chacha20-poly1305') },
  2: { name: 'aes-256-gcm', label: ascii('mcc/aes-256-gcm') },
};

export function seal(suite, key, nonce, ad, plain) {
  const c = crypto.createCipheriv(SUITES[suite].name, key, nonce, { authTagLength: 16 });
  c.setAAD(ad, { plaintextLength: plain.length });
  return Buffer.concat([c.update(plain), c.final(), c.getAuthTag()]);
}

// Null for what is forged.
export function open(suite, key, nonce, ad, box) {
  if (box.length < 16) return null;
  const d = crypto.createDecipheriv(SUITES[suite].name, key, nonce, { authTagLength: 16 });
  d.setAAD(ad, { plaintextLength: box.length - 16 });
  d.setAuthTag(box.subarray(box.length - 16));
  try {
    return Buffer.concat([d.update(box.subarray(0, box.length - 16)), d.final()]);
  } catch {
    return null;
  }
}

// ---- section 3: Noise ---------------------------------------------------------------------------------------------------

const PATTERNS = {
  IK: [['e', 'es', 's', 'ss'], ['e', 'ee', 'se']],
  XX: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']],
};

export class Handshake {
  #message = 0;
  #key = null;
  #n = 0n;

  constructor(pattern, initiator, network, identity, remoteStatic, ephemeral = crypto.randomBytes(32)) {
    this.pattern = PATTERNS[pattern];
    this.initiator = initiator;
    this.s = identity;
    this.e = ephemeral;
    this.rs = remoteStatic;
    this.h = ascii(`Noise_${pattern}_25519_ChaChaPoly_SHA256`);
    this.h = this.h.length <= 32 ? Buffer.concat([this.h, Buffer.alloc(32 - this.h.length)]) : sha256(this.h);
    this.ck = this.h;
    this.#mixHash(ascii('mcc/1/' + network));
    if (pattern === 'IK') this.#mixHash(initiator ? remoteStatic : identity.agreementPublic);
  }

  #mixHash(data) { this.h = sha256(this.h, data); }

  #mixKey(secret) {
    const out = hkdf(this.ck, secret, EMPTY, 64);
    this.ck = out.subarray(0, 32);
    this.#key = out.subarray(32);
    this.#n = 0n;
  }

  #nonce() {
    const out = Buffer.alloc(12);
    out.writeBigUInt64LE(this.#n++, 4);
    return out;
  }

  #encrypt(plain) {
    const out = this.#key === null ? plain : seal(1, this.#key, this.#nonce(), this.h, plain);
    this.#mixHash(out);
    return out;
  }

  #decrypt(box) {
    const out = this.#key === null ? box : open(1, this.#key, this.#nonce(), this.h, box);
    if (out === null) throw new Error('not authentic');
    this.#mixHash(box);
    return out;
  }

  #agree(token) {
    const [mine, theirs] = this.initiator ? [token[0], token[1]] : [token[1], token[0]];
    const shared = crypto.diffieHellman({
      privateKey: privateKey('x25519', mine === 's' ? this.s.agreementPrivate : this.e),
      publicKey: publicKey('x25519', theirs === 's' ? this.rs : this.re),
    });
    if (shared.every((b) => b === 0)) throw new Error('the keys agree on nothing');
    this.#mixKey(shared);
  }

  write(payload) {
    const out = [];
    for (const token of this.pattern[this.#message++]) {
      if (token === 'e') {
        out.push(x25519Public(this.e));
        this.#mixHash(out.at(-1));
      } else if (token === 's') {
        out.push(this.#encrypt(this.s.agreementPublic));
      } else {
        this.#agree(token);
      }
    }
    out.push(this.#encrypt(payload));
    return Buffer.concat(out);
  }

  // Throws for what is not authentic; the handshake is of no use then.
  read(noise) {
    let at = 0;
    for (const token of this.pattern[this.#message++]) {
      if (token === 'e') {
        this.re = noise.subarray(at, (at += 32));
        this.#mixHash(this.re);
      } else if (token === 's') {
        this.rs = this.#decrypt(noise.subarray(at, (at += this.#key === null ? 32 : 48)));
      } else {
        this.#agree(token);
      }
    }
    return this.#decrypt(noise.subarray(at));
  }

  // Initiator to responder, then the reverse.
  split() {
    const out = hkdf(this.ck, EMPTY, EMPTY, 64);
    return [out.subarray(0, 32), out.subarray(32)];
  }
}

// ---- sections 3.2 and 3.3 -----------------------------------------------------------------------------------------------

export const packetKey = (split, suite) => hkdf(EMPTY, split, SUITES[suite].label, 32);

const named = (network) => Buffer.concat([Buffer.from([network.length]), ascii(network)]);
export const mac1Key = (network, responder) => sha256(ascii('mcc/mac1/1'), named(network), responder);
export const mac1KeyXx = (network) => sha256(ascii('mcc/mac1-xx/1'), named(network));

export function mac(key, sender, noise) {
  const index = Buffer.alloc(4);
  index.writeUInt32LE(sender);
  return hmac(key, index, noise).subarray(0, 16);
}

const cookieKey = (key, salt, mac1) => hkdf(ascii('mcc/cookie/1'), key, Buffer.concat([salt, mac1]), 32);

export function cookieFor(secret, ip, port) {
  return hmac(secret, ip, Buffer.from([port >> 8, port & 255])).subarray(0, 16);
}

export const sealCookie = (key, salt, mac1, cookie) => seal(1, cookieKey(key, salt, mac1), Buffer.alloc(12), mac1, cookie);
export const openCookie = (key, salt, mac1, box) => open(1, cookieKey(key, salt, mac1), Buffer.alloc(12), mac1, box);

// ---- section 2.1 --------------------------------------------------------------------------------------------------------

const FRAMES = 0x1a;

export class Session {
  #sent = 0;
  #seen = new Set();

  // Keys as the handshake splits them.
  constructor(split, suite, initiator, localIndex, remoteIndex) {
    const keys = split.map((key) => packetKey(key, suite));
    this.suite = suite;
    this.sealing = keys[initiator ? 0 : 1];
    this.opening = keys[initiator ? 1 : 0];
    this.localIndex = localIndex;
    this.remoteIndex = remoteIndex;
  }

  static #nonce(counter) {
    const out = Buffer.alloc(12);
    out[0] = FRAMES;
    out.writeBigUInt64LE(BigInt(counter), 4);
    return out;
  }

  seal(frames) {
    const counter = this.#sent++;
    const box = seal(this.suite, this.sealing, Session.#nonce(counter), EMPTY, frames);
    const head = message([1, new Fixed32(this.remoteIndex)], [2, new Fixed32(counter)]);
    return Buffer.concat([head, Buffer.from([FRAMES, (box.length & 0x7f) | 0x80, box.length >> 7]), box]);
  }

  // Null for what is forged, or came before.
  open(datagram) {
    const counter = datagram.readUInt32LE(6);
    if (datagram[10] !== FRAMES || this.#seen.has(counter)) return null;
    const frames = open(this.suite, this.opening, Session.#nonce(counter), EMPTY, datagram.subarray(13));
    if (frames !== null) this.#seen.add(counter);
    return frames;
  }

  static receiverOf(datagram) {
    const length = datagram.length >= 29 ? (datagram[11] & 0x7f) | (datagram[12] << 7) : -1;
    const sound = datagram[5] === 0x15 && datagram[11] >= 0x80 && datagram[12] < 0x80 && length === datagram.length - 13;
    return datagram[0] === 0x0d && sound ? datagram.readUInt32LE(1) : null;
  }
}
