/** One MSRP stream of an IWF's session: its connection, messages on their way in, messages on their way out. */
import type { Carrier, CarrierUser } from '../../../msrp/carrier.ts';
import { failureReportOf } from '../../../msrp/message/head.ts';
import type { MsrpIdentifiers } from '../../../msrp/message/identifiers.ts';
import { DEFAULT_MSRP_PORT, msrpUri } from '../../../msrp/message/uri.ts';
import { peerOf } from '../../../msrp/relay/describing.ts';
import type { Delivery } from '../../../msrp/session/sending.ts';
import { type IncomingChunk, MsrpSession, type Recipient } from '../../../msrp/session/session.ts';
import type { MsrpLine } from '../../../sdp/msrp-lines.ts';
import type { Clock, Timer, TimerOwner } from '../../../time/clock.ts';
import type { MsrpDoor } from './door.ts';
import { type ChatMessage, type Read, readMessage } from './message.ts';

export interface StreamOptions {
  readonly door: MsrpDoor;
  readonly clock: Clock;
  readonly identifiers: MsrpIdentifiers;
  /** Bytes of one message. */
  readonly maxBytes: number;
  /** ms a connection may be missing, at the beginning and later. */
  readonly reconnectMs: number;
  /** What a message is answered with that is here whole; 200 takes it. */
  readonly take: (read: Read) => number;
  /** Something has come or gone. */
  readonly stirred: () => void;
  /** No connection for too long. */
  readonly lost: () => void;
}

interface Arriving {
  parts: Buffer[];
  size: number;
}

/** Messages that arrive at a time; a client interleaves a text with a file or two (RFC 4975 7.1.1). */
const ARRIVING = 4;
/** Messages that wait for the connection to be there. */
const WAITING = 64;
const REDIAL_MS = 500;

export class Stream implements TimerOwner, Recipient {
  readonly uri: string;
  readonly #options: StreamOptions;
  readonly #arriving = new Map<string, Arriving>();
  #waiting: (() => void)[] = [];
  #peer = '';
  /** Undefined where the peer connects. */
  #dial: (() => void) | undefined;
  #session: MsrpSession | undefined;
  #closed = false;
  #limit: Timer | undefined;
  #redial: Timer | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    const { network } = options.door;
    this.uri = msrpUri(network.host, network.ports[0] ?? DEFAULT_MSRP_PORT, options.identifiers.token(), false);
    options.door.expect(this.uri, (carrier) => this.#sessionOn(carrier));
  }

  /** Where the peer is; `active`: we connect (RFC 6135). */
  join(line: MsrpLine, active: boolean): void {
    const peer = peerOf(line);
    this.#peer = peer?.path ?? '';
    this.#limit ??= this.#options.clock.schedule(this.#options.reconnectMs, this, 'lost');
    if (!active || peer === undefined) return;
    this.#dial = () => this.#options.door.network.dial(peer.target, (carrier) => this.#sessionOn(carrier));
    if (!this.connected) this.#dial();
  }

  get connected(): boolean {
    return this.#session?.open === true;
  }

  /** Sends a message; waits for the connection, as long as there is hope for one. */
  async send(contentType: string, bytes: Buffer): Promise<Delivery> {
    if (!this.connected && !(await this.#connection())) return { messageId: '', status: 408 };
    const read = (at: number, length: number): Buffer => bytes.subarray(at, at + length);
    const sent = this.#session?.send({ contentType, size: bytes.length, read });
    this.#options.stirred();
    return (await sent) ?? { messageId: '', status: 408 };
  }

  async #connection(): Promise<boolean> {
    if (this.#closed || this.#waiting.length >= WAITING) return false;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.connected;
  }

  /** RFC 4975 7.1.2, where its sender wants to hear of it. */
  reportFailure(message: ChatMessage, status: number): void {
    if (message.wantsReport) this.#session?.reportFailure(message.msrpId, message.size, status);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#limit?.cancel();
    this.#redial?.cancel();
    this.#options.door.forget(this.uri);
    this.#session?.close();
    this.#arriving.clear();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #sessionOn(carrier: Carrier): CarrierUser {
    const stream = this;
    const session = new MsrpSession(carrier, {
      uri: this.uri,
      get peer() {
        return stream.#peer;
      },
      identifiers: this.#options.identifiers,
      recipient: this,
    });
    session.onGone = () => this.#onGone(session);
    if (this.#closed) carrier.close(false);
    // RFC 4975 5.4: one connection a session; a second one is somebody who has come back.
    this.#session?.close();
    this.#session = session;
    const user: CarrierUser = {
      onOpen: () => {
        session.onOpen();
        this.#onConnected();
      },
      onData: (bytes) => {
        session.onData(bytes);
        if (this.#session === session && session.open) this.#onConnected();
      },
      onDrain: () => session.onDrain(),
      onClosed: (reason) => session.onClosed(reason),
    };
    return user;
  }

  #onConnected(): void {
    this.#limit?.cancel();
    this.#limit = undefined;
    if (this.#waiting.length > 0) this.#wake();
  }

  #onGone(session: MsrpSession): void {
    if (this.#closed || session !== this.#session) return;
    this.#arriving.clear();
    const { clock, reconnectMs } = this.#options;
    this.#limit ??= clock.schedule(reconnectMs, this, 'lost');
    if (this.#dial !== undefined) this.#redial = clock.schedule(REDIAL_MS, this, 'redial');
  }

  onTimer(name: string): void {
    if (this.#closed) return;
    if (name === 'redial') this.#dial?.();
    else this.#options.lost();
  }

  // --- messages of the peer ------------------------------------------------------------------------------------

  onChunk({ messageId, range }: IncomingChunk): number {
    const { maxBytes } = this.#options;
    this.#options.stirred();
    const come = this.#arriving.get(messageId)?.size ?? 0;
    if (Math.max(range.total ?? 0, range.end ?? 0, come) > maxBytes) return this.#drop(messageId, 413);
    if (!this.#arriving.has(messageId) && this.#arriving.size >= ARRIVING) return 413;
    // Over one connection the parts of a message come in their order.
    return range.start - 1 === come ? 200 : this.#drop(messageId, 400);
  }

  #drop(messageId: string, status: number): number {
    this.#arriving.delete(messageId);
    return status;
  }

  onBytes({ messageId }: IncomingChunk, _at: number, bytes: Buffer): void {
    const arriving = this.#arriving.get(messageId) ?? { parts: [], size: 0 };
    this.#arriving.set(messageId, arriving);
    arriving.size += bytes.length;
    // A range may name neither end nor total: what is too much is only counted.
    if (arriving.size <= this.#options.maxBytes) arriving.parts.push(Buffer.from(bytes));
    else arriving.parts.length = 0;
  }

  onWhole({ messageId, contentType, lines }: IncomingChunk): number {
    const { parts, size } = this.#arriving.get(messageId) ?? { parts: [], size: 0 };
    this.#arriving.delete(messageId);
    if (size > this.#options.maxBytes) return 413;
    // Nothing at all is a sign of life (RFC 4975 5.4).
    if (size === 0) return 200;
    const wantsReport = failureReportOf(lines) === 'yes';
    const read = readMessage({ id: messageId, contentType, wantsReport }, Buffer.concat(parts));
    return read === undefined ? 400 : this.#options.take(read);
  }

  onEnd({ messageId }: IncomingChunk, flag: string): void {
    if (flag === '#') this.#arriving.delete(messageId);
  }
}
