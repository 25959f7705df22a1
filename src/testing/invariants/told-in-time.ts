/**
 * When each leg hears of the end: once the history is sealed, the process is there, and the leg may be told. A
 * dialog of ours may as soon as its ACK is heard, or its 2xx (RFC 3261 15); an INVITE of ours once somebody answered it
 * provisionally (9.1); the inviter at any time.
 */
import type { StateEntry } from '../chronicle.ts';
import type { Violation } from './violation.ts';
import {
  type DialogSeen,
  finals,
  first,
  isForwarded,
  named,
  type SessionSeen,
  type Sighting,
  type TransactionSeen,
  type Wire,
} from './wire.ts';

/** `limit`: what the store may take, and commits and the network add; ms. */
export function legsToldInTime(wire: Wire, limit: number): Violation[] {
  return [
    ...wire.dialogs.flatMap((dialog) => byeInTime(dialog, limit, wire)),
    ...wire.transactions.flatMap((seen) => [...cancelInTime(seen, limit, wire), ...refusedInTime(seen, limit, wire)]),
  ];
}

/** When the session came into `tearingDown`. An end that was killed before it was stored has not begun. */
export function beginOfEnd({ states }: SessionSeen): StateEntry | undefined {
  const lost = states.findLastIndex(({ entry }) => entry.restored && entry.reason === null);
  return states.find(({ entry }, at) => at > lost && entry.state.startsWith('tearingDown'))?.entry;
}

const NEVER = Number.NEGATIVE_INFINITY;

function byeInTime(dialog: DialogSeen, limit: number, wire: Wire): Violation[] {
  const begun = begunAt(dialog.session, wire);
  const bye = wire.requestsIn(dialog, 'out').find(({ method }) => method === 'BYE');
  if (begun === undefined || bye === undefined) return [];
  const { at } = first(bye);
  const started = startedBefore(at, wire);
  const heard = lastBefore(at, dialog.outgoing ? dialog.answers : acknowledgements(dialog, wire));
  // A restart says the 2xx again, and its ACK is waited for again.
  const waits = !dialog.outgoing && heard <= started && dialog.answers.some((answer) => answer.at >= started);
  if (heard === NEVER || waits) return [];
  return late(bye, at, Math.max(begun, heard, started), limit);
}

function cancelInTime(invite: TransactionSeen, limit: number, wire: Wire): Violation[] {
  if (!beginsLeg(invite, 'out') || isForwarded(invite.request)) return [];
  const begun = begunAt(wire.sessionOf(invite.request, 'out', invite.request.fromTag ?? ''), wire);
  const cancel = wire.cancelOf(invite);
  if (begun === undefined || cancel === undefined) return [];
  const { at } = first(cancel);
  const started = startedBefore(at, wire);
  const heard = invite.responses.find((response) => response.at > started)?.at;
  return heard === undefined ? [] : late(cancel, at, Math.max(begun, heard, started), limit);
}

function refusedInTime(invite: TransactionSeen, limit: number, wire: Wire): Violation[] {
  const [final] = finals(invite);
  if (!beginsLeg(invite, 'in') || final === undefined || final.message.status < 300) return [];
  const session = wire.sessionOf(invite.request, 'in', final.message.toTag ?? '');
  const begun = begunAt(session, wire);
  if (begun === undefined || wire.sessions.get(session)?.mode === 'proxy') return [];
  return late(invite, final.at, Math.max(begun, startedBefore(final.at, wire)), limit);
}

const beginsLeg = ({ way, method, request }: TransactionSeen, expected: 'in' | 'out'): boolean =>
  way === expected && method === 'INVITE' && request.toTag === undefined;

function begunAt(session: string, wire: Wire): number | undefined {
  const seen = wire.sessions.get(session);
  return seen === undefined ? undefined : beginOfEnd(seen)?.at;
}

function late(seen: TransactionSeen, at: number, since: number, limit: number): Violation[] {
  const ms = at - since;
  return ms <= limit
    ? []
    : [{ invariant: 13, what: `the end waited ${ms} ms with ${named(seen)}, ${limit} allowed`, at }];
}

/** Since when the process has been there. */
function startedBefore(time: number, wire: Wire): number {
  return Math.max(NEVER, ...wire.crashes.flatMap(({ until }) => (until <= time ? [until] : [])));
}

/** ACKs for the 2xx that confirmed the dialog. */
function acknowledgements(dialog: DialogSeen, wire: Wire): Sighting[] {
  const answered = dialog.invite.request.cseq?.number;
  return wire
    .requestsIn(dialog, 'in')
    .flatMap(({ method, request, sightings }) =>
      method === 'ACK' && request.cseq?.number === answered ? sightings : [],
    );
}

function lastBefore(time: number, sightings: readonly Sighting[]): number {
  return sightings.reduce((last, { at }) => (at <= time ? Math.max(last, at) : last), NEVER);
}
