/** A message on its way out of an endpoint: chunk by chunk, interleaved with others (RFC 4975 5.1, 7.1.1). */
import { byteRangeText } from '../message/byte-range.ts';
import { endLine, requestStart } from '../message/compose.ts';

/** What is sent. The bytes are asked for as they are needed, so a message of any size is never held. */
export interface OutgoingMessage {
  readonly contentType: string;
  /** Bytes of the whole message. */
  readonly size: number;
  /** Bytes from a place, at most so many; at least one. */
  readonly read: (at: number, length: number) => Buffer;
  readonly messageId?: string;
  readonly successReport?: boolean;
  readonly failureReport?: 'yes' | 'no' | 'partial';
  /** Bytes in a chunk; by default 2048, above which RFC 4975 7.1.1 wants chunks that can be interrupted. */
  readonly chunkBytes?: number;
  /** Header lines of one's own, each with its CRLF. */
  readonly lines?: string;
}

/** How it ended. */
export interface Delivery {
  readonly messageId: string;
  /** 200 where every chunk had one; else the first error. 0 where no answer was wanted. */
  readonly status: number;
  /** Status of the report; undefined where none was wanted. */
  readonly report?: number;
}

export class Sending {
  readonly messageId: string;
  readonly message: OutgoingMessage;
  readonly #done: (delivery: Delivery) => void;
  #sent = 0;
  /** True once the last chunk has left. */
  complete = false;
  #unanswered = 0;
  #report: number | undefined;
  #finished = false;

  constructor(message: OutgoingMessage, messageId: string, done: (delivery: Delivery) => void) {
    this.message = message;
    this.messageId = messageId;
    this.#done = done;
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** True where an answer to a chunk is to come. */
  get answered(): boolean {
    return (this.message.failureReport ?? 'yes') === 'yes';
  }

  /** The next chunk, in the pieces it is written in. */
  chunk(id: string, toPath: string, fromPath: string): { head: string; body: Buffer; tail: string } {
    const { size, read, chunkBytes = 2048, contentType, successReport, failureReport, lines = '' } = this.message;
    const start = this.#sent;
    const body = start < size ? read(start, Math.min(chunkBytes, size - start)) : Buffer.alloc(0);
    this.#sent += body.length;
    this.complete = this.#sent >= size;
    this.#unanswered++;
    const range = byteRangeText(start + 1, body.length > 2048 ? null : start + body.length, size);
    const wishes =
      (successReport === true ? 'Success-Report: yes\r\n' : '') +
      (failureReport === undefined ? '' : `Failure-Report: ${failureReport}\r\n`);
    return {
      head: `${requestStart(id, 'SEND', toPath, fromPath)}Message-ID: ${this.messageId}\r\nByte-Range: ${range}\r\n${wishes}${lines}Content-Type: ${contentType}\r\n\r\n`,
      body,
      tail: endLine(id, this.complete ? '$' : '+'),
    };
  }

  /** A chunk has its answer. */
  onAnswer(status: number): void {
    this.#unanswered--;
    if (status !== 200) this.#finish(status);
    else this.#check();
  }

  /** A chunk has left of which no answer is wanted. */
  onSent(): void {
    this.#unanswered--;
    this.#check();
  }

  onReport(status: number): void {
    this.#report = status;
    if (status === 200) this.#check();
    else this.#finish(status);
  }

  #check(): void {
    const reported = this.message.successReport !== true || this.#report !== undefined;
    if (this.complete && this.#unanswered === 0 && reported) this.#finish(this.answered ? 200 : 0);
  }

  #finish(status: number): void {
    if (this.#finished) return;
    this.#finished = true;
    const { messageId } = this;
    this.#done(this.#report === undefined ? { messageId, status } : { messageId, status, report: this.#report });
  }

  /** The connection is gone. */
  onLost(): void {
    this.#finish(408);
  }
}
