/** The files of a journal as a test wants them: a disk that is full, a process that is killed as it writes, a power cut. */
import type { JournalFile } from '../../src/store/journal-file.ts';

/** Thrown where the process is killed: nobody hears of what it did. */
export class Killed extends Error {}

export class StagedFile implements JournalFile {
  readonly path: string;
  bytes = Buffer.alloc(0);
  /** What a power cut leaves. */
  synced = Buffer.alloc(0);
  /** Bytes that can still be written before the disk is full. */
  space = Number.POSITIVE_INFINITY;
  /** Bytes that are still written before the process is killed. */
  life = Number.POSITIVE_INFINITY;
  syncs = 0;
  removed = false;

  constructor(path = 'journal', bytes: Uint8Array = Buffer.alloc(0)) {
    this.path = path;
    this.bytes = Buffer.from(bytes);
    this.synced = Buffer.from(bytes);
  }

  get size(): number {
    return this.bytes.length;
  }

  write(from: Buffer, length: number, at: number): void {
    const taken = Math.min(length, this.space, this.life);
    const grown = Buffer.alloc(Math.max(this.bytes.length, at + taken));
    this.bytes.copy(grown);
    from.copy(grown, at, 0, taken);
    this.bytes = grown;
    if (taken === length) return;
    if (this.life === taken) throw new Killed();
    throw new Error('ENOSPC: no space left on device, write');
  }

  read(length: number, at: number): Buffer {
    if (at + length > this.size) throw new Error(`${this.path}: ends at ${this.size}`);
    return Buffer.from(this.bytes.subarray(at, at + length));
  }

  cut(at: number): void {
    if (this.life === Number.POSITIVE_INFINITY) this.bytes = Buffer.from(this.bytes.subarray(0, at));
  }

  sync(): void {
    this.syncs++;
    this.synced = Buffer.from(this.bytes);
  }

  close(): void {}

  remove(): void {
    this.removed = true;
  }
}
