/**
 * A provisional response makes a dialog too (RFC 3261 12.1): while the session is being set up, what its peer asks there
 * is never a surprise, in another process neither. The inviter may have heard the response, so every dialog it names is
 * known. One that the far side began is known where the response was noticed, and after a restart where it was reliable, since
 * that one is not said again once it has its PRACK (RFC 3262 3).
 */
import type { Violation } from './violation.ts';
import { type DialogSeen, finals, first, named, type Sighting, type TransactionSeen, type Wire } from './wire.ts';

export function earlyDialogsForgotten(wire: Wire): Violation[] {
  return wire.transactions
    .flatMap((invite) => wire.dialogsOf(invite, isRinging))
    .filter(({ session }) => wire.sessions.get(session)?.mode === 'b2bua')
    .flatMap((dialog) => forgotten(dialog, wire));
}

const isRinging = (status: number): boolean => status > 100 && status < 200;

function forgotten(dialog: DialogSeen, wire: Wire): Violation[] {
  return wire.requestsIn(dialog, 'in').flatMap((request) => {
    // Only the inviter may end it (15).
    if (request.method === 'BYE' && dialog.outgoing) return [];
    const refused = finals(request).find(({ message }) => message.status === 481);
    if (refused === undefined || !isSetUp(dialog, refused, wire) || !isKnown(dialog, request, refused, wire)) return [];
    if (isPassedBack(request, refused, wire) || hasMoved(dialog, refused, wire)) return [];
    return [{ invariant: 15, what: `${named(request)} found its early dialog forgotten`, at: refused.at }];
  });
}

/** The session is still being set up. */
function isSetUp({ session }: DialogSeen, { order }: Sighting, wire: Wire): boolean {
  return wire.stateAt(session, order)?.state.startsWith('inviting') === true;
}

function isKnown({ outgoing, answers }: DialogSeen, request: TransactionSeen, refused: Sighting, wire: Wire): boolean {
  const before = answers.filter(({ order }) => order < first(request).order);
  if (!outgoing) return before.length > 0;
  return before.some((ring) => {
    const stored = ring.message.lists('require', '100rel') && wire.noticed([ring]);
    return stored || !wire.crashed(ring.at, refused.at);
  });
}

/** The other side has refused it. */
function isPassedBack({ method }: TransactionSeen, { order }: Sighting, wire: Wire): boolean {
  return wire.transactions.some(
    (other) =>
      other.way === 'out' &&
      other.method === method &&
      other.responses.some((response) => response.message.status === 481 && response.order < order),
  );
}

/** An invitation that came to nothing is followed by another, whose dialogs are others. */
function hasMoved({ session }: DialogSeen, { order }: Sighting, wire: Wire): boolean {
  return wire.transactions.some(
    (other) =>
      other.way === 'out' &&
      other.method === 'INVITE' &&
      wire.sessionOf(other.request, 'out', other.request.fromTag ?? '') === session &&
      finals(other).some((final) => final.message.status >= 300 && final.order < order),
  );
}
