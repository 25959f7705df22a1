/**
 * A provisional response makes a dialog too (RFC 3261 12.1): while the session is being set up, what its peer asks there
 * is never a surprise, in another process neither. The inviter may have heard the response, so every dialog it names is
 * known. One that the far side began is known where the response was noticed, and after a restart where it was reliable, since
 * that one is not said again once it has its PRACK (RFC 3262 3).
 */
import type { SipResponse } from '../../sip/message/message.ts';
import type { Violation } from './violation.ts';
import { finals, first, isForwarded, named, type Sighting, type TransactionSeen, type Wire } from './wire.ts';

interface EarlyDialog {
  readonly session: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly invite: TransactionSeen;
  /** The provisional responses, copies included. */
  readonly rings: Sighting<SipResponse>[];
}

export function earlyDialogsForgotten(wire: Wire): Violation[] {
  return wire.transactions.flatMap((invite) => earlyDialogs(invite, wire)).flatMap((dialog) => forgotten(dialog, wire));
}

function earlyDialogs(invite: TransactionSeen, wire: Wire): EarlyDialog[] {
  const { request, way } = invite;
  if (invite.method !== 'INVITE' || request.toTag !== undefined || (way === 'out' && isForwarded(request))) return [];
  const dialogs = new Map<string, EarlyDialog>();
  for (const ring of invite.responses) {
    const { status, toTag } = ring.message;
    if (status === 100 || status >= 200 || toTag === undefined) continue;
    const known = dialogs.get(toTag);
    if (known !== undefined) known.rings.push(ring);
    else {
      const [localTag, remoteTag] = way === 'in' ? [toTag, request.fromTag ?? ''] : [request.fromTag ?? '', toTag];
      const session = wire.sessionOf(request, way, localTag);
      dialogs.set(toTag, { session, callId: request.callId, localTag, remoteTag, invite, rings: [ring] });
    }
  }
  return [...dialogs.values()].filter(({ session }) => wire.sessions.get(session)?.mode === 'b2bua');
}

function forgotten(dialog: EarlyDialog, wire: Wire): Violation[] {
  return wire.requestsIn(dialog, 'in').flatMap((request) => {
    // Only the inviter may end it (15).
    if (request.method === 'BYE' && dialog.invite.way === 'out') return [];
    const refused = finals(request).find(({ message }) => message.status === 481);
    if (refused === undefined || !isSetUp(dialog, refused, wire) || !isKnown(dialog, request, refused, wire)) return [];
    if (isPassedBack(request, refused, wire) || hasMoved(dialog, refused, wire)) return [];
    return [{ invariant: 15, what: `${named(request)} found its early dialog forgotten`, at: refused.at }];
  });
}

/** The session is still being set up. */
function isSetUp({ session }: EarlyDialog, { order }: Sighting, wire: Wire): boolean {
  return wire.stateAt(session, order)?.state.startsWith('inviting') === true;
}

function isKnown({ invite, rings }: EarlyDialog, request: TransactionSeen, refused: Sighting, wire: Wire): boolean {
  const before = rings.filter(({ order }) => order < first(request).order);
  if (invite.way === 'in') return before.length > 0;
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
function hasMoved({ session }: EarlyDialog, { order }: Sighting, wire: Wire): boolean {
  return wire.transactions.some(
    (other) =>
      other.way === 'out' &&
      other.method === 'INVITE' &&
      wire.sessionOf(other.request, 'out', other.request.fromTag ?? '') === session &&
      finals(other).some((final) => final.message.status >= 300 && final.order < order),
  );
}
