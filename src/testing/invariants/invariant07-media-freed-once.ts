/** Invariant 7: what was bound for a leg is freed once: not never, not too soon, and not to be bound again. */
import type { MediaEntry } from '../chronicle.ts';
import type { Violation } from './violation.ts';
import { endOf, finals, first, type Wire } from './wire.ts';

export function invariant07MediaFreedOnce(wire: Wire): Violation[] {
  const violations: Violation[] = [];
  const bound = new Map<string, MediaEntry>();
  const freed = new Set<string>();
  wire.chronicle.entries.forEach((entry, order) => {
    // The next process has none of it, and binds anew what it needs.
    if (entry.kind === 'crash') for (const legs of [bound, freed]) legs.clear();
    if (entry.kind !== 'media') return;
    const leg = `${entry.session}.${entry.leg}`;
    const say = (what: string): void =>
      void violations.push({ invariant: 7, what: `media of ${leg} ${what}`, at: entry.at });
    if (entry.done === 'bind') {
      if (freed.has(leg)) say('were bound again after they had been freed');
      bound.set(leg, entry);
    } else {
      if (!mayBeFreed(entry, order, wire)) say('were freed while the leg was in use');
      bound.delete(leg);
      freed.add(leg);
    }
  });
  for (const [leg, { at }] of bound) violations.push({ invariant: 7, what: `media of ${leg} were never freed`, at });
  return violations;
}

/** The whole session is ending, or this leg alone has: by BYE, or because it never came to be. */
function mayBeFreed(entry: MediaEntry, order: number, wire: Wire): boolean {
  const state = wire.stateAt(entry.session, order);
  if (state === undefined || state.reason !== null) return true;
  const leg = `${entry.session}.${entry.leg}`;
  const ended = wire.dialogs.some((dialog) => dialog.leg === leg && (endOf(dialog, wire) ?? order) < order);
  return ended || wire.transactions.some((seen) => seen.request.fromTag === leg && isOver(seen, order, entry.at, wire));
}

function isOver(seen: Wire['transactions'][number], order: number, now: number, wire: Wire): boolean {
  if (seen.method !== 'INVITE' || seen.way !== 'out' || seen.request.toTag !== undefined) return false;
  const refused = finals(seen).some((final) => final.order < order && final.message.status >= 300);
  const cancel = wire.cancelOf(seen);
  // Without any answer it is over when its transaction is (RFC 3261 17.1.1.2, timer B); a restart begins another one.
  const heard = seen.responses.some((response) => response.order < order && !wire.crashed(response.at, now));
  return refused || (cancel !== undefined && first(cancel).order < order) || !heard;
}
