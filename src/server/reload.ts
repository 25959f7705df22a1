/** A configuration that was read again: what of it is in force at once, what only after a restart, and what has changed. */
import { type ConfigDiff, diffLines, diffOf, type Side } from './config/diff.ts';
import type { Config } from './config/schema.ts';

/** Sections and keys that a reload takes up (contract: SIGHUP re-reads policy and users). */
const TAKEN_UP = ['policy', 'compat', 'users'];
/** Inside them, what was built into the running engine. */
const BUILT_IN = ['policy.otherServices', 'policy.guards'];

/** Keys whose values differ and that stay as they were. */
export function needsRestart(running: Config, read: Config): string[] {
  const sections = [...new Set([...Object.keys(running), ...Object.keys(read)])].filter(
    (name) => !TAKEN_UP.includes(name),
  );
  return [...sections, ...BUILT_IN].filter((key) => textAt(running, key) !== textAt(read, key));
}

/** True for a key that a reload takes up. */
export function isTakenUp(key: string): boolean {
  return TAKEN_UP.includes(key.split('.', 1)[0] ?? '') && !BUILT_IN.includes(key);
}

function textAt(config: Config, key: string): string {
  const value = key
    .split('.')
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], config);
  return JSON.stringify(value) ?? '';
}

/** What came of the last time a configuration was read again. */
export interface Reload {
  /** ms since the epoch. */
  readonly at: number;
  /** What is different for new sessions, one line a change; empty where nothing is, or where it failed. */
  readonly changes: readonly string[];
  /** The mistakes with their places; null where it was taken up. */
  readonly error: string | null;
}

/** What is in force, and how it came to be. */
export class Reloads {
  done = 0;
  failed = 0;
  last: Reload | null = null;
  #inForce: Side;
  readonly #now: () => number;

  constructor(inForce: Side, now: () => number) {
    this.#inForce = inForce;
    this.#now = now;
  }

  /** This one is in force from now on. */
  taken(next: Side): Reload {
    const diff = takenUp(diffOf(this.#inForce, next));
    this.#inForce = next;
    this.done++;
    this.last = { at: this.#now(), changes: diffLines(diff), error: null };
    return this.last;
  }

  /** It had mistakes; the one before stays in force. */
  refused(error: Error): void {
    this.failed++;
    this.last = { at: this.#now(), changes: [], error: error.message };
  }
}

function takenUp(diff: ConfigDiff): ConfigDiff {
  return { ...diff, keys: diff.keys.filter(({ key }) => isTakenUp(key)) };
}
