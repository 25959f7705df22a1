/** Captures written by hand: every form of file, link and packet that is read, out of messages that a test chooses. */
import type { Passage } from '../../src/testing/index.ts';

export interface Frame {
  /** ms since the epoch. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Number of the interface, in pcapng. */
  readonly source?: number;
}

/** 1 January 2026. */
export const BEGUN = 1_767_225_600_000;

// --- files ---------------------------------------------------------------------------------------------------

export interface FileForm {
  readonly little?: boolean;
  readonly link?: number;
}

export function pcap(frames: readonly Frame[], form: FileForm & { readonly nano?: boolean } = {}): Buffer {
  const { little = true, link = 1, nano = false } = form;
  const header = Buffer.alloc(24);
  u32(header, 0, nano ? 0xa1b23c4d : 0xa1b2c3d4, little);
  u16(header, 4, 2, little);
  u16(header, 6, 4, little);
  u32(header, 16, 262_144, little);
  u32(header, 20, link, little);
  const records = frames.map(({ at, bytes }) => {
    const record = Buffer.alloc(16 + bytes.length);
    u32(record, 0, Math.floor(at / 1000), little);
    u32(record, 4, Math.round((at % 1000) * (nano ? 1_000_000 : 1000)), little);
    u32(record, 8, bytes.length, little);
    u32(record, 12, bytes.length, little);
    record.set(bytes, 16);
    return record;
  });
  return Buffer.concat([header, ...records]);
}

export type PacketBlock = 'enhanced' | 'simple' | 'old';

/** `more`: links of further interfaces; `resolution`: if_tsresol, a power of ten. */
export function pcapng(
  frames: readonly Frame[],
  form: FileForm & {
    readonly more?: readonly number[];
    readonly block?: PacketBlock;
    readonly resolution?: number;
  } = {},
): Buffer {
  const { little = true, link = 1, more = [], block = 'enhanced', resolution } = form;
  const section = Buffer.alloc(16, 0xff);
  u32(section, 0, 0x1a2b3c4d, little);
  u16(section, 4, 1, little);
  u16(section, 6, 0, little);
  const descriptions = [link, ...more].map((each) => {
    const description = Buffer.alloc(8 + (resolution === undefined ? 0 : 12));
    u16(description, 0, each, little);
    if (resolution === undefined) return framed(1, description, little);
    u16(description, 8, 9, little);
    u16(description, 10, 1, little);
    description[12] = resolution;
    return framed(1, description, little);
  });
  const packets = frames.map((frame) => packetBlock(frame, block, 10 ** ((resolution ?? 6) - 3), little));
  // A block of a kind nobody knows stands between.
  const blocks = [framed(0x0a0d0d0a, section, little), ...descriptions, framed(0xbad, Buffer.alloc(4), little)];
  return Buffer.concat([...blocks, ...packets]);
}

function packetBlock({ at, bytes, source = 0 }: Frame, kind: PacketBlock, ticksPerMs: number, little: boolean): Buffer {
  const head = Buffer.alloc(kind === 'simple' ? 4 : 20);
  if (kind === 'simple') u32(head, 0, bytes.length, little);
  else {
    const ticks = (BigInt(Math.round(at * 1000)) * BigInt(Math.round(ticksPerMs * 1000))) / 1_000_000n;
    if (kind === 'old') u16(head, 0, source, little);
    else u32(head, 0, source, little);
    u32(head, 4, Number(ticks >> 32n), little);
    u32(head, 8, Number(ticks & 0xffffffffn), little);
    u32(head, 12, bytes.length, little);
    u32(head, 16, bytes.length, little);
  }
  const type = { enhanced: 6, simple: 3, old: 2 }[kind];
  return framed(type, Buffer.concat([head, bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]), little);
}

function framed(type: number, body: Uint8Array, little: boolean): Buffer {
  const block = Buffer.alloc(12 + body.length);
  u32(block, 0, type, little);
  u32(block, 4, block.length, little);
  block.set(body, 8);
  u32(block, block.length - 4, block.length, little);
  return block;
}

function u32(buffer: Buffer, at: number, value: number, little: boolean): void {
  if (little) buffer.writeUInt32LE(value >>> 0, at);
  else buffer.writeUInt32BE(value >>> 0, at);
}

function u16(buffer: Buffer, at: number, value: number, little: boolean): void {
  if (little) buffer.writeUInt16LE(value, at);
  else buffer.writeUInt16BE(value, at);
}

// --- links ---------------------------------------------------------------------------------------------------

const typeOf = (ip: Uint8Array): Buffer => Buffer.from((ip[0] ?? 0) >> 4 === 6 ? [0x86, 0xdd] : [0x08, 0x00]);

/** An IP packet as each link carries it, by name; the number is the file's link type. */
export const LINKS: Readonly<Record<string, { readonly link: number; wrap(ip: Uint8Array): Uint8Array }>> = {
  Ethernet: { link: 1, wrap: (ip) => Buffer.concat([Buffer.alloc(12), typeOf(ip), ip]) },
  'Ethernet with two VLAN tags': {
    link: 1,
    wrap: (ip) => Buffer.concat([Buffer.alloc(12), Buffer.from([0x88, 0xa8, 0, 7, 0x81, 0, 0, 8]), typeOf(ip), ip]),
  },
  'Linux cooked': { link: 113, wrap: (ip) => Buffer.concat([Buffer.alloc(14), typeOf(ip), ip]) },
  'Linux cooked 2': { link: 276, wrap: (ip) => Buffer.concat([typeOf(ip), Buffer.alloc(18), ip]) },
  'BSD loopback': { link: 0, wrap: (ip) => Buffer.concat([Buffer.from([2, 0, 0, 0]), ip]) },
  'OpenBSD loopback': { link: 108, wrap: (ip) => Buffer.concat([Buffer.from([0, 0, 0, 2]), ip]) },
  'raw IP': { link: 101, wrap: (ip) => ip },
};

export const ethernet = (at: number, ip: Uint8Array): Frame => ({ at, bytes: LINKS.Ethernet!.wrap(ip) });

// --- packets -------------------------------------------------------------------------------------------------

const TCP = 6;
const UDP = 17;

export interface Ends {
  /** `10.0.0.1:5060`, `[2001:db8::1]:5060`. */
  readonly from: string;
  readonly to: string;
}

function split(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/[[\]]/g, ''), port: Number(address.slice(colon + 1)) };
}

/** IP packets with a datagram; several where it is cut into parts of `mtu` bytes of payload (a multiple of 8). */
export function udpPackets({ from, to }: Ends, payload: Uint8Array, mtu = 65_000): Buffer[] {
  const [source, target] = [split(from), split(to)];
  const header = Buffer.alloc(8);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(target.port, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return ipPackets(source.host, target.host, UDP, Buffer.concat([header, payload]), mtu);
}

export interface SegmentOptions {
  readonly sequence: number;
  readonly acknowledges?: number;
  readonly flags?: string;
}

/** `flags`: letters of S, A, F, R. */
export function tcpPacket(
  { from, to }: Ends,
  payload: Uint8Array,
  { sequence, acknowledges, flags = '' }: SegmentOptions,
): Buffer {
  const [source, target] = [split(from), split(to)];
  const header = Buffer.alloc(20);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(target.port, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE((acknowledges ?? 0) >>> 0, 8);
  header[12] = 5 << 4;
  const bits = { F: 1, S: 2, R: 4, A: 16 } as const;
  header[13] = [...flags].reduce(
    (all, flag) => all | bits[flag as keyof typeof bits],
    acknowledges === undefined ? 0 : 16,
  );
  return ipPackets(source.host, target.host, TCP, Buffer.concat([header, payload]))[0]!;
}

let identification = 1;

function ipPackets(from: string, to: string, protocol: number, whole: Buffer, mtu = 65_000): Buffer[] {
  const six = from.includes(':');
  const id = identification++ & 0xffff;
  const packets: Buffer[] = [];
  for (let at = 0; at < whole.length; at += mtu) {
    const part = whole.subarray(at, at + mtu);
    const more = at + mtu < whole.length;
    packets.push(six ? ipv6(from, to, protocol, part, at, more, id) : ipv4(from, to, protocol, part, at, more, id));
  }
  return packets;
}

function ipv4(
  from: string,
  to: string,
  protocol: number,
  part: Buffer,
  offset: number,
  more: boolean,
  id: number,
): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + part.length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE((more ? 0x2000 : 0) | (offset / 8), 6);
  header[8] = 64;
  header[9] = protocol;
  header.set(from.split('.').map(Number), 12);
  header.set(to.split('.').map(Number), 16);
  return Buffer.concat([header, part]);
}

function ipv6(
  from: string,
  to: string,
  protocol: number,
  part: Buffer,
  offset: number,
  more: boolean,
  id: number,
): Buffer {
  const cut = more || offset > 0;
  // A hop-by-hop header in front, so that headers are walked.
  const extension = Buffer.alloc(cut ? 16 : 8);
  extension[0] = cut ? 44 : protocol;
  if (cut) {
    extension[8] = protocol;
    extension.writeUInt16BE(offset | (more ? 1 : 0), 10);
    extension.writeUInt32BE(id, 12);
  }
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(extension.length + part.length, 4);
  header[6] = 0;
  header[7] = 64;
  header.set(ipv6Bytes(from), 8);
  header.set(ipv6Bytes(to), 24);
  return Buffer.concat([header, extension, part]);
}

function ipv6Bytes(text: string): number[] {
  const [left = '', right] = text.split('::');
  const groups = (half: string): number[] =>
    half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16));
  const [head, tail] = [groups(left), groups(right ?? '')];
  const all = right === undefined ? head : [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

// --- conversations -------------------------------------------------------------------------------------------

/** Everything that was sent in a virtual world, as datagrams over Ethernet. */
export function framesOf(passages: readonly Passage[]): Frame[] {
  return passages.flatMap(({ at, from, to, message }) =>
    udpPackets({ from, to }, Buffer.from(message, 'latin1')).map((ip) => ethernet(at, ip)),
  );
}

/** One connection, as a capture beside it sees it: opened, then segments as they are said. */
export class Connection {
  readonly frames: Frame[] = [];
  readonly #client: string;
  readonly #server: string;
  readonly #next: Record<'client' | 'server', number>;
  #at: number;

  constructor(client: string, server: string, { at = BEGUN, first = 1000, opened = true } = {}) {
    this.#client = client;
    this.#server = server;
    this.#at = at;
    this.#next = { client: first, server: (first + 77_777) >>> 0 };
    if (!opened) return;
    this.#push('client', tcpPacket(this.#ends('client'), Buffer.alloc(0), { sequence: first - 1, flags: 'S' }));
    const answer = { sequence: this.#next.server - 1, acknowledges: first, flags: 'SA' };
    this.#push('server', tcpPacket(this.#ends('server'), Buffer.alloc(0), answer));
  }

  /** Bytes of one side, cut into segments of so many bytes; the places of their frames. */
  say(who: 'client' | 'server', text: string | Uint8Array, cut = 1400): number[] {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    const places: number[] = [];
    for (let at = 0; at < bytes.length; at += cut) {
      const part = bytes.subarray(at, at + cut);
      const other = who === 'client' ? 'server' : 'client';
      const options = { sequence: this.#next[who], acknowledges: this.#next[other] };
      places.push(this.#push(who, tcpPacket(this.#ends(who), part, options)));
      this.#next[who] = (this.#next[who] + part.length) >>> 0;
    }
    return places;
  }

  /** An acknowledgement of all that the other side has said. */
  acknowledge(who: 'client' | 'server', afterMs = 300): void {
    this.#at += afterMs;
    const other = who === 'client' ? 'server' : 'client';
    const options = { sequence: this.#next[who], acknowledges: this.#next[other] };
    this.#push(who, tcpPacket(this.#ends(who), Buffer.alloc(0), options));
  }

  #ends(who: 'client' | 'server'): Ends {
    const [from, to] = who === 'client' ? [this.#client, this.#server] : [this.#server, this.#client];
    return { from, to };
  }

  #push(_who: string, ip: Buffer): number {
    this.#at += 1;
    return this.frames.push(ethernet(this.#at, ip)) - 1;
  }
}

/** A request of SIP with a body of this many bytes. */
export function options(number: number, body = '', via = '10.0.0.1:5060'): string {
  const head = [
    'OPTIONS sip:bob@home.example SIP/2.0',
    `Via: SIP/2.0/TCP ${via};branch=z9hG4bK-${number}`,
    'From: <sip:alice@home.example>;tag=1',
    'To: <sip:bob@home.example>',
    `Call-ID: call-${number}`,
    `CSeq: ${number} OPTIONS`,
    `Content-Length: ${body.length}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
