/**
 * The statechart alone: no SIP, no sockets, no clock. Events are facts, with the time in them; what the session wants
 * done comes out as effects, which are plain data. Here an originating session, recorded, whose client hangs up.
 */
import { pathToFileURL } from 'node:url';
import { DEFAULT_POLICY, DEFAULT_PROFILE } from 'cpm-engine';
import { clausesOf, type EventOf, type SessionEvent, type SessionInput, sessionMachine } from 'cpm-engine/machines';
import { createActor } from 'xstate';

/** What the engine reads out of an INVITE; here by hand. */
const input: SessionInput = {
  id: 'example',
  role: 'orig',
  policy: { ...DEFAULT_POLICY, mediaPath: 'always' },
  profile: null,
  invite: {
    service: 'session',
    group: false,
    originators: ['sip:alice@home.example'],
    release: '2.0',
    anonymityRequested: false,
    anonymousFrom: false,
    scheme: 'sip',
    streams: [{ media: 'message', disabled: false }],
    sessionReplaces: null,
    unsupported: { require: [], proxyRequire: [] },
    timer: { supported: true, se: null, minSE: null, refresher: null },
    allowsUpdate: true,
  },
  at: 0,
};

type Happening = SessionEvent extends infer E ? (E extends SessionEvent ? Omit<E, 'step'> : never) : never;

const noTimer: EventOf<'answered'>['timer'] = { supported: false, se: null, minSE: null, refresher: null };

/** Leg `a` is the client that invites, leg `b` whom the function invites for it. */
const happenings: readonly Happening[] = [
  { type: 'preferencesKnown', at: 5, profile: { ...DEFAULT_PROFILE, allowOfflineStorage: true } },
  { type: 'provisional', at: 100, leg: 'b', fork: 0, status: 180, reliable: false },
  { type: 'answered', at: 900, leg: 'b', fork: 0, status: 200, accepted: [true], timer: noTimer, allowsUpdate: true },
  { type: 'historyOpened', at: 910, sessionInfoUid: 1 },
  { type: 'acknowledged', at: 950, leg: 'a' },
  { type: 'bye', at: 60_000, leg: 'a', exchange: 'bye-2' },
  { type: 'historySealed', at: 60_005, sessionInfoUid: 1, groupStateUid: 2 },
  { type: 'response', at: 60_050, leg: 'b', exchange: 'bye', status: 200, timer: noTimer, minSE: null },
];

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const session = createActor(sessionMachine, { input });
  let step = 0;
  const tell = (what: string): void => {
    const { value, context } = session.getSnapshot();
    print(`${what}: ${JSON.stringify(value)}`);
    // Effects belong to the step that caused them.
    if (context.step !== step) return;
    for (const { id, type, ...details } of context.effects) print(`  ${id} ${type} ${JSON.stringify(details)}`);
  };

  session.start();
  tell('invited');
  for (const happening of happenings) {
    session.send({ ...happening, step: ++step } as SessionEvent);
    tell(`${happening.type} at ${happening.at} ms`);
  }

  // Every guard and action names the clauses that it fulfils.
  print(`the Group State Object is ordered by ${clausesOf('sealHistory').join(', ')}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
