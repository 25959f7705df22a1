/** The play: Alice invites Bob, his phone rings, he accepts, they chat, he hangs up. Each step has to succeed. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Session } from '../../engine/session.ts';
import { wireOfBytes } from '../../sip/message/bytes.ts';
import type { CallEvent, CallEventOf, PhoneCall } from '../../sip-js/index.ts';
import type { Server } from '../server.ts';
import type { ChatPhone } from './chat-phone.ts';
import type { Stage } from './stage.ts';
import { type Place, type StateChange, watchStates } from './states.ts';

export interface Step {
  /** ms since the epoch, when it was done. */
  readonly at: number;
  readonly title: string;
  readonly detail: string;
}

export interface Played {
  readonly conversationId: string;
  readonly contributionId: string;
  /** Ids of the session on each function. */
  readonly sessions: Readonly<Record<Place, string>>;
  readonly states: readonly StateChange[];
  readonly steps: readonly Step[];
}

/** The call as it goes on. */
interface Scene {
  readonly stage: Stage;
  /** Alice's call. */
  readonly hers: PhoneCall;
  /** Bob's, once it has come. */
  his?: PhoneCall;
  sessions?: Readonly<Record<Place, Session>>;
  readonly states: StateChange[];
}

/** The steps in their order; each tells what has come of it. */
const SCRIPT: readonly (readonly [title: string, act: (scene: Scene) => Promise<string>])[] = [
  ['Alice invites Bob', invitationArrives],
  ["Bob's phone rings", rings],
  ['Bob accepts', accepts],
  ['The session stands', stands],
  ['Alice writes', writes],
  ['Bob answers', answersBack],
  ['Alice sends a photo', sendsPicture],
  ['Bob hangs up', hangsUp],
  ['Nothing is left', rests],
];

/** A large message: many chunks, and too long to be recorded from memory. */
const PICTURE_BYTES = 100_000;
/** How long the session stands; long enough to be seen in the ladder. */
const MOMENT_MS = 250;
const LIMIT_MS = 5000;
const LOOK_MS = 5;

/** Plays it, and tells of each step when it is done. Rejects with an Error that names the step that failed. */
export async function play(stage: Stage, tell: (step: Step) => void): Promise<Played> {
  const { alice, bob, originating } = stage;
  const conversationId = randomUUID();
  const contributionId = randomUUID();
  const hers = alice.invite(bob.uri, {
    sdp: stage.chats.alice.description('actpass'),
    headers: invitationHeaders(alice.uri, conversationId, contributionId),
  });
  const scene: Scene = { stage, hers, states: [] };
  const steps: Step[] = [];
  for (const [title, act] of SCRIPT) {
    const detail = await act(scene).catch((error: Error) => {
      throw new Error(`${title}: ${error.message}`);
    });
    const step = { at: originating.clock.now(), title, detail };
    steps.push(step);
    tell(step);
  }
  const sessions = { originating: sessionsOf(scene).originating.id, terminating: sessionsOf(scene).terminating.id };
  return { conversationId, contributionId, sessions, states: scene.states, steps };
}

async function invitationArrives(scene: Scene): Promise<string> {
  const { stage, hers, states } = scene;
  scene.his = await soon(hers, "the call at Bob's phone", () => stage.incoming[0]);
  const sessions = { originating: theSession(stage.originating), terminating: theSession(stage.terminating) };
  scene.sessions = sessions;
  for (const place of ['originating', 'terminating'] as const) watchStates(place, sessions[place], states);
  return `INVITE ${stage.bob.uri}, with one MSRP stream`;
}

async function rings({ hers, his }: Scene): Promise<string> {
  his?.ring();
  const { response } = await happened(hers, 'progress');
  return `Alice hears ${response.status} ${response.reason}`;
}

async function accepts({ stage, hers, his }: Scene): Promise<string> {
  his?.accept(stage.chats.bob.description('active'));
  const { response } = await happened(hers, 'answered');
  stage.chats.bob.join(wireOfBytes(his?.request?.body ?? new Uint8Array()));
  stage.chats.alice.join(wireOfBytes(response.body));
  await soon(hers, "the ACK at Bob's phone", () => his && eventOf(his, 'acknowledged'));
  return `Alice hears ${response.status} ${response.reason}, and her ACK reaches Bob`;
}

async function stands(scene: Scene): Promise<string> {
  const { originating, terminating } = sessionsOf(scene);
  await soon(scene.hers, 'a history folder opened by both functions', () =>
    holds(originating.regions.recording === 'live' && terminating.regions.recording === 'live'),
  );
  await pause(MOMENT_MS);
  return `both functions in ${originating.state}, both record`;
}

async function writes({ stage, hers }: Scene): Promise<string> {
  const { alice, bob } = stage.chats;
  await soon(hers, 'MSRP connections from end to end', () => holds(alice.connected && bob.connected));
  const id = await alice.write('text/plain; charset=utf-8', Buffer.from('Lunch at the harbour, 12:30?'));
  return arrival(hers, bob, alice, id, 'Bob');
}

async function answersBack({ stage, hers }: Scene): Promise<string> {
  const { alice, bob } = stage.chats;
  const id = await bob.write('text/plain; charset=utf-8', Buffer.from('Gladly. Show me where!'));
  return arrival(hers, alice, bob, id, 'Alice');
}

async function sendsPicture({ stage, hers }: Scene): Promise<string> {
  const { alice, bob } = stage.chats;
  const id = await alice.write('image/png', randomBytes(PICTURE_BYTES));
  return arrival(hers, bob, alice, id, 'Bob');
}

/** The message has come to one phone, and the notification of that to the other. */
async function arrival(hers: PhoneCall, to: ChatPhone, from: ChatPhone, id: string, reader: string): Promise<string> {
  const message = await soon(hers, `the message at ${reader}'s phone`, () => to.heard.find((heard) => heard.id === id));
  await soon(hers, 'its delivery notification', () =>
    from.heard.find(({ notification, text }) => notification && text.includes(`<message-id>${id}</message-id>`)),
  );
  const what = message.text === '' ? `${message.contentType}, ${message.bytes} bytes` : `"${message.text}"`;
  return `${reader} reads ${what}; a notification of that comes back`;
}

async function hangsUp({ hers, his }: Scene): Promise<string> {
  const ok = await his?.bye();
  if (ok?.status !== 200) throw new Error(`his BYE gets ${ok?.status}`);
  const { request: bye } = await happened(hers, 'ended');
  const uids = [ok, bye].map((message) => message.header('message-uid'));
  if (uids.includes(undefined)) throw new Error('no Message-UID comes: a function has not recorded it');
  return `his 200 has Message-UID ${uids[0]}, the BYE to Alice has Message-UID ${uids[1]}`;
}

async function rests({ stage, hers }: Scene): Promise<string> {
  const functions = [stage.originating.cpm, stage.terminating.cpm];
  await soon(hers, 'the end of both sessions and of their history work', () =>
    holds(functions.every(({ engine, outbox }) => engine.sessions.size === 0 && outbox?.depth === 0)),
  );
  return 'no session lives, no history work waits';
}

/** What her own core has asserted: who she is, whose function this is, which service. */
function invitationHeaders(uri: string, conversationId: string, contributionId: string) {
  const service = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session';
  return [
    ['P-Asserted-Identity', `<${uri}>`],
    ['P-Served-User', `<${uri}>;sescase=orig;regstate=reg`],
    ['P-Asserted-Service', service],
    ['Accept-Contact', `*;+g.3gpp.icsi-ref="${encodeURIComponent(service)}"`],
    ['Conversation-ID', conversationId],
    ['Contribution-ID', contributionId],
    ['Subject', 'Lunch?'],
  ] as const;
}

/** What `look` gives once it gives something. Rejects after a while, and at once where Alice's call is refused. */
async function soon<T>(hers: PhoneCall, what: string, look: () => T | undefined): Promise<T> {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; ) {
    const found = look();
    if (found !== undefined) return found;
    const refusal = eventOf(hers, 'refused');
    if (refusal !== undefined) throw new Error(`Alice's phone is told ${refusal.status}`);
    await pause(LOOK_MS);
  }
  throw new Error(`${what} has not come within ${LIMIT_MS} ms`);
}

function happened<T extends CallEvent['type']>(hers: PhoneCall, type: T): Promise<CallEventOf<T>> {
  return soon(hers, `${type} at Alice's phone`, () => eventOf(hers, type));
}

function eventOf<T extends CallEvent['type']>(call: PhoneCall, type: T): CallEventOf<T> | undefined {
  return call.events.find((event): event is CallEventOf<T> => event.type === type);
}

function holds(condition: boolean): true | undefined {
  return condition ? true : undefined;
}

function sessionsOf({ sessions }: Scene): Readonly<Record<Place, Session>> {
  if (sessions === undefined) throw new Error('the invitation has not arrived');
  return sessions;
}

function theSession({ cpm }: Server): Session {
  const [session] = cpm.engine.sessions.values();
  if (session === undefined) throw new Error('a function has no session of it');
  return session;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
