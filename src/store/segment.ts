/**
 * One of the two files of the journal: a head, and then frames, one for each write of the store.
 *
 * A frame's checksum goes on from that of the frame before it, and the first one's from a head with a random salt, so
 * what an earlier use of the file has left behind the last frame is never taken for one, nor is anything that a message
 * brought along. The head names the checksum with which the segment before it ended: where a power cut took frames from
 * that one, those of this one, which are later, do not count either.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { JournalFile } from './journal-file.ts';

/** A text in a segment, in bytes. */
export interface Place {
  readonly segment: Segment;
  readonly at: number;
  readonly bytes: number;
  /** Two bytes a character. */
  readonly wide: boolean;
}

/** Who a segment belongs to, and after what it comes. */
export interface SegmentHead {
  /** Counts the segments of a store, from 1. */
  readonly generation: number;
  /** The database it belongs to, 16 hexadecimal digits. */
  readonly store: string;
  /** Checksum of the last frame of the generation before it. */
  readonly follows: number;
}

const MAGIC = 'cpmj';
const VERSION = 1;
/** Magic, version, generation, store, follows, salt, and the checksum of all that. */
const HEAD_BYTES = 32;
/** Checksum and length. */
const FRAME_HEAD_BYTES = 8;
/** In a frame's length: its characters have two bytes each. */
const WIDE = 0x80000000;
const LONGEST = 0x3fffffff;
/** No text of a message has one of these, and V8 knows it without looking where the text has one byte a character. */
const NOT_ONE_BYTE = /[^\0-\xff]/;

/** A buffer that is kept from frame to frame. */
const KEPT_BYTES = 1 << 20;

export class Segment {
  readonly file: JournalFile;
  /** Zero where the file is none of this form, or new. */
  head: SegmentHead = { generation: 0, store: '', follows: 0 };
  /** Checksum of the last frame. */
  check = 0;
  /** Where the next frame goes, in bytes. */
  end = 0;
  #buffer = Buffer.allocUnsafeSlow(64 * 1024);

  constructor(file: JournalFile) {
    this.file = file;
  }

  /** Begins anew, with no frame. */
  begin(head: SegmentHead): void {
    const bytes = this.#buffer;
    bytes.write(MAGIC, 0, 'latin1');
    bytes.writeUInt32LE(VERSION, 4);
    bytes.writeUInt32LE(head.generation, 8);
    bytes.write(head.store, 12, 'hex');
    bytes.writeUInt32LE(head.follows, 20);
    randomBytes(4).copy(bytes, 24);
    const check = crc32(bytes.subarray(0, 28));
    bytes.writeUInt32LE(check, 28);
    this.file.write(bytes, HEAD_BYTES, 0);
    this.head = head;
    this.check = check;
    this.end = HEAD_BYTES;
  }

  /** Where the text of the next frame will stand. */
  get next(): number {
    return this.end + FRAME_HEAD_BYTES;
  }

  /** Writes a frame. True where its characters have two bytes each. Throws where it is not written. */
  append(text: string, sync: boolean): boolean {
    const wide = NOT_ONE_BYTE.test(text);
    const length = wide ? 2 * text.length : text.length;
    if (length > LONGEST) throw new Error(`${this.file.path}: ${length} bytes are too many for one write`);
    const bytes = this.#room(FRAME_HEAD_BYTES + length);
    bytes.write(text, FRAME_HEAD_BYTES, wide ? 'utf16le' : 'latin1');
    bytes.writeUInt32LE(wide ? length + WIDE : length, 4);
    const check = crc32(bytes.subarray(4, FRAME_HEAD_BYTES + length), this.check);
    bytes.writeUInt32LE(check, 0);
    try {
      this.file.write(bytes, FRAME_HEAD_BYTES + length, this.end);
      if (sync) this.file.sync();
    } catch (error) {
      this.#takeBack();
      throw error;
    }
    this.check = check;
    this.end += FRAME_HEAD_BYTES + length;
    return wide;
  }

  /** What could not be written as a whole must not be found after a restart, as one that nobody heard of. */
  #takeBack(): void {
    try {
      this.file.cut(this.end);
    } catch {
      // The next frame is written over it.
    }
  }

  #room(length: number): Buffer {
    if (length <= this.#buffer.length) return this.#buffer;
    const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length)));
    if (larger.length <= KEPT_BYTES) this.#buffer = larger;
    return larger;
  }

  textAt({ at, bytes, wide }: Place): string {
    return this.file.read(bytes, at).toString(wide ? 'utf16le' : 'latin1');
  }

  /** Finds out what the file is. Throws where it can't be read. */
  readHead(): void {
    if (this.file.size < HEAD_BYTES) return;
    const bytes = this.file.read(HEAD_BYTES, 0);
    const check = bytes.readUInt32LE(28);
    if (bytes.toString('latin1', 0, 4) !== MAGIC || crc32(bytes.subarray(0, 28)) !== check) return;
    const version = bytes.readUInt32LE(4);
    if (version !== VERSION) throw new Error(`${this.file.path}: a journal of another version (form ${version})`);
    this.head = {
      generation: bytes.readUInt32LE(8),
      store: bytes.toString('hex', 12, 20),
      follows: bytes.readUInt32LE(20),
    };
    this.check = check;
    this.end = HEAD_BYTES;
  }

  /** Every frame that was written as a whole, in order; what follows is put behind the last of them. */
  readFrames(each: (text: string, at: number, wide: boolean) => void): void {
    const { size } = this.file;
    while (this.end + FRAME_HEAD_BYTES <= size) {
      const word = this.file.read(FRAME_HEAD_BYTES, this.end).readUInt32LE(4);
      const length = word & LONGEST;
      const at = this.end + FRAME_HEAD_BYTES;
      if (at + length > size) return;
      const frame = this.file.read(FRAME_HEAD_BYTES + length, this.end);
      const check = crc32(frame.subarray(4), this.check);
      if (check !== frame.readUInt32LE(0)) return;
      const wide = word >= WIDE;
      each(frame.toString(wide ? 'utf16le' : 'latin1', FRAME_HEAD_BYTES), at, wide);
      this.check = check;
      this.end = at + length;
    }
  }
}
