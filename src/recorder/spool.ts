/**
 * Messages that are too long for memory while they come in, and until the store has them: a file each, in a folder
 * that belongs to this process alone.
 */
import { closeSync, fdatasync, mkdirSync, openSync, readdirSync, readFile, unlink, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file that is being written. */
export interface SpoolFile {
  /** Name in the folder. */
  readonly name: string;
  /** Throws where the disk does not take it. */
  write(bytes: Buffer, position: number): void;
  /** What is written outlives the process; with `sync`, a power cut too. */
  finish(done: (error: Error | null) => void): void;
  /** Nobody wants it. */
  discard(): void;
}

export class Spool {
  readonly #folder: string;
  readonly #sync: boolean;
  #made = false;

  /** `sync`: a file is on the disk, not only with the operating system, before it is finished. */
  constructor(folder: string, sync: boolean) {
    this.#folder = folder;
    this.#sync = sync;
  }

  /** A new file. Throws where it can't be made. */
  create(name: string): SpoolFile {
    if (!this.#made) mkdirSync(this.#folder, { recursive: true });
    this.#made = true;
    const file = openSync(join(this.#folder, name), 'w', 0o600);
    let open = true;
    const close = (): void => {
      if (open) closeSync(file);
      open = false;
    };
    return {
      name,
      write(bytes, position) {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
      },
      finish: (done) => {
        if (!this.#sync) {
          close();
          return done(null);
        }
        fdatasync(file, (error) => {
          close();
          done(error);
        });
      },
      discard: () => {
        close();
        this.remove(name);
      },
    };
  }

  /** The whole file as wire text, one character a byte; undefined where there is none. */
  read(name: string, done: (error: Error | null, text?: string) => void): void {
    readFile(join(this.#folder, name), 'latin1', (error, text) => {
      if (error?.code === 'ENOENT') done(null);
      else done(error, text);
    });
  }

  remove(name: string): void {
    unlink(join(this.#folder, name), () => {});
  }

  /** Removes every file but these: what a process that was killed had begun. */
  keepOnly(names: ReadonlySet<string>): void {
    let found: string[];
    try {
      found = readdirSync(this.#folder);
    } catch {
      return;
    }
    for (const name of found) if (!names.has(name)) this.remove(name);
  }
}
