/** Invariant 10: one Session Info Object in a folder, one Group State for each ending, whatever was repeated. */
import { type FolderSeen, kindOf, sessionOf } from './folders.ts';
import type { Violation } from './violation.ts';
import type { Wire } from './wire.ts';

/** `wanted`: sessions that were answered for a user who wants them kept, so that they must be there. */
export function invariant10StoredExactlyOnce(
  wire: Wire,
  folders: readonly FolderSeen[],
  wanted: readonly string[],
): Violation[] {
  const violations: Violation[] = [];
  const say = (what: string): void => void violations.push({ invariant: 10, what });
  const ended = new Map<string, number>();
  for (const { name, objects, pointers } of folders) {
    const infos = objects.filter(({ content }) => kindOf(content) === 'session');
    if (infos.length > 1) say(`${name} has ${infos.length} Session Info Objects`);
    if (infos.length === 1 && pointers.SessionInfoObjectID !== infos[0]?.uid) say(`the pointer of ${name} is wrong`);
    const states = objects.filter(({ content }) => kindOf(content) === 'group-state');
    for (const { content } of states) ended.set(sessionOf(content), (ended.get(sessionOf(content)) ?? 0) + 1);
    const pointed = states.some(({ uid }) => uid === pointers.GroupStateObjectID);
    if (states.length > 0 && !pointed) say(`the Group State pointer of ${name} leads nowhere`);
    if (infos.length === 0 && states.length > 0) say(`${name} has a Group State and no Session Info`);
  }
  for (const [session, count] of ended) if (count > 1) say(`session ${session} ended ${count} times in the store`);
  for (const session of wanted) {
    if (!ended.has(session)) say(`session ${session} was answered and is not in the store`);
  }
  return violations.concat(strangers(wire, ended));
}

/** Nothing is stored of a session that never was. */
function strangers(wire: Wire, ended: ReadonlyMap<string, number>): Violation[] {
  return [...ended.keys()]
    .filter((session) => !wire.sessions.has(session))
    .map((session) => ({ invariant: 10, what: `the store knows a session ${session} that never was` }));
}
