/** Invariant 15: a killed process that starts again goes on where it was, and leaves the same history. */
import { earlyDialogsForgotten } from './early-dialogs.ts';
import { type FolderSeen, kindOf } from './folders.ts';
import { isEndedAnew } from './invariant04-no-request-after-end.ts';
import { isKnown } from './invariant11-every-iwf-closed.ts';
import type { Violation } from './violation.ts';
import { type DialogSeen, endOf, finals, first, named, type TransactionSeen, type Wire } from './wire.ts';

/** `undisturbed`: what the same scene leaves in the store when nobody kills the process. */
export function invariant15RestartIsADelay(
  wire: Wire,
  history?: { readonly left: readonly FolderSeen[]; readonly undisturbed: readonly FolderSeen[] },
): Violation[] {
  const violations = [
    ...wire.dialogs.flatMap((dialog) => [...numbers(dialog, wire), ...forgotten(dialog, wire)]),
    ...earlyDialogsForgotten(wire),
  ];
  if (history === undefined) return violations;
  const [left, wanted] = [contentsOf(history.left), contentsOf(history.undisturbed)];
  if (left === wanted) return violations;
  return [...violations, { invariant: 15, what: `the store holds ${left}; without the restart ${wanted}` }];
}

/** To the peer a number stands for one request: another one under it, or a lower one, is refused (12.2.2). */
function numbers(dialog: DialogSeen, wire: Wire): Violation[] {
  const violations: Violation[] = [];
  let highest = 0;
  let ended = Number.POSITIVE_INFINITY;
  for (const request of wire.requestsIn(dialog, 'out')) {
    if (request.method === 'ACK' || request.method === 'CANCEL') continue;
    const number = request.request.cseq?.number ?? 0;
    if (number <= highest && !isEndedAnew(dialog.session, ended, request, wire)) {
      const what = `${named(request)} of leg ${dialog.leg} has a number that was used before`;
      violations.push({ invariant: 15, what, at: first(request).at });
    }
    highest = Math.max(highest, number);
    if (request.method === 'BYE') ended = Math.min(ended, first(request).order);
  }
  return violations;
}

/** A dialog that has not ended is known to its end: the BYE of its peer is never a surprise. */
function forgotten(dialog: DialogSeen, wire: Wire): Violation[] {
  const end = endOf(dialog, wire);
  return wire
    .requestsIn(dialog, 'in')
    .filter((request) => request.method === 'BYE' && first(request).order === end)
    .filter((request) => (dialog.answers[0]?.order ?? 0) < first(request).order)
    .filter((request) => isKnown(dialog, wire, first(request).at) && wire.noticed([first(request)]))
    .filter((request) => finals(request).some(({ message }) => message.status === 481))
    .filter((request) => finals(request).every(({ message }) => message.status !== 200))
    .filter((request) => !isEndedBy(request, dialog.session, wire))
    .map((request) => {
      const what = `${named(request)} of leg ${dialog.leg} found its dialog forgotten`;
      return { invariant: 15, what, at: first(request).at };
    });
}

/**
 * The session ended by it, but its 200 waited for a copy after a kill, and another kill has taken that: both sides know
 * of the end. Whoever refused the copies must be of a process behind the one in which the session ended for good.
 */
function isEndedBy(bye: TransactionSeen, session: string, wire: Wire): boolean {
  const last = wire.sessions.get(session)?.states.at(-1);
  if (last === undefined || last.entry.state !== 'closed' || last.entry.restored) return false;
  const closedAt = last.entry.at;
  return wire.crashed(first(bye).at, closedAt) && finals(bye).every(({ at }) => wire.crashed(closedAt, at));
}

/** What the folders hold, by kind and number. */
function contentsOf(folders: readonly FolderSeen[]): string {
  const lines = folders.map(({ name, objects, pointers }) => {
    const count = (kind: string): number => objects.filter(({ content }) => kindOf(content) === kind).length;
    return `${name}: ${count('session')} session, ${count('group-state')} group state, ${Object.keys(pointers).sort().join(' ')}`;
  });
  return lines.sort().join('; ') || 'nothing';
}
