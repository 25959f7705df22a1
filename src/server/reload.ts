/** What of a configuration that was read again is in force at once, and what only after a restart. */
import type { Config } from './config/schema.ts';

/** Sections and keys that a reload takes up (contract: SIGHUP re-reads policy and users). */
const TAKEN_UP = ['policy', 'compat', 'users'];
/** Inside them, what was built into the running engine. */
const BUILT_IN = ['policy.otherServices'];

/** Keys whose values differ and that stay as they were. */
export function needsRestart(running: Config, read: Config): string[] {
  const sections = [...new Set([...Object.keys(running), ...Object.keys(read)])].filter(
    (name) => !TAKEN_UP.includes(name),
  );
  return [...sections, ...BUILT_IN].filter((key) => textAt(running, key) !== textAt(read, key));
}

function textAt(config: Config, key: string): string {
  const value = key
    .split('.')
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], config);
  return JSON.stringify(value) ?? '';
}
