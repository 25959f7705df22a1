/** Invariant 2: whatever ends a session, `tearingDown` is entered once, with one reason, and left only to `closed`. */
import type { StateEntry } from '../chronicle.ts';
import type { Violation } from './violation.ts';
import type { SessionSeen, Wire } from './wire.ts';

export function invariant02OneFunnel(wire: Wire): Violation[] {
  return [...wire.sessions.values()].flatMap((session) => funnelOf(session));
}

function funnelOf(session: SessionSeen): Violation[] {
  const violations: Violation[] = [];
  const say = (entry: StateEntry, what: string): void => {
    violations.push({ invariant: 2, what: `session ${session.id} ${what}`, at: entry.at });
  };
  let before: StateEntry | undefined;
  /** The reason as it was last stored: a process that is killed may take one with it that nobody has heard of. */
  let reason: string | null = null;
  for (const { entry } of session.states) {
    if (entry.restored) {
      if (reason !== null && entry.reason !== null && entry.reason !== reason) say(entry, 'ends for another reason');
      reason = entry.reason;
    } else if (before !== undefined) {
      if (isEnding(before) && !isEnding(entry)) say(entry, `left ${before.state} for ${entry.state}`);
      if (before.state === 'closed' && entry.state !== 'closed') say(entry, 'lives again');
      if (reason !== null && entry.reason !== reason) say(entry, `ends for ${entry.reason}, after ${reason}`);
      reason = entry.reason;
    }
    if (isEnding(entry) !== (entry.reason !== null)) say(entry, `is in ${entry.state} with reason ${entry.reason}`);
    before = entry;
  }
  return violations;
}

const isEnding = ({ state }: StateEntry): boolean => state.startsWith('tearingDown') || state === 'closed';
