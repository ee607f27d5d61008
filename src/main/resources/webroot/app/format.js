// Numbers, times and names as people read them; every number keeps its unit.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** @param {number | null | undefined} n */
export function bytes(n) {
  if (n == null) return "–";
  let unit = 0;
  while (n >= 999.5 && unit < UNITS.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit === 0 || n >= 9.95 ? Math.round(n) : n.toFixed(1)} ${UNITS[unit]}`;
}

/** @param {number | null | undefined} n */
export const rate = (n) => (n == null ? "–" : `${bytes(n)}/s`);

/** @param {number | null | undefined} n */
export function ms(n) {
  if (n == null) return "not measured";
  if (n > 0 && n < 0.1) return "< 0.1 ms";
  return n < 10 ? `${Number(n.toFixed(1))} ms` : `${Math.round(n)} ms`;
}

/** A span of time in its one or two greatest units. */
export function span(millis) {
  if (millis == null) return "–";
  const s = Math.max(0, Math.floor(millis / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** @param {number} n @param {string} one @param {string} [many] */
export const count = (n, one, many = one + "s") => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** A moment as hours, minutes and seconds of this machine's clock. */
export const clock = (t) => new Date(t).toLocaleTimeString("en-GB");

export const short = (id) => (id ? id.slice(0, 8) : "–");

export const percent = (ppm) => (ppm == null ? "–" : `${(ppm / 10_000).toFixed(ppm > 0 && ppm < 10_000 ? 2 : 1)} %`);

/** The ports of a registration or provider, as "53/udp+tcp, 50000-50100/tcp"; the protocol where no port is told. */
export function ports(of) {
  const protocols = new Map();
  for (const { port, endPort, protocol } of of.ports ?? []) {
    const numbers = endPort ? `${port}-${endPort}` : `${port}`;
    protocols.set(numbers, [...(protocols.get(numbers) ?? []), protocol]);
  }
  return [...protocols].map(([numbers, all]) => `${numbers}/${all.join("+")}`).join(", ") || of.protocol?.toUpperCase();
}

/** Reads what {@link ports} writes; a port may leave out what it speaks. What is no port is left to the node to refuse. */
export function parsePorts(text, protocol) {
  return text.split(/[\s,]+/).filter(Boolean).flatMap((one) => {
    const [numbers, spoken] = one.split("/");
    const [port, endPort] = numbers.split("-");
    const range = endPort === undefined ? {} : { endPort: Number(endPort) };
    return (spoken === undefined ? [protocol] : spoken.split("+")).map((p) => ({ port: Number(port), ...range, ...(p ? { protocol: p } : {}) }));
  });
}
