/** Invariant 8: pointer to the Session Info before that to the Group State, both before the Message-UID is told. */
import type { SipRequest, SipResponse } from '../../sip/message/message.ts';
import { folderName, kindOf, sessionOf } from './folders.ts';
import type { Violation } from './violation.ts';
import type { Sighting, Wire } from './wire.ts';

export function invariant08RecordedBeforeTold(wire: Wire): Violation[] {
  return [...pointersInOrder(wire), ...storedBeforeTold(wire)];
}

function pointersInOrder(wire: Wire): Violation[] {
  const violations: Violation[] = [];
  const described = new Set<string>();
  for (const entry of wire.chronicle.entries) {
    if (entry.kind !== 'history' || entry.done !== 'pointer') continue;
    const name = folderName(entry.folder);
    if (entry.pointer === 'SessionInfoObjectID') described.add(name);
    else if (!described.has(name)) {
      const what = `the Group State pointer of ${name} was set before that of the Session Info`;
      violations.push({ invariant: 8, what, at: entry.at });
    }
  }
  return violations;
}

function storedBeforeTold(wire: Wire): Violation[] {
  const stored = new Map<string, number>();
  wire.chronicle.entries.forEach((entry, order) => {
    if (entry.kind !== 'history' || entry.done !== 'append' || entry.object === undefined) return;
    const session = sessionOf(entry.object);
    if (kindOf(entry.object) === 'group-state' && !stored.has(session)) stored.set(session, order);
  });
  return uidsTold(wire)
    .filter(({ session, told }) => (stored.get(session) ?? Number.POSITIVE_INFINITY) > told.order)
    .map(({ session, told }) => {
      const what = `Message-UID of session ${session} left before its Group State was stored`;
      return { invariant: 8, what, at: told.at };
    });
}

export interface ToldUid {
  readonly session: string;
  /** Leg it was told on, `<key>.a`. */
  readonly leg: string;
  readonly uid: string;
  readonly told: Sighting<SipRequest> | Sighting<SipResponse>;
}

/** Every Message-UID the function told as a user agent, copies included. */
export function uidsTold(wire: Wire): ToldUid[] {
  const told: ToldUid[] = [];
  const look = (seen: Sighting<SipRequest> | Sighting<SipResponse>, tag: string | undefined): void => {
    const uid = seen.message.header('message-uid');
    const session = tag?.slice(0, Math.max(0, tag.indexOf('.'))) ?? '';
    if (uid !== undefined && wire.sessions.get(session)?.mode === 'b2bua') {
      told.push({ session, leg: tag?.split('.').slice(0, 2).join('.') ?? '', uid, told: seen });
    }
  };
  for (const { way, sightings, responses } of wire.transactions) {
    if (way === 'out') for (const sighting of sightings) look(sighting, sighting.message.fromTag);
    else for (const response of responses) look(response, response.message.toTag);
  }
  return told;
}
