/**
 * Connections to the IMAP server: a bounded number, shared by all users. A connection belongs to one login; it goes on
 * with that login's work while there is some, for a while, and makes room for others then. Connections in parallel are
 * what makes several folders fast, since a connection has one command under way at a time.
 */
import { StoreAway } from '../driver.ts';
import type { ImapConnection } from './connection.ts';

export interface PoolOptions {
  readonly open: (login: string) => Promise<ImapConnection>;
  /** Connections at a time. */
  readonly size: number;
}

interface Job {
  readonly work: (connection: ImapConnection) => Promise<void>;
  readonly fail: (error: Error) => void;
}

/** Jobs one login may have done in a row while others wait. */
const TURN = 16;

export class ImapPool {
  readonly #options: PoolOptions;
  /** Work that waits, by login; the login that has waited longest is first. */
  readonly #waiting = new Map<string, Job[]>();
  /** Connections without work, the one used last at the end. */
  #idle: ImapConnection[] = [];
  #busy = 0;
  readonly #working = new Set<ImapConnection>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Open connections, and those being opened. */
  get connections(): { readonly busy: number; readonly idle: number } {
    return { busy: this.#busy, idle: this.#idle.filter(({ broken }) => !broken).length };
  }

  /** Does the work on a connection of this login. Rejects with what the work throws, or what opening one threw. */
  run<T>(login: string, work: (connection: ImapConnection) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new StoreAway('the store is closed'));
      const jobs = this.#waiting.get(login) ?? [];
      if (jobs.length === 0) this.#waiting.set(login, jobs);
      jobs.push({ work: async (connection) => resolve(await work(connection)), fail: reject });
      this.#start();
    });
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#idle, ...this.#working]) connection.close();
    for (const jobs of this.#waiting.values()) for (const { fail } of jobs) fail(new StoreAway('the store is closed'));
    this.#waiting.clear();
  }

  /** Gives every login that waits a connection, as long as there are any. */
  #start(): void {
    for (const login of [...this.#waiting.keys()]) {
      while (this.#waiting.has(login)) {
        const idle = this.#takeIdle(login);
        if (idle === undefined && this.#busy + this.#idle.length >= this.#options.size) return;
        this.#busy++;
        void this.#serve(login, idle);
      }
    }
  }

  /** An idle connection of this login. Where no more may be opened, another login's makes room. */
  #takeIdle(login: string): ImapConnection | undefined {
    this.#idle = this.#idle.filter(({ broken }) => !broken);
    const at = this.#idle.findLastIndex((connection) => connection.login === login);
    if (at >= 0) return this.#idle.splice(at, 1)[0];
    if (this.#busy + this.#idle.length >= this.#options.size) this.#idle.shift()?.close();
    return undefined;
  }

  /** Works for one login until it has nothing more, its turn is over, or the connection is lost. */
  async #serve(login: string, idle: ImapConnection | undefined): Promise<void> {
    let job = this.#next(login);
    let connection = idle;
    for (let done = 0; job !== undefined; done++) {
      try {
        connection ??= await this.#options.open(login);
        this.#working.add(connection);
        await job.work(connection);
      } catch (error) {
        job.fail(error as Error);
      }
      const over = connection === undefined || connection.broken || this.#closed || done >= TURN;
      job = over ? undefined : this.#next(login);
    }
    this.#busy--;
    if (connection !== undefined) this.#working.delete(connection);
    if (this.#closed) connection?.close();
    else if (connection !== undefined && !connection.broken) this.#idle.push(connection);
    this.#start();
  }

  #next(login: string): Job | undefined {
    const jobs = this.#waiting.get(login);
    const job = jobs?.shift();
    // A login whose turn it was goes behind the others that wait.
    this.#waiting.delete(login);
    if (jobs !== undefined && jobs.length > 0) this.#waiting.set(login, jobs);
    return job;
  }
}
