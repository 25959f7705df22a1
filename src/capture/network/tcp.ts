/**
 * TCP (RFC 9293): the two byte streams of each connection out of its segments, whatever their order and however often
 * they were sent. Bytes that the other end has acknowledged and the capture has not are told as a gap.
 */
import { shortAt } from './link.ts';

/** What becomes of the segments of one direction. `from` and `to` are `address:port`. */
export interface StreamSink {
  /** `whole` is false where the stream had begun before the capture. */
  onBegin(stream: TcpStream, whole: boolean): void;
  onBytes(stream: TcpStream, at: number, bytes: Uint8Array): void;
  onGap(stream: TcpStream, at: number, length: number): void;
  onEnd(stream: TcpStream, at: number): void;
}

export interface TcpStream {
  readonly from: string;
  readonly to: string;
  /** Who opened the connection; undefined where that was before the capture. */
  opener: string | undefined;
}

interface Segment {
  readonly at: number;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

interface Direction extends TcpStream {
  /** The sequence number that comes next; undefined before the first segment. */
  next: number | undefined;
  /** Segments behind a hole, in order. */
  waiting: Segment[];
  waitingBytes: number;
}

/** Directions of connections followed at once; the one that has been silent longest is given up for a new one. */
const MAX_DIRECTIONS = 16_384;
/** What waits behind one hole: more than any window that a signalling connection has, and then the hole is a gap. */
const MAX_WAITING_BYTES = 4_194_304;
const MAX_WAITING_SEGMENTS = 4096;
/** The same for all connections together. */
const MAX_WAITING_IN_ALL = 67_108_864;
/** A capture may show an acknowledgement a little before what it acknowledges. */
const REORDERED_MS = 250;

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** Sequence numbers wrap: how far one is behind another. */
const distance = (from: number, to: number): number => (to - from) | 0;

export class Connections {
  readonly #sink: StreamSink;
  readonly #directions = new Map<string, Direction>();
  #waitingInAll = 0;

  constructor(sink: StreamSink) {
    this.#sink = sink;
  }

  /** Takes a segment: what an IP packet of protocol 6 carries. */
  take(at: number, from: string, to: string, segment: Uint8Array): void {
    const header = ((segment[12] ?? 0) >> 4) * 4;
    if (header < 20 || segment.length < header) return;
    const [source, target] = [`${from}:${shortAt(segment, 0)}`, `${to}:${shortAt(segment, 2)}`];
    const flags = segment[13] ?? 0;
    const sequence = longAt(segment, 4);
    if ((flags & SYN) !== 0) this.#open(at, source, target, sequence, (flags & ACK) === 0);
    const direction = this.#directionOf(at, source, target);
    if ((flags & ACK) !== 0) this.#acknowledge(at, target, source, longAt(segment, 8));
    const bytes = segment.subarray(header);
    if (bytes.length > 0 && (flags & SYN) === 0) this.#receive(direction, { at, sequence, bytes });
    if ((flags & (FIN | RST)) !== 0)
      this.#finish(direction, at, (flags & RST) !== 0 ? undefined : sequence + bytes.length);
  }

  /** No more comes: what waits behind a hole is told, the hole as a gap. */
  end(at: number): void {
    for (const direction of this.#directions.values()) {
      this.#skipHoles(direction, at);
      this.#sink.onEnd(direction, at);
    }
    this.#directions.clear();
  }

  #directionOf(at: number, from: string, to: string): Direction {
    const key = `${from} ${to}`;
    const known = this.#directions.get(key);
    if (known !== undefined) {
      // The last in the map is the one that spoke last.
      this.#directions.delete(key);
      this.#directions.set(key, known);
      return known;
    }
    if (this.#directions.size >= MAX_DIRECTIONS) this.#giveUpOne(at);
    const opener = this.#directions.get(`${to} ${from}`)?.opener;
    const direction = { from, to, opener, next: undefined, waiting: [], waitingBytes: 0 };
    this.#directions.set(key, direction);
    return direction;
  }

  #giveUpOne(at: number): void {
    const [key, direction] = this.#directions.entries().next().value as [string, Direction];
    this.#waitingInAll -= direction.waitingBytes;
    this.#directions.delete(key);
    this.#sink.onEnd(direction, at);
  }

  /** A SYN begins the stream anew, unless it is the same one again. */
  #open(at: number, from: string, to: string, sequence: number, opens: boolean): void {
    const key = `${from} ${to}`;
    const before = this.#directions.get(key);
    const next = (sequence + 1) | 0;
    if (before !== undefined && before.next !== undefined) {
      if (distance(next, before.next) >= 0 && distance(next, before.next) < MAX_WAITING_BYTES) return;
      this.#skipHoles(before, at);
      this.#sink.onEnd(before, at);
    }
    this.#directions.delete(key);
    const direction = this.#directionOf(at, from, to);
    direction.opener = opens ? from : to;
    direction.next = next;
    this.#sink.onBegin(direction, true);
  }

  #receive(direction: Direction, segment: Segment): void {
    if (direction.next === undefined) {
      direction.next = segment.sequence;
      this.#sink.onBegin(direction, false);
    }
    const ahead = distance(direction.next, segment.sequence);
    if (ahead <= 0) {
      this.#deliver(direction, segment);
      this.#drain(direction, segment.at);
      return;
    }
    // Out of any window: another connection with the same ports, of which the SYN is missing.
    if (ahead > MAX_WAITING_BYTES) return this.#restart(direction, segment);
    keepInOrder(direction, segment);
    this.#waitingInAll += segment.bytes.length;
    const full = direction.waitingBytes > MAX_WAITING_BYTES || direction.waiting.length > MAX_WAITING_SEGMENTS;
    if (full || this.#waitingInAll > MAX_WAITING_IN_ALL) this.#skipHoles(direction, segment.at);
  }

  #restart(direction: Direction, segment: Segment): void {
    this.#skipHoles(direction, segment.at);
    this.#sink.onGap(direction, segment.at, 0);
    direction.next = segment.sequence;
    this.#deliver(direction, segment);
  }

  /** Bytes of a segment that have not been told yet. */
  #deliver(direction: Direction, { at, sequence, bytes }: Segment): void {
    const known = distance(sequence, direction.next as number);
    if (known >= bytes.length) return;
    direction.next = (sequence + bytes.length) | 0;
    this.#sink.onBytes(direction, at, bytes.subarray(known));
  }

  #drain(direction: Direction, at: number): void {
    for (let first = direction.waiting[0]; first !== undefined; first = direction.waiting[0]) {
      if (distance(direction.next as number, first.sequence) > 0) return;
      direction.waiting.shift();
      direction.waitingBytes -= first.bytes.length;
      this.#waitingInAll -= first.bytes.length;
      this.#deliver(direction, { ...first, at });
    }
  }

  /** Tells what waits, and each hole in front of it as a gap. */
  #skipHoles(direction: Direction, at: number): void {
    for (let first = direction.waiting[0]; first !== undefined; first = direction.waiting[0]) {
      const hole = distance(direction.next as number, first.sequence);
      if (hole > 0) this.#sink.onGap(direction, first.at, hole);
      direction.next = hole > 0 ? first.sequence : direction.next;
      this.#drain(direction, at);
    }
  }

  /** The other end has what the capture has not: it will not come again. */
  #acknowledge(at: number, from: string, to: string, number: number): void {
    const direction = this.#directions.get(`${from} ${to}`);
    if (direction === undefined || direction.next === undefined) return;
    const first = direction.waiting[0];
    if (first === undefined || at - first.at < REORDERED_MS || distance(first.sequence, number) < 0) return;
    this.#skipHoles(direction, at);
  }

  /** `sequence`: of the FIN; undefined for a reset. */
  #finish(direction: Direction, at: number, sequence: number | undefined): void {
    if (direction.next === undefined) return;
    if (sequence !== undefined && distance(direction.next, sequence) > 0) return;
    this.#sink.onEnd(direction, at);
  }
}

/** A copy is kept, since a view would keep all that was read with it. */
function keepInOrder(direction: Direction, received: Segment): void {
  const segment = { ...received, bytes: received.bytes.slice() };
  const { waiting } = direction;
  let at = waiting.length;
  while (at > 0 && distance(segment.sequence, (waiting[at - 1] as Segment).sequence) > 0) at--;
  waiting.splice(at, 0, segment);
  direction.waitingBytes += segment.bytes.length;
}

function longAt(bytes: Uint8Array, at: number): number {
  return (shortAt(bytes, at) << 16) | shortAt(bytes, at + 2);
}
