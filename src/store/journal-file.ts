/** What a segment of the journal is written into: a file, or memory that ends with the process. */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface JournalFile {
  /** For messages. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Writes the first `length` bytes at this place, all of them, or throws. */
  write(bytes: Buffer, length: number, at: number): void;
  /** Reads that many bytes at this place, or throws. */
  read(length: number, at: number): Buffer;
  /** Drops what lies behind this place. */
  cut(at: number): void;
  /** Waits until what was written is on the disk. */
  sync(): void;
  close(): void;
  /** Takes it away, when it is closed. */
  remove(): void;
}

/** Opens the file, and makes it where it is not there. Throws the errors of the system. */
export function nodeFile(path: string): JournalFile {
  // No flag says "make it, keep what is in it, write anywhere": `a+` writes at the end only.
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    descriptor = openSync(path, 'wx+', 0o600);
    syncFolder(path);
  }
  return {
    path,
    get size() {
      return fstatSync(descriptor).size;
    },
    write(bytes, length, at) {
      let written = 0;
      // A disk that is nearly full takes a part first, and says so the next time.
      while (written < length) written += writeSync(descriptor, bytes, written, length - written, at + written);
    },
    read(length, at) {
      const into = Buffer.allocUnsafe(length);
      let got = 0;
      while (got < length) {
        const more = readSync(descriptor, into, got, length - got, at + got);
        if (more === 0) throw new Error(`${path}: ends at ${at + got}`);
        got += more;
      }
      return into;
    },
    cut: (at) => ftruncateSync(descriptor, at),
    sync: () => fdatasyncSync(descriptor),
    close: () => closeSync(descriptor),
    remove: () => unlinkSync(path),
  };
}

/** A file that is there after a power cut as well. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** For a store in memory. */
export function memoryFile(): JournalFile {
  let bytes: Buffer = Buffer.alloc(0);
  let size = 0;
  return {
    path: ':memory:',
    get size() {
      return size;
    },
    write(from, length, at) {
      const end = at + length;
      if (end > bytes.length) {
        const grown = Buffer.alloc(Math.max(end, 2 * bytes.length));
        bytes.copy(grown, 0, 0, size);
        bytes = grown;
      }
      from.copy(bytes, at, 0, length);
      size = Math.max(size, end);
    },
    read(length, at) {
      if (at + length > size) throw new Error(`ends at ${size}`);
      return bytes.subarray(at, at + length);
    },
    cut(at) {
      size = Math.min(size, at);
    },
    sync() {},
    close() {},
    remove() {},
  };
}
