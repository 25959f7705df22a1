/**
 * Start line and paths of messages, recognised by those of the message before: in a session they are always the same
 * but for the transaction id, and comparing them costs a fraction of reading them.
 */
import { wireOfBytes } from '../../sip/message/bytes.ts';
import { type Beginning, isTransactionId, type MsrpHead } from './head.ts';

const SPACE = 0x20;
const LF = 0x0a;
const MSRP = 'MSRP ';
/** RFC 4975 9: a transaction id has no more letters. */
const LONGEST_ID = 32;

/** A beginning that has been read. */
interface Familiar {
  readonly beginning: Beginning;
  /** Start line behind the id, and the lines of the paths. */
  readonly text: Pattern;
}

export class Recognition {
  /** Of the head that was recognised last: its id, its beginning, and the bytes of both. */
  id = '';
  beginning: Beginning | undefined;
  length = 0;
  #request: Familiar | undefined;
  #response: Familiar | undefined;

  /** True where a head begins at `from` as the last request or response did. `view` is of the same bytes. */
  sees(bytes: Buffer, view: DataView, from: number): boolean {
    const idAt = from + MSRP.length;
    let space = idAt;
    for (const end = Math.min(idAt + LONGEST_ID, bytes.length); space < end && bytes[space] !== SPACE; ) space++;
    const known = isDigit(bytes[space + 1]) ? this.#response : this.#request;
    if (known === undefined || !known.text.isAt(view, space) || !isAt(bytes, from, MSRP)) return false;
    const id = wireOfBytes(bytes, idAt, space);
    if (!isTransactionId(id)) return false;
    this.id = id;
    this.beginning = known.beginning;
    this.length = space + known.text.length - from;
    return true;
  }

  /** Notes what a head began with. */
  learn(bytes: Buffer, from: number, { id, beginning, fault }: MsrpHead): void {
    const { status, toPath, fromPath } = beginning;
    const space = from + MSRP.length + id.length;
    const paths = bytes.indexOf(LF, space) + 1;
    const end = bytes.indexOf(LF, bytes.indexOf(LF, paths) + 1) + 1;
    // In another order or spelling they are read each time.
    if (fault !== undefined || !isAt(bytes, paths, `To-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\n`)) return;
    const familiar = { beginning, text: new Pattern(bytes.subarray(space, end)) };
    if (status === 0) this.#request = familiar;
    else this.#response = familiar;
  }
}

/** Bytes that are looked for at one place, four at a time. */
class Pattern {
  readonly length: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.#view = new DataView(Uint8Array.from(bytes).buffer);
  }

  isAt(view: DataView, from: number): boolean {
    const { length } = this;
    if (from + length > view.byteLength) return false;
    const own = this.#view;
    let at = 0;
    for (; at + 4 <= length; at += 4) if (view.getInt32(from + at, true) !== own.getInt32(at, true)) return false;
    for (; at < length; at++) if (view.getUint8(from + at) !== own.getUint8(at)) return false;
    return true;
  }
}

/** True where these characters stand. */
export function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  if (at + text.length > bytes.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
