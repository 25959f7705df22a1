/** MSRP text fed to the parser in every way a stream can bring it; each way must give the same. */
import { expect } from '@jest/globals';
import type { MsrpHead } from '../../src/msrp/message/head.ts';
import { MsrpParser, type MsrpSink } from '../../src/msrp/message/parser.ts';

export type ReadHead = Pick<MsrpHead, 'id' | 'method' | 'status' | 'toPath' | 'fromPath' | 'lines' | 'fault'>;

export interface ReadMessage {
  readonly head: ReadHead;
  /** Undefined where the head says that there is none. */
  readonly body: string | undefined;
  /** Absent while it has not ended. */
  readonly flag?: string;
}

export interface ReadStream {
  readonly messages: readonly ReadMessage[];
  readonly broken: string | undefined;
}

/** Collects what a parser tells. */
class Collector implements MsrpSink {
  readonly messages: { head: ReadHead; body: string | undefined; flag?: string }[] = [];
  broken: string | undefined;

  onHead({ id, method, status, toPath, fromPath, lines, fault, hasBody }: MsrpHead): void {
    const head = { id, method, status, toPath, fromPath, lines, fault };
    this.messages.push({ head, body: hasBody ? '' : undefined });
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    const last = this.messages.at(-1)!;
    last.body += bytes.toString('latin1', from, to);
  }

  onEnd(flag: string): void {
    this.messages.at(-1)!.flag = flag;
  }

  onBroken(fault: string): void {
    this.broken = fault;
  }
}

export function readPieces(pieces: Iterable<Buffer>, headBytes = 16_384): ReadStream {
  const collector = new Collector();
  const parser = new MsrpParser(collector, { headBytes });
  for (const piece of pieces) {
    const read = Buffer.from(piece);
    parser.push(read);
    // What it was read into is used again at once.
    read.fill('Z');
  }
  return { messages: collector.messages, broken: collector.broken };
}

/** The text in pieces of this many bytes. */
export function* cut(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Reads the text whole, byte by byte, and in pieces of every small size. */
export function readInAllFeeds(text: string, headBytes?: number): ReadStream {
  const bytes = Buffer.from(text, 'latin1');
  const whole = readPieces([bytes], headBytes);
  for (const size of [1, 2, 3, 5, 7, 11, 16, 23, 31, 64, 100]) {
    expect({ size, ...readPieces(cut(bytes, size), headBytes) }).toEqual({ size, ...whole });
  }
  return whole;
}

/** Lines joined by CRLF, with one at the end. */
export function lines(...text: readonly string[]): string {
  return text.map((line) => `${line}\r\n`).join('');
}
