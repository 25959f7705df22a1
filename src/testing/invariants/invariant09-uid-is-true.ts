/** Invariant 9: a Message-UID is that of this session's Session Info Object, and only the served client is told. */
import type { FolderSeen } from './folders.ts';
import { kindOf, sessionOf } from './folders.ts';
import { uidsTold } from './invariant08-recorded-before-told.ts';
import type { Violation } from './violation.ts';
import type { Wire } from './wire.ts';

/** `client`: address of the served user's client, or of the core in front of it. */
export function invariant09UidIsTrue(wire: Wire, folders: readonly FolderSeen[], client: string): Violation[] {
  const violations: Violation[] = [];
  for (const { session, uid, told } of uidsTold(wire)) {
    const say = (what: string): void => void violations.push({ invariant: 9, what, at: told.at });
    if (told.peer !== client) say(`Message-UID ${uid} of session ${session} went to ${told.peer}`);
    const folder = folders.find(({ objects }) => objects.some(({ content }) => sessionOf(content) === session));
    const info = folder?.objects.find(({ content }) => kindOf(content) === 'session');
    if (info === undefined || String(info.uid) !== uid) {
      say(`Message-UID ${uid} of session ${session}, whose Session Info Object is ${info?.uid ?? 'nowhere'}`);
    }
  }
  return violations;
}
