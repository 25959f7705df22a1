/** Invariant 1: no leg is left confirmed on one side, and no INVITE left ringing, when its session is over. */
import { TIMER_B_MS, timedOut } from './invariant11-every-iwf-closed.ts';
import type { Violation } from './violation.ts';
import {
  type DialogSeen,
  endOf,
  finals,
  first,
  isForwarded,
  named,
  settledBy,
  type TransactionSeen,
  type Wire,
} from './wire.ts';

export function invariant01AllEndsTold(wire: Wire): Violation[] {
  const violations: Violation[] = [];
  for (const dialog of wire.dialogs) {
    if (endOf(dialog, wire) !== undefined) {
      violations.push(...lostWithProcess(dialog, wire));
      continue;
    }
    // An outgoing leg is ours from its ACK on, or where the answer was the one that was asked for; see also 12.
    const acknowledged = wire.requestsIn(dialog, 'out').some(({ method }) => method === 'ACK');
    if (!dialog.outgoing || acknowledged || isAwaited(dialog.invite, dialog.remoteTag, wire)) {
      const at = dialog.answers[0]?.at;
      const what = `leg ${dialog.leg} (${dialog.remoteTag}) was confirmed and never ended`;
      violations.push({ invariant: 1, what, ...(at === undefined ? {} : { at }) });
    }
  }
  for (const invite of wire.transactions) if (ringsOn(invite, wire)) violations.push(ringing(invite));
  return violations;
}

/** A BYE that nobody has answered when the process is killed is said again by the next one: it may have been lost. */
function lostWithProcess(dialog: DialogSeen, wire: Wire): Violation[] {
  const byes = wire.requestsIn(dialog, 'out').filter(({ method }) => method === 'BYE');
  const [bye] = byes;
  const answered = byes.some((each) => finals(each).length > 0);
  const crossed = wire.requestsIn(dialog, 'in').some(({ method }) => method === 'BYE');
  if (bye === undefined || answered || crossed) return [];
  const { at } = first(bye);
  const kill = wire.crashes.findLast((crash) => crash.at > at && crash.until < Number.POSITIVE_INFINITY);
  const again = byes.some(({ sightings }) => sightings.some((sighting) => sighting.at >= (kill?.until ?? 0)));
  if (kill === undefined || again) return [];
  // What nobody answered within 64*T1, or to the end of the session, was given up before the kill (RFC 3261 17.1.2.2).
  const states = wire.sessions.get(dialog.session)?.states ?? [];
  const closed = states.some(({ entry }) => entry.state === 'closed' && entry.at < kill.at);
  if (closed || kill.at - at >= TIMER_B_MS) return [];
  return [
    { invariant: 1, what: `the BYE of leg ${dialog.leg} was lost with the process and not said again`, at: kill.at },
  ];
}

/** The first 2xx of an INVITE that nobody called off, and that the process lived long enough to hear. */
function isAwaited(invite: TransactionSeen, remoteTag: string, wire: Wire): boolean {
  const final = settledBy(invite, wire)?.message;
  const copies = invite.responses.filter(({ message }) => message.toTag === remoteTag && message.status >= 200);
  return (
    final?.toTag === remoteTag && !timedOut(invite, wire) && wire.cancelOf(invite) === undefined && wire.noticed(copies)
  );
}

/** An INVITE of ours that was answered provisionally, never finally, and never called off (RFC 3261 9.1). */
function ringsOn(invite: TransactionSeen, wire: Wire): boolean {
  if (invite.way !== 'out' || invite.method !== 'INVITE' || isForwarded(invite.request)) return false;
  if (finals(invite).length > 0 || wire.cancelOf(invite) !== undefined) return false;
  // A first response behind timer B fits no transaction any more, and a user agent drops it (18.1.2).
  if (timedOut(invite, wire)) return false;
  // After a restart the INVITE is said anew, and what rings is known when that is answered.
  const last = invite.responses.at(-1);
  return last !== undefined && !wire.crashed(last.at, Number.POSITIVE_INFINITY);
}

function ringing(invite: TransactionSeen): Violation {
  return {
    invariant: 1,
    what: `${named(invite)} rings for ever: neither answered nor cancelled`,
    at: first(invite).at,
  };
}
