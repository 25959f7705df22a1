/** Invariant 12: a 2xx after the CANCEL, or of another fork, is acknowledged and ended; it never becomes a leg. */
import { isForgotten, isKnown, REMEMBERED_MS, settledAt, timedOut } from './invariant11-every-iwf-closed.ts';
import type { Violation } from './violation.ts';
import {
  type DialogSeen,
  finals,
  first,
  isForwarded,
  named,
  settledBy,
  type TransactionSeen,
  type Wire,
} from './wire.ts';

export function invariant12Late2xxLateFork(wire: Wire): Violation[] {
  const own = wire.dialogs.filter((dialog) => dialog.outgoing && isStraggler(dialog, wire));
  return [
    ...own.flatMap((dialog) => ended(dialog, wire)),
    ...wire.dialogs.flatMap((dialog) => offersAcknowledged(dialog, wire)),
    ...wire.transactions.flatMap((seen) => passedOn(seen, wire)),
  ];
}

/** Not the first final answer, or one that came after the INVITE had been called off. */
function isStraggler({ invite, remoteTag, answers }: DialogSeen, wire: Wire): boolean {
  const final = settledBy(invite, wire);
  const cancel = wire.cancelOf(invite);
  const [answer] = answers;
  const late = cancel !== undefined && answer !== undefined && first(cancel).order < answer.order;
  return late || final?.message.toTag !== remoteTag;
}

function ended(dialog: DialogSeen, wire: Wire): Violation[] {
  const { answers, leg, remoteTag } = dialog;
  const requests = wire.requestsIn(dialog, 'out');
  const violations: Violation[] = [];
  const say = (what: string): void => {
    const at = answers[0]?.at;
    violations.push({
      invariant: 12,
      what: `the late 2xx of ${leg} (${remoteTag}) ${what}`,
      ...(at === undefined ? {} : { at }),
    });
  };
  const over = wire.requestsIn(dialog, 'in').some(({ method }) => method === 'BYE');
  if (isKnown(dialog, wire)) {
    if (!requests.some(({ method }) => method === 'ACK')) say('had no ACK');
    if (!over && !requests.some(({ method }) => method === 'BYE')) say('had no BYE');
  }
  const since = answers[0]?.order ?? 0;
  const used = requests.find((seen) => seen.method !== 'ACK' && seen.method !== 'BYE' && first(seen).order > since);
  if (used !== undefined) say(`was used: ${named(used)}`);
  return violations;
}

/** RFC 3261 13.2.2.4, 14.1: the 2xx of a re-INVITE of ours has its ACK, whatever else has become of the session. */
function offersAcknowledged(dialog: DialogSeen, wire: Wire): Violation[] {
  const requests = wire.requestsIn(dialog, 'out');
  const acknowledged = new Set(
    requests.filter(({ method }) => method === 'ACK').map(({ request }) => request.cseq?.number),
  );
  return requests
    .filter(({ method, request }) => method === 'INVITE' && !acknowledged.has(request.cseq?.number))
    .filter((offer) => wire.noticed(finals(offer).filter(({ message }) => message.status < 300)))
    .map((offer) => ({ invariant: 12, what: `the 2xx to ${named(offer)} had no ACK`, at: first(offer).at }));
}

/** In proxy mode the caller ends it, so it is passed on (RFC 3261 16.7 step 5). */
function passedOn(seen: TransactionSeen, wire: Wire): Violation[] {
  const { request } = seen;
  if (seen.way !== 'out' || seen.method !== 'INVITE' || request.toTag !== undefined || !isForwarded(request)) return [];
  if (timedOut(seen, wire)) return [];
  const since = settledAt(seen, wire);
  // A copy of the INVITE that began another session after a kill knows nothing of this one's answers.
  const key = wire.proxiedBy(request);
  const heard = finals(seen)
    .filter((final) => !isForgotten(key === undefined ? [] : [key], seen, final, wire))
    .filter(({ message, at }) => message.status < 300 && at - since < REMEMBERED_MS);
  const passed = new Set(
    wire.transactions
      .filter(
        ({ way, method, request: other }) => way === 'in' && method === 'INVITE' && other.callId === request.callId,
      )
      .flatMap(({ responses }) => responses.map(({ message }) => message.toTag)),
  );
  return [...new Set(heard.map(({ message }) => message.toTag))]
    .filter((tag) => !passed.has(tag) && wire.noticed(heard.filter(({ message }) => message.toTag === tag)))
    .map((tag) => ({ invariant: 12, what: `the 2xx ${tag} to ${named(seen)} was not passed on` }));
}
