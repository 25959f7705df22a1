/** Invariant 3: each request that was received gets one final response; a crossing BYE gets its own. */
import { REMEMBERED_MS } from './invariant11-every-iwf-closed.ts';
import type { Violation } from './violation.ts';
import { finals, first, named, type TransactionSeen, type Wire } from './wire.ts';

export function invariant03OneFinalAnswer(wire: Wire): Violation[] {
  const violations: Violation[] = [];
  for (const request of wire.transactions) {
    if (request.way !== 'in' || request.method === 'ACK') continue;
    const answers = distinct(request, wire);
    if (answers.length > 1) {
      const what = `${named(request)} got ${answers.join(' and ')}`;
      violations.push({ invariant: 3, what, at: first(request).at });
    } else if (answers.length === 0 && mustBeAnswered(request, wire)) {
      violations.push({ invariant: 3, what: `${named(request)} got no final response`, at: first(request).at });
    }
  }
  return violations;
}

/** Final responses that differ. A proxy passes on the 2xx of every fork, also behind a refusal (RFC 3261 16.7 step 5). */
function distinct(request: TransactionSeen, wire: Wire): string[] {
  const [answered, ...later] = finals(request);
  if (answered === undefined) return [];
  // Later its transaction is over, and a copy that has been under way for so long is a request of its own.
  const timely = later.filter(({ at }) => at - answered.at < REMEMBERED_MS);
  const proxied = wire.isProxied(request.request.callId);
  const forks = proxied && request.method === 'INVITE';
  const refusals = [answered, ...timely].filter(({ message }) => message.status >= 300);
  // A 2xx of the fork that the process before the kill had asked is passed on beside what the new one is told.
  const ofAnother = forks && refusals.length > 0 && wire.crashed(first(request).at, answered.at);
  const all = ofAnother ? refusals : [answered, ...timely.filter(({ message }) => !forks || message.status >= 300)];
  const accepted = !proxied && request.method === 'INVITE' && answered.message.status < 300;
  // A process that was killed does not know what it refused; what it has accepted the next one may not refuse.
  // A copy that finds its session is refused as merged (8.2.2.2): whoever has heard the first answer sends none.
  const kept = all.filter(({ at, message }, index) => {
    return index === 0 || (accepted && message.status !== 482) || !wire.crashed(answered.at, at);
  });
  return [...new Set(kept.map(({ message }) => `${message.status} from ${message.toTag}`))];
}

/**
 * A process that is killed forgets requests that were still open; their copies bring them back. No copies come of an
 * INVITE that had a provisional response, so that one may not be forgotten.
 */
function mustBeAnswered(request: TransactionSeen, wire: Wire): boolean {
  const last = request.sightings.at(-1);
  if (last !== undefined && !wire.crashed(last.at, Number.POSITIVE_INFINITY)) return true;
  const { callId, toTag } = request.request;
  // A BYE through a proxy ends the call as well; the callee's 2xx, which nobody needs then, is not passed on any more.
  if (wire.isProxied(callId) && toTag === undefined && hasBye(callId, wire)) return false;
  // After 64*T1 its sender is taken for gone, as for any other transaction.
  // What belongs to no session passes by its Route, and a kill forgets it.
  if (wire.isProxied(callId) && toTag !== undefined && !isOfSession(request, wire)) return false;
  return request.method === 'INVITE' && request.responses.length > 0 && !wire.downFor(REMEMBERED_MS);
}

/** In proxy mode: inside the dialog of a session that lives. The dialogs of other forks are none. */
function isOfSession(request: TransactionSeen, wire: Wire): boolean {
  const { callId } = request.request;
  const answers = wire.transactions
    .filter(({ way, method, request: { callId: its, toTag } }) => {
      return way === 'in' && method === 'INVITE' && its === callId && toTag === undefined;
    })
    .flatMap(({ responses }) => responses.filter(({ message }) => message.status < 300 && message.status >= 200));
  const live = [...(wire.proxied.get(callId) ?? [])].some((key) => {
    return (wire.stateAt(key, first(request).order)?.state ?? 'closed') !== 'closed';
  });
  return live && new Set(answers.map(({ message }) => message.toTag)).size === 1;
}

function hasBye(callId: string, { transactions }: Wire): boolean {
  return transactions.some(({ method, request }) => method === 'BYE' && request.callId === callId);
}
