/**
 * A scene in the virtual world whose messages, states and stored objects are noted as they happen: what a picture of it
 * shows was really sent, byte for byte, by the engine and its stack.
 */
import type { Role } from '../../../machines/session/policy.ts';
import { MemoryHistory } from '../../history/memory.ts';
import type { Sequence, SequenceMessage, SequenceNote, SequenceRow } from '../../inspect/sequence.ts';
import { bytesOfWire } from '../../sip/message/bytes.ts';
import type { AnyMessage } from '../../sip/message/message.ts';
import { paramOf } from '../../sip/message/params.ts';
import { parseMessage } from '../../sip/message/parse.ts';
import {
  bodyOf,
  type Call,
  chatSdp,
  type Extra,
  type InviteOptions,
  type Passage,
  World,
  type WorldOptions,
} from '../../testing/index.ts';

export const PF = 'CPM PF';
const CLIENT = 'client';
const ENTITY = 'other entity';
const ISF = '10.0.0.30:5060';

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

export interface StageOptions extends WorldOptions {
  readonly role: Role;
}

export class Stage {
  readonly role: Role;
  readonly world: World;
  /** Messages by their text: one that is sent again is the same message. */
  readonly #sent = new Map<string, Mutable<SequenceMessage>>();
  readonly #iwfs: string[] = [];
  readonly #history: NotedHistory;
  #rows: SequenceRow[] = [];
  #state = '';

  constructor({ role, ...options }: StageOptions) {
    this.role = role;
    this.#history = new NotedHistory((label) => this.#note('stored', label));
    this.world = new World({
      ...options,
      isf: [ISF],
      policy: { mediaPath: 'always', ...options.policy },
      history: this.#history,
      observe: (session) => this.#onState(session.state),
    });
    this.world.network.weather = (passage) => {
      this.#onPassage(passage);
      return [1];
    };
  }

  /** From here on the picture begins. */
  begin(): void {
    this.#rows = [];
    this.#sent.clear();
    for (const session of this.world.pf.engine.sessions.values()) this.#note('state', session.state);
  }

  sequence(title: string): Sequence {
    const used = new Set(this.#rows.flatMap((row) => (row.kind === 'message' ? [row.from, row.to] : [])));
    const far = this.role === 'orig' ? ENTITY : CLIENT;
    const near = this.role === 'orig' ? CLIENT : ENTITY;
    // An IWF that hears nothing is part of the scene too.
    const iwfs = this.#iwfs.map((_, at) => iwfName(at));
    const parties = [near, PF, ...[far].filter((party) => used.has(party)), ...iwfs];
    return { title, parties, rows: [...this.#rows] };
  }

  // --- acting ------------------------------------------------------------------------------------------------

  /** The INVITE as the function of this role gets it. */
  invite(options: InviteOptions = {}): Call {
    const call = this.role === 'orig' ? this.world.peer('alice').invite(options) : this.#fromEntity(options);
    this.world.settle();
    return call;
  }

  #fromEntity(options: InviteOptions): Call {
    const headers = [
      ['P-Served-User', '<sip:bob@home.example>;sescase=term;regstate=reg'],
      ['P-Asserted-Identity', '<sip:alice@away.example>'],
      ...(options.headers ?? []),
    ] as const;
    return this.world.peer('entity').invite({ from: '<sip:alice@away.example>', ...options, headers });
  }

  /** An INVITE whose far side is an IWF: to an address outside SIP, or to somebody without a client. */
  inviteInterworked(options: InviteOptions = {}): Call {
    if (this.role === 'orig') return this.invite({ uri: 'mailto:carol@mail.example', ...options });
    this.world.pf.profile = { ...(this.world.pf.profile as object), clients: [] };
    return this.invite(options);
  }

  answer(call: Call, status: number, extra: Extra & { readonly reason?: string } = {}): void {
    call.respond(status, extra);
    this.world.settle();
  }

  /** Takes the far 200 and acknowledges it. */
  acknowledge(call: Call): void {
    call.response(200);
    call.ack();
    this.world.settle();
  }

  /** Takes the final failure and acknowledges it, in the transaction of the INVITE (RFC 3261 17.1.1.3). */
  acknowledgeFailure(call: Call, status: number): void {
    call.response(status);
    const branch = paramOf(call.invite.via?.params ?? '', 'branch')?.replace('z9hG4bK', '');
    call.request('ACK', { cseq: 1, ...(branch === undefined ? {} : { branch }) });
    this.world.settle();
  }

  /** Answers the request that waits on this call. */
  reply(call: Call, method: string, status = 200, extra: Extra = {}): void {
    call.respond(status, { to: call.expect(method), ...extra });
    this.world.settle();
  }

  bye(call: Call): void {
    call.bye();
    this.world.settle();
  }

  establish(extra: Extra = {}): { near: Call; far: Call } {
    const near = this.invite();
    const far = this.world.core.incoming();
    this.answer(far, 200, { sdp: chatSdp('bob'), ...extra });
    this.acknowledge(near);
    far.expect('ACK');
    return { near, far };
  }

  /** One stream at each of two IWFs. */
  establishTwoIwfs(extra: Extra = {}): { near: Call; first: Call; second: Call } {
    const near = this.inviteInterworked({ sdp: chatSdp('alice', [2855, 2856]) });
    const first = this.world.isf.incoming();
    this.answer(first, 200, { sdp: chatSdp('iwf1', [3001, 0]), ...extra });
    first.expect('ACK');
    const second = this.world.isf.incoming();
    this.answer(second, 200, { sdp: chatSdp('iwf2', [3002]), ...extra });
    second.expect('ACK');
    this.acknowledge(near);
    return { near, first, second };
  }

  /** From now on the message store answers nothing. */
  stallHistory(): void {
    this.#history.stalled = true;
  }

  // --- noting ------------------------------------------------------------------------------------------------

  #onState(state: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#note('state', state);
  }

  #note(kind: SequenceNote['kind'], label: string): void {
    this.#rows.push({ kind, at: this.world.clock.now(), of: PF, label });
  }

  #onPassage({ at, from, to, message: wire }: Passage): void {
    const known = this.#sent.get(wire);
    if (known !== undefined) {
      known.times++;
      return;
    }
    const { message } = parseMessage(bytesOfWire(wire));
    if (message === undefined) return;
    const row: Mutable<SequenceMessage> = {
      kind: 'message',
      at,
      from: this.#party(from, message),
      to: this.#party(to, message),
      label: labelOf(message),
      details: detailsOf(message),
      times: 1,
    };
    this.#sent.set(wire, row);
    this.#rows.push(row);
  }

  #party(address: string, { callId }: AnyMessage): string {
    const { pf, core, isf } = this.world;
    if (address === pf.address) return PF;
    const far = this.role === 'orig' ? ENTITY : CLIENT;
    if (address === core.address) return far;
    if (address !== isf.address) return this.role === 'orig' ? CLIENT : ENTITY;
    // Every IWF is reached through the ISF; each has a dialog of its own.
    if (!this.#iwfs.includes(callId)) this.#iwfs.push(callId);
    return iwfName(this.#iwfs.indexOf(callId));
  }
}

function iwfName(at: number): string {
  return `IWF ${at + 1}`;
}

function labelOf(message: AnyMessage): string {
  if (message.kind === 'request') return message.method;
  return `${message.status} (${message.cseq?.method})`;
}

/** Headers that a clause is about, and the ports where a description has several streams. */
function detailsOf(message: AnyMessage): string[] {
  const uid = message.header('message-uid');
  const warning = /"([^"]*)"/.exec(message.header('warning') ?? '')?.[1];
  const ports = [...bodyOf(message).matchAll(/^m=\S+ (\d+)/gm)].map((match) => match[1]);
  const redirect = message.kind === 'response' && message.status === 302 ? message.contact?.uri : undefined;
  return [
    ...(uid === undefined ? [] : [`Message-UID: ${uid}`]),
    ...(warning === undefined ? [] : [warning]),
    ...(redirect === undefined ? [] : [`to ${redirect}`]),
    ...(ports.length < 2 ? [] : [`m-lines at ports ${ports.join(', ')}`]),
  ];
}

/** The store in memory, telling what is done to it. */
class NotedHistory extends MemoryHistory {
  stalled = false;
  readonly #note: (label: string) => void;

  constructor(note: (label: string) => void) {
    super();
    this.#note = note;
  }

  override append(...[folder, key, object, done]: Parameters<MemoryHistory['append']>): void {
    if (this.stalled) return;
    super.append(folder, key, object, (error, uid) => {
      const name = /^Content-Type: application\/x-cpm-session/im.test(object) ? 'Session Info' : 'Group State';
      this.#note(`${name} stored, UID ${uid}`);
      done(error, uid);
    });
  }

  override setPointer(...[folder, pointer, uid, done]: Parameters<MemoryHistory['setPointer']>): void {
    this.#note(`${pointer} = ${uid}`);
    super.setPointer(folder, pointer, uid, done);
  }
}
