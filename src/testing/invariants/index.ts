/** The fifteen invariants of a complete end, judged on what a played scene has left. */
import type { MemoryHistory } from '../../history/memory.ts';
import { DEFAULT_POLICY } from '../../policy/defaults.ts';
import type { Chronicle } from '../chronicle.ts';
import type { Played } from '../scenario/play.ts';
import { type FolderSeen, foldersOf } from './folders.ts';
import { invariant01AllEndsTold } from './invariant01-all-ends-told.ts';
import { invariant02OneFunnel } from './invariant02-one-funnel.ts';
import { invariant03OneFinalAnswer } from './invariant03-one-final-answer.ts';
import { invariant04NoRequestAfterEnd } from './invariant04-no-request-after-end.ts';
import { invariant05ProxyIsSilent } from './invariant05-proxy-is-silent.ts';
import { invariant06ModeIsFixed } from './invariant06-mode-is-fixed.ts';
import { invariant07MediaFreedOnce } from './invariant07-media-freed-once.ts';
import { invariant08RecordedBeforeTold } from './invariant08-recorded-before-told.ts';
import { invariant09UidIsTrue } from './invariant09-uid-is-true.ts';
import { invariant10StoredExactlyOnce } from './invariant10-stored-exactly-once.ts';
import { invariant11EveryIwfClosed } from './invariant11-every-iwf-closed.ts';
import { invariant12Late2xxLateFork } from './invariant12-late-2xx-late-fork.ts';
import { invariant13BoundedEnd } from './invariant13-bounded-end.ts';
import { invariant14NothingHeld } from './invariant14-nothing-held.ts';
import { invariant15RestartIsADelay } from './invariant15-restart-is-a-delay.ts';
import type { Violation } from './violation.ts';
import { Wire } from './wire.ts';

export type { FolderSeen } from './folders.ts';
export type { Violation } from './violation.ts';
export { type Attribution, Wire } from './wire.ts';
export {
  invariant01AllEndsTold,
  invariant02OneFunnel,
  invariant03OneFinalAnswer,
  invariant04NoRequestAfterEnd,
  invariant05ProxyIsSilent,
  invariant06ModeIsFixed,
  invariant07MediaFreedOnce,
  invariant08RecordedBeforeTold,
  invariant09UidIsTrue,
  invariant10StoredExactlyOnce,
  invariant11EveryIwfClosed,
  invariant12Late2xxLateFork,
  invariant13BoundedEnd,
  invariant14NothingHeld,
  invariant15RestartIsADelay,
};

/** What there is to judge one function by. */
export interface Evidence {
  readonly chronicle: Chronicle;
  readonly memory: MemoryHistory;
  /** Address of the served user's client, or of the core in front of it. */
  readonly client: string;
  /** Addresses behind which IWFs are reached. */
  readonly iwfs: readonly string[];
  /** Sessions that must be in the message store. */
  readonly wanted: (wire: Wire) => readonly string[];
  /** What commits, the network and the time the process was down may add to a limit, ms. */
  readonly slackMs: number;
  /** What is held though everything has ended. */
  readonly held: readonly string[];
  /** What the store holds where nobody kills the process. */
  readonly undisturbed?: readonly FolderSeen[];
}

/** Every violation of a played scene. `undisturbed`: the same scene without its crashes, to compare the history. */
export function violationsOf(played: Played, undisturbed?: Played): Violation[] {
  const { stage, chronicle, scene, overdue, held, bound } = played;
  const { near, far } = stage.endpoints;
  const found = violationsIn({
    chronicle,
    memory: stage.history.memory,
    client: (scene.setting.role === 'orig' ? near : far).peer.address,
    iwfs: [stage.world.isf.address],
    wanted: (wire) => wantedOf(played, wire),
    slackMs: slackOf(played),
    held,
    ...(undisturbed === undefined ? {} : { undisturbed: foldersLeft(undisturbed) }),
  });
  return [...found, ...overdue.map((what) => ({ invariant: 13, what: `${what} is overdue`, at: bound }))];
}

/** Every violation that one function's evidence shows. */
export function violationsIn(evidence: Evidence): Violation[] {
  const { chronicle, memory, client, iwfs, wanted, slackMs, held, undisturbed } = evidence;
  const wire = new Wire(chronicle);
  const folders = foldersOf(chronicle, memory);
  const history = undisturbed === undefined ? undefined : { left: folders, undisturbed };
  return [
    ...invariant01AllEndsTold(wire),
    ...invariant02OneFunnel(wire),
    ...invariant03OneFinalAnswer(wire),
    ...invariant04NoRequestAfterEnd(wire),
    ...invariant05ProxyIsSilent(wire),
    ...invariant06ModeIsFixed(wire),
    ...invariant07MediaFreedOnce(wire),
    ...invariant08RecordedBeforeTold(wire),
    ...invariant09UidIsTrue(wire, folders, client),
    ...invariant10StoredExactlyOnce(wire, folders, wanted(wire)),
    ...invariant11EveryIwfClosed(wire, iwfs),
    ...invariant12Late2xxLateFork(wire),
    ...invariant13BoundedEnd(wire, DEFAULT_POLICY.timers, slackMs),
    ...invariant14NothingHeld(held),
    ...invariant15RestartIsADelay(wire, history),
  ];
}

function foldersLeft({ chronicle, stage }: Played): FolderSeen[] {
  return foldersOf(chronicle, stage.history.memory);
}

/** What commits and the network may add to a limit, and the time the process was down. ms. */
function slackOf({ scene, chronicle }: Played): number {
  const commits = scene.commands.map((command) => (command.do === 'disk' ? command.commitMs : 0));
  return downTime(chronicle) + 500 + 8 * Math.max(scene.setting.commitMs, ...commits);
}

/** How long the process was down, all in all, ms. It must be up again. */
export function downTime(chronicle: Chronicle): number {
  let down = 0;
  for (const { kind, at } of chronicle.entries) {
    if (kind === 'crash') down -= at;
    else if (kind === 'start') down += at;
  }
  return down;
}

/** Sessions that were answered as B2BUA for a user of whom it was known in time that they are to be kept. */
function wantedOf({ scene }: Played, wire: Wire): string[] {
  const { storage, preferencesMs } = scene.setting;
  const reloaded = scene.commands.some((command) => command.do === 'policy' && command.change.recording === false);
  if (!storage || preferencesMs !== 0 || reloaded) return [];
  return answeredSessions(wire);
}

/** Sessions of which the function accepted the invitation as a user agent. */
export function answeredSessions(wire: Wire): string[] {
  return [...new Set(wire.dialogs.filter(({ outgoing }) => !outgoing).map(({ session }) => session))];
}
