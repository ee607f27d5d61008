// Registers a service through MCC's event-bus bridge, finds it, watches it, and takes it away again. No packages needed.
import net from 'node:net';
import crypto from 'node:crypto';

const url = new URL(process.argv[2] ?? 'http://127.0.0.1:8080');

/** The part of RFC 6455 that a client needs for text. */
function connect(onText) {
  const socket = net.connect(url.port, url.hostname);
  socket.write(`GET /api/v1/bus/websocket HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\n`
    + `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n`
    + `Sec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\n\r\n`);
  let bytes = Buffer.alloc(0), open, text = '';
  const ready = new Promise((resolve) => { open = resolve; });
  const write = (opcode, payload) => {
    const mask = crypto.randomBytes(4), long = payload.length > 125;
    const head = Buffer.from([0x80 | opcode, 0x80 | (long ? 126 : payload.length),
      ...(long ? [payload.length >> 8, payload.length & 255] : []), ...mask]);
    socket.write(Buffer.concat([head, payload.map((b, i) => b ^ mask[i % 4])]));
  };
  const frame = () => {
    if (bytes.length < 2) return false;
    let size = bytes[1] & 127, at = 2;
    if (size === 126) { if (bytes.length < 4) return false; size = bytes.readUInt16BE(2); at = 4; }
    else if (size === 127) { if (bytes.length < 10) return false; size = Number(bytes.readBigUInt64BE(2)); at = 10; }
    if (bytes.length < at + size) return false;
    const opcode = bytes[0] & 15, last = bytes[0] & 128, payload = bytes.subarray(at, at + size);
    bytes = bytes.subarray(at + size);
    if (opcode === 9) write(10, payload);
    if (opcode === 8) socket.end();
    if (opcode <= 1) { text += payload; if (last) { onText(text); text = ''; } }
    return true;
  };
  socket.on('data', (data) => {
    bytes = Buffer.concat([bytes, data]);
    if (open) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!bytes.subarray(0, end).toString().startsWith('HTTP/1.1 101')) throw new Error(String(bytes));
      bytes = bytes.subarray(end + 4);
      open(); open = null;
    }
    while (frame());
  });
  return { ready, send: (message) => write(1, Buffer.from(JSON.stringify(message))), close: () => socket.end() };
}

const waiting = new Map(), heard = [];
const bus = connect((text) => {
  const message = JSON.parse(text), reply = waiting.get(message.address);
  if (reply) { waiting.delete(message.address); reply(message); } else heard.push(message);
});
const ask = (operation, body) => new Promise((resolve, reject) => {
  const replyAddress = crypto.randomUUID();
  waiting.set(replyAddress, (m) => (m.type === 'rec' ? resolve(m.body) : reject(new Error(m.message))));
  bus.send({ type: 'send', address: `mcc.api.${operation}`, body, replyAddress });
});
const event = async (type) => {
  for (;;) {
    const at = heard.findIndex((m) => m.address === `mcc.api.events.${type}`);
    if (at >= 0) return heard.splice(at, 1)[0].body;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
};

await bus.ready;
for (const type of ['joined', 'left', 'changed']) bus.send({ type: 'register', address: `mcc.api.events.service.${type}` });
await ask('watch', { service: 'clock' });
await ask('putRegistration', { id: 'clock', service: 'clock', port: 9000 });
console.log('registered clock');
const { items } = await ask('listProviders', { name: 'clock' });
console.log(`found clock at ${items[0].node}`);
console.log(`joined ${(await event('service.joined')).data.service}`);
await ask('deleteRegistration', { id: 'clock' });
console.log(`left ${(await event('service.left')).data.service}`);
await ask('putRegistration', { id: 'clock', port: 'nine' }).then(
  () => { throw new Error('a bad registration was taken'); },
  (e) => console.log(`refused: ${JSON.parse(e.message).code}`));
bus.close();
