/** IPv4 (RFC 791) and IPv6 (RFC 8200): addresses and payload of a packet, put together where it came in fragments. */
import { shortAt } from './link.ts';

export interface Datagram {
  readonly protocol: number;
  readonly from: string;
  readonly to: string;
  readonly payload: Uint8Array;
}

interface Fragment {
  readonly key: string;
  readonly offset: number;
  readonly more: boolean;
}

interface Assembly {
  readonly at: number;
  /** Bytes of the whole; undefined until the last fragment has come. */
  length: number | undefined;
  readonly parts: { readonly offset: number; readonly bytes: Uint8Array }[];
}

/** RFC 791 3.2, RFC 8200 4.5: how long fragments wait for each other. */
const PATIENCE_MS = 60_000;
/** Datagrams that wait at once, and parts of one: 64 kB in the smallest fragments anybody sends. */
const MAX_ASSEMBLIES = 256;
const MAX_PARTS = 128;
const MAX_DATAGRAM_BYTES = 65_535;

export class Internet {
  readonly #waiting = new Map<string, Assembly>();

  /** The datagram that this packet is, or completes. Undefined where it is none, or parts of it are missing. */
  take(at: number, bytes: Uint8Array): Datagram | undefined {
    const version = (bytes[0] ?? 0) >> 4;
    const read = version === 4 ? ipv4(bytes) : version === 6 ? ipv6(bytes) : undefined;
    if (read === undefined) return undefined;
    const { fragment, ...datagram } = read;
    return fragment === undefined ? datagram : this.#assemble(at, datagram, fragment);
  }

  #assemble(at: number, datagram: Datagram, { key, offset, more }: Fragment): Datagram | undefined {
    let assembly = this.#waiting.get(key);
    if (assembly !== undefined && at - assembly.at > PATIENCE_MS) this.#waiting.delete(key);
    if (assembly === undefined || !this.#waiting.has(key)) assembly = this.#begin(key, at);
    const bytes = datagram.payload;
    if (assembly.parts.length >= MAX_PARTS || offset + bytes.length > MAX_DATAGRAM_BYTES) return undefined;
    // A copy, since a view would keep all that was read with it.
    assembly.parts.push({ offset, bytes: bytes.slice() });
    if (!more) assembly.length = offset + bytes.length;
    const payload = wholeOf(assembly);
    if (payload === undefined) return undefined;
    this.#waiting.delete(key);
    return { ...datagram, payload };
  }

  #begin(key: string, at: number): Assembly {
    if (this.#waiting.size >= MAX_ASSEMBLIES) this.#waiting.delete(this.#waiting.keys().next().value as string);
    const assembly: Assembly = { at, length: undefined, parts: [] };
    this.#waiting.set(key, assembly);
    return assembly;
  }
}

/** Undefined while a part is missing. */
function wholeOf({ length, parts }: Assembly): Uint8Array | undefined {
  if (length === undefined) return undefined;
  const whole = new Uint8Array(length);
  let reached = 0;
  for (const { offset, bytes } of [...parts].sort((one, other) => one.offset - other.offset)) {
    if (offset > reached || offset + bytes.length > length) return undefined;
    whole.set(bytes, offset);
    reached = Math.max(reached, offset + bytes.length);
  }
  return reached === length ? whole : undefined;
}

type Read = Datagram & { readonly fragment?: Fragment };

function ipv4(bytes: Uint8Array): Read | undefined {
  const header = ((bytes[0] ?? 0) & 0x0f) * 4;
  if (header < 20 || bytes.length < header) return undefined;
  // A card that cuts packets itself has not filled in the length yet.
  const total = shortAt(bytes, 2) || bytes.length;
  const [from, to] = [bytes.subarray(12, 16).join('.'), bytes.subarray(16, 20).join('.')];
  const protocol = bytes[9] ?? 0;
  const datagram = { protocol, from, to, payload: bytes.subarray(header, Math.max(header, total)) };
  const flags = shortAt(bytes, 6);
  const [more, offset] = [(flags & 0x2000) !== 0, (flags & 0x1fff) * 8];
  if (!more && offset === 0) return datagram;
  return { ...datagram, fragment: { key: `${from} ${to} ${protocol} ${shortAt(bytes, 4)}`, offset, more } };
}

/** Headers that only go in front of another one: hop by hop, routing, destination options; the last two have their own. */
const OPTIONS: readonly number[] = [0, 43, 60];
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const MAX_HEADERS = 8;

function ipv6(bytes: Uint8Array): Read | undefined {
  if (bytes.length < 40) return undefined;
  const [from, to] = [ipv6Text(bytes.subarray(8, 24)), ipv6Text(bytes.subarray(24, 40))];
  const end = shortAt(bytes, 4) === 0 ? bytes.length : 40 + shortAt(bytes, 4);
  let [protocol, at] = [bytes[6] ?? 0, 40];
  let fragment: Fragment | undefined;
  for (let count = 0; count < MAX_HEADERS; count++) {
    const [next, size] = [bytes[at] ?? 0, bytes[at + 1] ?? 0];
    if (OPTIONS.includes(protocol)) at += (size + 1) * 8;
    else if (protocol === AUTHENTICATION) at += (size + 2) * 4;
    else if (protocol === FRAGMENT) {
      const flags = shortAt(bytes, at + 2);
      const key = `${from} ${to} ${shortAt(bytes, at + 4)} ${shortAt(bytes, at + 6)}`;
      // An atomic fragment is the whole datagram (RFC 6946).
      if (flags >> 3 !== 0 || (flags & 1) !== 0) fragment = { key, offset: flags & 0xfff8, more: (flags & 1) !== 0 };
      at += 8;
    } else break;
    protocol = next;
    // In a later fragment, what follows is payload already.
    if (fragment !== undefined && fragment.offset > 0) break;
  }
  const datagram = { protocol, from, to, payload: bytes.subarray(at, Math.max(at, end)) };
  return fragment === undefined ? datagram : { ...datagram, fragment };
}

/** RFC 5952: lower case, no leading zeros, the longest run of zeros as `::`. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, at) => shortAt(bytes, at * 2).toString(16));
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.reduce(
    (best, run) => (run.replace(/^:/, '').length > best.replace(/^:/, '').length ? run : best),
    '',
  );
  return longest === ''
    ? text
    : text
        .replace(longest, ':')
        .replace(/^:(?!:)/, '::')
        .replace(/([^:]):$/, '$1::');
}
