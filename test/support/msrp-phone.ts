/** The media side of a phone: an MSRP endpoint on a real socket, and the descriptions that lead to it. */
import { createHash, type Hash } from 'node:crypto';
import { NodeClock } from '../../src/host/node-clock.ts';
import { nodeMsrpIdentifiers } from '../../src/host/node-msrp-identifiers.ts';
import type { Carrier, CarrierUser } from '../../src/msrp/carrier.ts';
import { DEFAULT_MSRP_LIMITS } from '../../src/msrp/limits.ts';
import { msrpUri, parsePath } from '../../src/msrp/message/uri.ts';
import type { OutgoingMessage } from '../../src/msrp/session/sending.ts';
import { type IncomingChunk, MsrpSession } from '../../src/msrp/session/session.ts';
import { MsrpNetwork, type MsrpTls } from '../../src/msrp/transport/network.ts';
import { msrpLines, type Setup } from '../../src/sdp/msrp-lines.ts';
import { type Passed, recorded } from './capture.ts';
import { letPerish } from './perishable.ts';

/** A message as it arrived. */
export interface Arrived {
  readonly id: string;
  readonly contentType: string;
  readonly lines: string;
  readonly size: number;
  readonly sha: string;
  /** Whole text, of messages up to 64 kB. */
  readonly text: string;
  readonly flag: string;
}

interface Arriving {
  readonly hash: Hash;
  /** Where the next part belongs. */
  size: number;
  parts: Buffer[];
  /** Over which of the phone's connections it comes. */
  readonly connection: number;
}

export class MsrpPhone {
  readonly name: string;
  readonly arrived: Arrived[] = [];
  session: MsrpSession | undefined;
  /** What a chunk is answered with. */
  answerTo: (chunk: IncomingChunk) => number = () => 200;
  /** URI of an MSRP relay of the phone's own (RFC 4976), in front of it. */
  via: string | undefined;
  /** Takes the parts of a message in any order, as they come. */
  orderless = false;
  /** What passes over its connection, where that is wanted. */
  passed: Passed[] | undefined;
  /** Chunks that were not the last of their message. */
  continued = 0;
  /** Bytes of bodies that have come. */
  received = 0;
  readonly #identifiers = nodeMsrpIdentifiers();
  readonly #clock: NodeClock;
  readonly #network: MsrpNetwork;
  readonly #sessionId = this.#identifiers.token();
  readonly #secure: boolean;
  readonly #arriving = new Map<string, Arriving>();
  readonly #waiting: (() => void)[] = [];
  #peer = '';
  #connections = 0;

  private constructor(name: string, clock: NodeClock, network: MsrpNetwork, secure: boolean) {
    this.name = name;
    this.#clock = clock;
    this.#network = network;
    this.#secure = secure;
    network.onConnection = (carrier) => this.#sessionOn(carrier);
    letPerish(network);
  }

  static async open(name: string, tls?: MsrpTls): Promise<MsrpPhone> {
    const clock = new NodeClock();
    const network = await MsrpNetwork.listen({
      clock,
      limits: { ...DEFAULT_MSRP_LIMITS, sendBufferBytes: 262_144 },
      address: '127.0.0.1',
      ports: [0, 0],
      ...(tls === undefined ? {} : { tls }),
    });
    return new MsrpPhone(name, clock, network, tls !== undefined);
  }

  get port(): number {
    return (this.#secure ? this.#network.securePorts : this.#network.ports)[0] ?? 0;
  }

  get uri(): string {
    return msrpUri('127.0.0.1', this.port, this.#sessionId, this.#secure);
  }

  /** An offer or answer; `attributes` stand behind the usual ones. */
  sdp(setup: Setup | null, attributes: readonly string[] = []): string {
    return [
      'v=0',
      `o=${this.name} 1 1 IN IP4 127.0.0.1`,
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=message ${this.port} ${this.#secure ? 'TCP/TLS/MSRP' : 'TCP/MSRP'} *`,
      'a=accept-types:message/cpim',
      'a=accept-wrapped-types:*',
      `a=path:${this.via === undefined ? this.uri : `${this.via} ${this.uri}`}`,
      ...(setup === null ? [] : [`a=setup:${setup}`]),
      ...(this.#network.fingerprint === null ? [] : [`a=fingerprint:SHA-256 ${this.#network.fingerprint}`]),
      ...attributes,
      '',
    ].join('\r\n');
  }

  /** The peer is where its description says; connects there where it is ours to. */
  join(peerSdp: string, connect: boolean): void {
    const line = msrpLines(peerSdp)[0];
    this.#peer = this.via === undefined ? (line?.path ?? '') : `${this.via} ${line?.path}`;
    if (connect) this.connect(peerSdp);
  }

  connect(peerSdp: string): void {
    const line = msrpLines(peerSdp)[0];
    const first = parsePath(this.via ?? line?.path ?? '')?.[0];
    const host = line?.cema === true ? line.address : first?.host;
    const port = line?.cema === true ? line.port : first?.port;
    if (host === undefined || port === undefined) throw new Error(`${this.name} is told no path:\n${peerSdp}`);
    const target = { host, port, secure: line?.secure === true, fingerprint: line?.fingerprint };
    this.#network.dial(target, (carrier) => this.#sessionOn(carrier));
  }

  #sessionOn(carrier: Carrier): CarrierUser {
    const { passed } = this;
    if (passed === undefined) return this.#talkOver(carrier);
    return recorded(carrier, passed, (inner) => this.#talkOver(inner));
  }

  #talkOver(carrier: Carrier): CarrierUser {
    const phone = this;
    const connection = ++this.#connections;
    this.session = new MsrpSession(carrier, {
      uri: this.uri,
      get peer() {
        return phone.#peer;
      },
      identifiers: this.#identifiers,
      recipient: {
        onChunk: (chunk) => this.answerTo(chunk),
        onBytes: (chunk, at, bytes) => this.#onBytes(connection, chunk, at, bytes),
        onEnd: (chunk, flag) => this.#onEnd(chunk, flag),
      },
    });
    return this.session;
  }

  #onBytes(connection: number, { messageId }: IncomingChunk, at: number, bytes: Buffer): void {
    const state = this.#arrivingOver(connection, messageId);
    // Over one connection the parts of a message come in their order. Over a later one comes what is left of it.
    const isRest = connection > 1 && state.size === 0;
    if (at !== state.size && !isRest && !this.orderless) {
      throw new Error(`${this.name}: bytes of ${messageId} at ${at}, expected at ${state.size}`);
    }
    state.hash.update(bytes);
    state.size = this.orderless ? state.size + bytes.length : at + bytes.length;
    this.received += bytes.length;
    if (state.size <= 65_536) state.parts.push(Buffer.from(bytes));
    else state.parts = [];
  }

  #arrivingOver(connection: number, messageId: string): Arriving {
    const known = this.#arriving.get(messageId);
    if (known?.connection === connection) return known;
    const state = { hash: createHash('sha256'), size: 0, parts: [], connection };
    this.#arriving.set(messageId, state);
    return state;
  }

  #onEnd({ messageId, contentType, lines }: IncomingChunk, flag: string): void {
    if (flag === '+') {
      this.continued++;
      return;
    }
    const { hash, size, parts } = this.#arriving.get(messageId) ?? { hash: createHash('sha256'), size: 0, parts: [] };
    this.#arriving.delete(messageId);
    const text = Buffer.concat(parts).toString('latin1');
    this.arrived.push({ id: messageId, contentType, lines, size, sha: hash.digest('hex'), text, flag });
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Messages that have come, once there are as many. */
  async messages(count: number, limitMs = 20_000): Promise<readonly Arrived[]> {
    const end = Date.now() + limitMs;
    while (this.arrived.length < count) {
      if (Date.now() > end) throw new Error(`${this.name} has ${this.arrived.length} of ${count} messages`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.arrived;
  }

  /** Sends a text as CPIM content. */
  say(text: string, more: Partial<OutgoingMessage> = {}) {
    return this.live.send({ ...contentOf(Buffer.from(text, 'latin1')), ...more });
  }

  /** Reads nothing any more, so that nothing is answered. */
  pauseAnswers(): void {
    this.live.pause();
  }

  get live(): MsrpSession {
    if (this.session === undefined) throw new Error(`${this.name} is not connected`);
    return this.session;
  }

  async close(): Promise<void> {
    this.session?.close();
    await this.#network.close();
    this.#clock.stop();
  }
}

export function shaOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function contentOf(bytes: Buffer): OutgoingMessage {
  return { contentType: 'message/cpim', size: bytes.length, read: (at, length) => bytes.subarray(at, at + length) };
}

/** Content of any size that is made while it is sent, and its hash. */
export function generated(size: number, seed: number): { readonly content: OutgoingMessage; readonly sha: string } {
  const block = Buffer.alloc(65_536 + 4096);
  // It repeats every 4093 bytes, so that it can be read from any place, and no chunk size fits it.
  for (let at = 0; at < block.length; at++) block[at] = ((at % 4093) * 31 + seed * 17 + ((at % 4093) >> 8)) & 0xff;
  const read = (at: number, length: number): Buffer => {
    const offset = at % 4093;
    return block.subarray(offset, offset + Math.min(length, 65_536 - offset, size - at));
  };
  const hash = createHash('sha256');
  for (let at = 0; at < size; ) {
    const bytes = read(at, 65_536);
    hash.update(bytes);
    at += bytes.length;
  }
  return { content: { contentType: 'message/cpim', size, read }, sha: hash.digest('hex') };
}
