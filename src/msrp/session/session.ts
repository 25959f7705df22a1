/**
 * One MSRP session of an endpoint, over one connection (RFC 4975): sends messages in chunks, several at a time, takes
 * those of the peer as they come, answers and reports.
 */
import type { Carrier, CarrierUser } from '../carrier.ts';
import { respondTo } from '../message/answering.ts';
import { type ByteRange, byteRangeText, parseByteRange, WHOLE } from '../message/byte-range.ts';
import { bareEndLine, requestStart } from '../message/compose.ts';
import {
  type ContinuationFlag,
  failureReportOf,
  headerIn,
  type MsrpHead,
  wantsSuccessReport,
} from '../message/head.ts';
import type { MsrpIdentifiers } from '../message/identifiers.ts';
import { MsrpParser, type MsrpSink } from '../message/parser.ts';
import { statusComment } from '../message/status.ts';
import { type Delivery, type OutgoingMessage, Sending } from './sending.ts';

/** A chunk of the peer's. */
export interface IncomingChunk {
  readonly messageId: string;
  readonly contentType: string;
  readonly range: ByteRange;
  /** Header lines but the paths, as they came. */
  readonly lines: string;
}

/** Whoever takes the peer's messages. */
export interface Recipient {
  /** What the chunk's answer is to be; 200 takes it. */
  onChunk?(chunk: IncomingChunk): number;
  /** Bytes of the chunk, at their place in the message, from 0; to be used or copied before the call returns. */
  onBytes(chunk: IncomingChunk, at: number, bytes: Buffer): void;
  /** The message is whole, and what it is answered with; 200 takes it, and `onEnd` follows. */
  onWhole?(chunk: IncomingChunk): number;
  /** `$` ends the message. */
  onEnd(chunk: IncomingChunk, flag: ContinuationFlag): void;
}

export interface SessionOptions {
  /** Our URI. */
  readonly uri: string;
  /** The peer's path: its URI, behind those of relays. */
  readonly peer: string;
  readonly identifiers: MsrpIdentifiers;
  readonly recipient: Recipient;
  /** Chunks that may wait for their answer at a time. */
  readonly window?: number;
  readonly headBytes?: number;
}

const DEFAULT_WINDOW = 16;

export class MsrpSession implements CarrierUser, MsrpSink {
  readonly uri: string;
  readonly #options: SessionOptions;
  readonly #carrier: Carrier;
  readonly #parser: MsrpParser;
  /** Messages that have chunks to send, in turn. */
  #queue: Sending[] = [];
  readonly #unanswered = new Map<string, Sending>();
  readonly #awaitingReport = new Map<string, Sending>();
  #head: MsrpHead | undefined;
  #chunk: IncomingChunk | undefined;
  #status = 200;
  #at = 0;
  #closed = false;
  /** Told of each REPORT, whoever waits for it. */
  onReport: (messageId: string, status: number) => void = () => {};
  /** Told when the connection has gone. */
  onGone: (reason: string) => void = () => {};

  constructor(carrier: Carrier, options: SessionOptions) {
    this.#carrier = carrier;
    this.#options = options;
    this.uri = options.uri;
    this.#parser = new MsrpParser(this, { headBytes: options.headBytes ?? 16_384 });
  }

  get open(): boolean {
    return !this.#closed && this.#carrier.open;
  }

  /** RFC 4975 5.4: says which session the connection is for. */
  hello(): void {
    const id = this.#options.identifiers.token();
    this.#carrier.write(`${this.#start(id, 'SEND')}Message-ID: ${id}\r\n${bareEndLine(id, '$')}`);
    this.#carrier.flush();
  }

  send(message: OutgoingMessage): Promise<Delivery> {
    return new Promise((resolve) => {
      const messageId = message.messageId ?? this.#options.identifiers.token();
      const sending = new Sending(message, messageId, (delivery) => {
        this.#awaitingReport.delete(messageId);
        resolve(delivery);
      });
      if (!this.open) {
        sending.onLost();
        return;
      }
      if (message.successReport === true) this.#awaitingReport.set(messageId, sending);
      this.#queue.push(sending);
      this.#pump();
    });
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#carrier.pause();
  }

  resume(): void {
    this.#carrier.resume();
  }

  close(): void {
    this.#carrier.close(true);
  }

  #start(id: string, method: string): string {
    return requestStart(id, method, this.#options.peer, this.uri);
  }

  /** One chunk of each message in turn, as long as there is room. */
  #pump(): void {
    const { window = DEFAULT_WINDOW } = this.#options;
    while (this.open && this.#unanswered.size < window && !this.#carrier.full) {
      const sending = this.#queue.shift();
      if (sending === undefined) break;
      if (sending.finished) continue;
      const id = this.#options.identifiers.token();
      const { head, body, tail } = sending.chunk(id, this.#options.peer, this.uri);
      this.#carrier.write(head);
      if (body.length > 0) this.#carrier.writeBytes(body);
      this.#carrier.write(tail);
      this.#carrier.flush();
      if (sending.answered) this.#unanswered.set(id, sending);
      else sending.onSent();
      if (!sending.complete) this.#queue.push(sending);
    }
  }

  // --- the connection ------------------------------------------------------------------------------------------

  onOpen(): void {
    this.hello();
    this.#pump();
  }

  onData(bytes: Buffer): void {
    if (this.#closed) return;
    this.#parser.push(bytes);
    this.#pump();
    this.#carrier.flush();
  }

  onDrain(): void {
    this.#pump();
  }

  onClosed(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parser.stop();
    for (const sending of [...this.#queue, ...this.#unanswered.values(), ...this.#awaitingReport.values()])
      sending.onLost();
    this.onGone(reason);
  }

  answer(id: string, between: string): void {
    this.#carrier.write(`MSRP ${id}${between}${id}$\r\n`);
  }

  // --- what comes in -------------------------------------------------------------------------------------------

  onHead(head: MsrpHead): void {
    this.#head = head;
    this.#chunk = undefined;
    this.#status = 200;
    if (head.status !== 0) {
      const sending = this.#unanswered.get(head.id);
      this.#unanswered.delete(head.id);
      sending?.onAnswer(head.status);
    } else if (head.method === 'REPORT') this.#takeReport(head);
    else this.#onRequest(head);
  }

  #onRequest(head: MsrpHead): void {
    const text = headerIn(head.lines, 'byte-range');
    const range = text === undefined ? WHOLE : parseByteRange(text);
    const messageId = headerIn(head.lines, 'message-id');
    if (head.fault !== undefined || range === undefined || messageId === undefined) this.#status = 400;
    else if (head.toPath !== this.uri) this.#status = 481;
    else if (head.method !== 'SEND') this.#status = 501;
    else if (head.hasBody) {
      const contentType = headerIn(head.lines, 'content-type') ?? '';
      const chunk = { messageId, contentType, range, lines: head.lines };
      this.#status = this.#options.recipient.onChunk?.(chunk) ?? 200;
      this.#at = range.start - 1;
      if (this.#status === 200) this.#chunk = chunk;
    }
  }

  #takeReport(head: MsrpHead): void {
    const status = Number(/^000 (\d{3})/.exec(headerIn(head.lines, 'status') ?? '')?.[1] ?? 0);
    const messageId = headerIn(head.lines, 'message-id') ?? '';
    this.#awaitingReport.get(messageId)?.onReport(status);
    this.onReport(messageId, status);
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    if (this.#chunk === undefined) return;
    this.#options.recipient.onBytes(this.#chunk, this.#at, bytes.subarray(from, to));
    this.#at += to - from;
  }

  onEnd(flag: ContinuationFlag): void {
    const head = this.#head as MsrpHead;
    const chunk = this.#chunk;
    if (head.status !== 0 || head.method === 'REPORT') return;
    if (chunk !== undefined && flag === '$') this.#status = this.#options.recipient.onWhole?.(chunk) ?? 200;
    respondTo(head, this.#status, failureReportOf(head.lines), this);
    if (chunk === undefined || this.#status !== 200) return;
    this.#options.recipient.onEnd(chunk, flag);
    if (flag !== '$' || !wantsSuccessReport(head.lines)) return;
    // RFC 4975 7.1.3: the message is here whole. The report takes the way the request came.
    this.#report(head.fromPath, chunk.messageId, this.#at, 200);
  }

  /** RFC 4975 7.1.2: tells that a message of so many bytes, which was taken, got no further. */
  reportFailure(messageId: string, size: number, status: number): void {
    if (!this.open) return;
    this.#report(this.#options.peer, messageId, size, status);
    this.#carrier.flush();
  }

  #report(path: string, messageId: string, size: number, status: number): void {
    const id = this.#options.identifiers.token();
    const said = `Status: 000 ${status} ${statusComment(status)}\r\n`;
    const lines = `Message-ID: ${messageId}\r\nByte-Range: ${byteRangeText(1, size, size)}\r\n${said}`;
    this.#carrier.write(requestStart(id, 'REPORT', path, this.uri) + lines + bareEndLine(id, '$'));
  }

  onBroken(): void {
    this.#carrier.close(true);
  }
}
