/** A session store whose disk outlives its process, can be slow, and can fail. */
import type { Batch, SessionStore } from '../engine/ports.ts';
import type { HistoryIntent } from '../history/intent.ts';
import type { Clock } from '../time/clock.ts';

export class VirtualDisk {
  readonly sessions = new Map<string, { readonly origin: string; readonly state: string }>();
  readonly policies = new Map<string, string>();
  readonly intents = new Map<string, HistoryIntent>();
  /** Commits so far. */
  commits = 0;
}

export class VirtualStore implements SessionStore {
  readonly durable = true;
  readonly disk: VirtualDisk;
  /** How long a commit takes, ms; 0 is at once. */
  delayMs = 0;
  /** Says what a commit fails with; null lets it through. */
  failure: string | null = null;
  /** Runs when a commit is on the disk and nobody has heard of it yet: the instant to crash at. */
  written: () => void = () => {};
  readonly #clock: Clock;
  #crashed = false;
  /** When the last commit is on the disk, ms since the epoch. */
  #writtenAt = 0;

  constructor(clock: Clock, disk: VirtualDisk) {
    this.#clock = clock;
    this.disk = disk;
  }

  commit(batch: Batch, done: (error?: Error) => void): void {
    const write = (): void => {
      if (this.#crashed) return;
      if (this.failure !== null) return done(new Error(this.failure));
      this.disk.commits++;
      for (const { id, origin, state } of batch.puts) {
        const begun = origin ?? this.disk.sessions.get(id)?.origin;
        if (begun !== undefined) this.disk.sessions.set(id, { origin: begun, state });
      }
      for (const id of batch.deletes) this.disk.sessions.delete(id);
      for (const { key, body } of batch.policies) this.disk.policies.set(key, body);
      for (const intent of batch.intents) this.disk.intents.set(intent.id, intent);
      this.written();
      if (!this.#crashed) done();
    };
    // A disk writes in order: a quick commit waits for a slow one before it.
    const at = Math.max(this.#clock.now() + this.delayMs, this.#writtenAt);
    this.#writtenAt = at;
    if (at === this.#clock.now()) write();
    else this.#clock.schedule(at - this.#clock.now(), { onTimer: write }, 'commit');
  }

  load(each: (id: string, origin: string, state: string) => void): void {
    for (const [id, { origin, state }] of this.disk.sessions) each(id, origin, state);
  }

  policy(key: string): string | undefined {
    return this.disk.policies.get(key);
  }

  keepPolicies(keys: ReadonlySet<string>): void {
    for (const key of this.disk.policies.keys()) if (!keys.has(key)) this.disk.policies.delete(key);
  }

  forgetIntents(ids: readonly string[]): void {
    if (!this.#crashed) for (const id of ids) this.disk.intents.delete(id);
  }

  /** The process is gone: nothing it still wanted to write is written. */
  crash(): void {
    this.#crashed = true;
  }
}
