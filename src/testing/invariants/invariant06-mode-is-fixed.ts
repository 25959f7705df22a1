/** Invariant 6: mode and role never change once the INVITE was routed, and the wire shows the same mode throughout. */
import type { Violation } from './violation.ts';
import type { SessionSeen, Wire } from './wire.ts';

export function invariant06ModeIsFixed(wire: Wire): Violation[] {
  return [...[...wire.sessions.values()].flatMap(recorded), ...onTheWire(wire)];
}

function recorded({ id, states }: SessionSeen): Violation[] {
  const violations: Violation[] = [];
  let before = states[0]?.entry;
  for (const { entry } of states) {
    const changed = before?.mode !== null && entry.mode !== before?.mode;
    // A process that was killed before it had stored its choice has told nobody of it.
    if (before !== undefined && (entry.role !== before.role || (changed && !entry.restored))) {
      const what = `session ${id} went from ${before.role} ${before.mode} to ${entry.role} ${entry.mode}`;
      violations.push({ invariant: 6, what, at: entry.at });
    }
    before = entry;
  }
  return violations;
}

/** A session that forwarded its INVITE is never a user agent, and the other way about. */
function onTheWire(wire: Wire): Violation[] {
  const violations: Violation[] = [];
  const forwarded = new Set([...wire.proxied.values()].flatMap((keys) => [...keys]));
  for (const { session, leg, answers } of wire.dialogs) {
    if (!forwarded.has(session) && wire.sessions.get(session)?.mode !== 'proxy') continue;
    const at = answers[0]?.at;
    const what = `session ${session} forwarded its INVITE and has a dialog ${leg} of its own`;
    violations.push({ invariant: 6, what, ...(at === undefined ? {} : { at }) });
  }
  for (const key of forwarded) {
    if (wire.sessions.get(key)?.mode === 'b2bua') {
      violations.push({ invariant: 6, what: `session ${key} is a B2BUA and forwarded its INVITE` });
    }
  }
  return violations;
}
