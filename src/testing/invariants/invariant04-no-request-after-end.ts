/** Invariant 4: no new request leaves in a dialog after its BYE was sent or answered, and none of a closed session. */
import type { Violation } from './violation.ts';
import { type DialogSeen, first, named, type TransactionSeen, type Wire } from './wire.ts';

export function invariant04NoRequestAfterEnd(wire: Wire): Violation[] {
  return wire.dialogs.flatMap((dialog) => [...afterBye(dialog, wire), ...afterClosed(dialog, wire)]);
}

/** ACK belongs to the INVITE before it, CANCEL to no dialog. */
const isNew = ({ method }: TransactionSeen): boolean => method !== 'ACK' && method !== 'CANCEL';

function afterBye(dialog: DialogSeen, wire: Wire): Violation[] {
  const requests = wire.requestsIn(dialog, 'out').filter(isNew);
  const end = Math.min(byeSent(requests), byeAnswered(dialog, wire));
  return requests
    .filter((request) => first(request).order > end && !isEndedAnew(dialog.session, end, request, wire))
    .map((request) => late(request, `left leg ${dialog.leg} after its BYE`));
}

/**
 * A record may outlive its session by the moment that deletions wait; where the process is killed in it, the session ends
 * once more. `ended`: place of that end in the chronicle.
 */
export function isEndedAnew(session: string, ended: number, bye: TransactionSeen, wire: Wire): boolean {
  const states = wire.sessions.get(session)?.states ?? [];
  return states.some(({ order, entry }, at) => {
    if (bye.method !== 'BYE' || !entry.restored || order < ended || order > first(bye).order) return false;
    const last = states[at - 1]?.entry;
    return last?.state === 'closed' && wire.crashed(last.at, last.at + COMMIT_MS);
  });
}

function byeSent(requests: readonly TransactionSeen[]): number {
  const bye = requests.find(({ method }) => method === 'BYE');
  return bye === undefined ? Number.POSITIVE_INFINITY : first(bye).order;
}

function byeAnswered(dialog: DialogSeen, wire: Wire): number {
  const answers = wire
    .requestsIn(dialog, 'in')
    .filter(({ method }) => method === 'BYE')
    .flatMap(({ responses }) => responses.filter(({ message }) => message.status >= 200 && message.status < 300));
  return Math.min(Number.POSITIVE_INFINITY, ...answers.map(({ order }) => order));
}

/** What a step ordered leaves when the step is stored: as long as the slowest commit of a scene takes. */
const COMMIT_MS = 250;

/** Only the BYE of a 2xx that came too late may leave for a session that is over (invariant 12). */
function afterClosed(dialog: DialogSeen, wire: Wire): Violation[] {
  const states = wire.sessions.get(dialog.session)?.states ?? [];
  const closed = states.at(-1);
  if (closed?.entry.state !== 'closed') return [];
  return wire
    .requestsIn(dialog, 'out')
    .filter((request) => isNew(request) && request.method !== 'BYE' && first(request).at > closed.entry.at + COMMIT_MS)
    .map((request) => late(request, `left leg ${dialog.leg} after its session was closed`));
}

function late(request: TransactionSeen, what: string): Violation {
  return { invariant: 4, what: `${named(request)} ${what}`, at: first(request).at };
}
