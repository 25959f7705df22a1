/** `cpm-engine`: the engine with Node defaults. Ports in, sessions out; nothing is global. */
import { randomBytes } from 'node:crypto';
import type { SessionMachine } from '../machines/session/machine.ts';
import type { OwnGuards } from '../machines/session/own-guards.ts';
import type { Policy } from '../machines/session/policy.ts';
import { Engine, type EngineOptions } from './engine/engine.ts';
import type {
  DeferralPort,
  Dialogs,
  EngineLog,
  IsfPort,
  MediaPort,
  ProfilePort,
  SessionStore,
} from './engine/ports.ts';
import type { HistoryDriver } from './history/driver.ts';
import type { HistoryIntent } from './history/intent.ts';
import { Outbox, type OutboxOptions } from './history/outbox.ts';
import type { RecordingRules } from './history/record.ts';
import { contactCipher } from './host/contact-cipher.ts';
import { atEndOfTurn } from './host/end-of-turn.ts';
import { NodeClock } from './host/node-clock.ts';
import { DEFAULT_POLICY, DEFAULT_PROFILE } from './policy/defaults.ts';
import { RuledPolicy } from './policy/ruled-policy.ts';
import type { SipPort } from './sip/port.ts';
import { memorySessions } from './store/memory.ts';
import type { Clock } from './time/clock.ts';

export type { Asking, OwnGuard, OwnGuards, PolicyGuardName } from '../machines/session/own-guards.ts';
export type { Policy, Profile, RegisteredClient } from '../machines/session/policy.ts';
export { Engine, type EngineOptions } from './engine/engine.ts';
export type * from './engine/ports.ts';
export type { Session } from './engine/session.ts';
export { DEFAULT_POLICY, DEFAULT_PROFILE } from './policy/defaults.ts';
export { RuledPolicy } from './policy/ruled-policy.ts';
export type { Conditions, PolicyChange, PolicyQuestion, PolicyRule } from './policy/rules.ts';
export { memorySessions } from './store/memory.ts';
export { type SqliteSessions, sqliteSessions } from './store/sqlite.ts';

/** A session store that may also keep the outbox, as {@link sqliteSessions} does. */
export type Sessions = SessionStore & {
  intents?(): HistoryIntent[];
  forgetIntents?(ids: readonly string[]): void;
};

/** What a stack with sockets of its own knows of itself. */
export interface Whereabouts {
  readonly contact: string;
  isOwn(host: string, port: number | undefined): boolean;
}

export interface CreateEngineOptions {
  /** A SIP stack: `createSipStack` of `cpm-engine/sip`, or `createSipJsPort` of `cpm-engine/sip-js`. */
  readonly sip: SipPort & Partial<Dialogs> & Partial<Whereabouts>;
  /**
   * `host:port` of the stack, with URI parameters where it is not plain UDP; goes into Contact. By default what the
   * stack says of itself; a `createSipJsPort` does not.
   */
  readonly contact?: string;
  /** One policy for all sessions; a {@link RuledPolicy} has rules for some of them. */
  readonly policy?: Partial<Policy> | RuledPolicy;
  /** Who the served users are; by default everybody, with one client that takes chat, and nothing recorded. */
  readonly profiles?: ProfilePort;
  /** Where conversations are recorded; by default nowhere. */
  readonly history?: HistoryDriver;
  readonly rules?: Partial<RecordingRules>;
  /** Where sessions survive a restart; by default nowhere. */
  readonly sessions?: Sessions;
  /** URI of the SIP/IP core; by default the Request-URI decides. */
  readonly core?: string;
  /** Where the ISF is; absent means no interworking. */
  readonly isf?: IsfPort;
  /** Takes sessions for users who are away; absent means that none are taken. */
  readonly deferral?: DeferralPort;
  /** Key of the contact tokens; by default a random one, so that they end with the process. */
  readonly contactKey?: string | Uint8Array;
  readonly clock?: Clock;
  readonly media?: MediaPort;
  /** True where this host and port are ours; by default the stack decides, else those of `contact` are. */
  readonly isOwn?: EngineOptions['isOwn'];
  /** Host in Warning headers; by default that of `contact`. */
  readonly warningAgent?: string;
  readonly otherServices?: EngineOptions['otherServices'];
  readonly groupState?: EngineOptions['groupState'];
  /** False: conference events that pass to the client (RFC 4575) are not read for the Group State. */
  readonly conferenceEvents?: boolean;
  readonly folderName?: EngineOptions['folderName'];
  readonly retry?: OutboxOptions['retry'];
  /** Where recorded messages that are too long for an intent wait. */
  readonly spool?: OutboxOptions['spool'];
  readonly outside?: EngineOptions['outside'];
  /** Product tokens for User-Agent and Server. */
  readonly products?: string;
  readonly log?: EngineLog;
  readonly machine?: SessionMachine;
  /** Guards of your own: other answers to questions of policy (docs/policy.md). Throws a TypeError for any other name. */
  readonly guards?: OwnGuards;
  readonly observe?: EngineOptions['observe'];
  readonly ended?: EngineOptions['ended'];
}

/** A running engine and what belongs to it. */
export interface CpmEngine {
  readonly engine: Engine;
  readonly outbox: Outbox | undefined;
  /** Stops timers and the outbox. Live sessions stay as they are stored; end them first where they should end. */
  close(): void;
}

/**
 * Puts an engine on a SIP port and takes up the sessions its store still has. Throws a TypeError where neither the
 * options nor the port say what goes into Contact.
 */
export function createEngine(options: CreateEngineOptions): CpmEngine {
  const { sip } = options;
  const contact = options.contact ?? sip.contact;
  if (contact === undefined) throw new TypeError('contact: the SIP port does not know its own address, so give one');
  const clock = options.clock ?? new NodeClock();
  const store: Sessions = options.sessions ?? memorySessions();
  const outbox = options.history === undefined ? undefined : outboxFor(options.history);
  const host = contact.replace(/[;?].*$/, '').replace(/:\d+$/, '');

  function outboxFor(driver: HistoryDriver): Outbox {
    return new Outbox({
      driver,
      clock,
      rules: { metadata: true, keepOldGroupState: true, ...options.rules },
      ...(options.retry === undefined ? {} : { retry: options.retry }),
      ...(options.spool === undefined ? {} : { spool: options.spool }),
      forget: (ids) => store.forgetIntents?.(ids),
      onOutcome: (intent, outcome) => engine.onHistory(intent, outcome),
    });
  }

  const engine = new Engine({
    sip,
    clock,
    defer: atEndOfTurn,
    store,
    profiles: options.profiles ?? everybody,
    history: outbox ?? { submit: () => {} },
    media: options.media ?? passThroughMedia,
    isf: options.isf ?? { routeSets: () => [] },
    identity: {
      host: options.warningAgent ?? host,
      products: options.products ?? 'CPM-serv/OMA2.0 cpm-engine/0.1',
      contact,
      mediaAddress: host.replace(/^\[|\]$/g, ''),
      methods: METHODS,
    },
    contacts: contactCipher(options.contactKey ?? randomBytes(32)),
    isOwn:
      options.isOwn ??
      sip.isOwn?.bind(sip) ??
      ((name, port) => `${name}:${port ?? 5060}` === contact.replace(/[;?].*$/, '')),
    policy:
      options.policy instanceof RuledPolicy
        ? options.policy
        : {
            ...DEFAULT_POLICY,
            isfAvailable: options.isf !== undefined,
            recording: outbox !== undefined,
            ...options.policy,
          },
    coreRouteSets: [options.core === undefined ? [] : [`<${options.core}>`]],
    otherServices: options.otherServices ?? 'reject',
    groupState: options.groupState ?? 'always',
    conferenceEvents: options.conferenceEvents ?? true,
    folderName: options.folderName ?? ['contributionId', 'sessionId', 'callId'],
    log: options.log ?? { session: () => {}, problem: () => {} },
    ...(options.outside === undefined ? {} : { outside: options.outside }),
    ...(options.deferral === undefined ? {} : { deferral: options.deferral }),
    ...(options.machine === undefined ? {} : { machine: options.machine }),
    ...(options.guards === undefined ? {} : { guards: options.guards }),
    ...(options.observe === undefined ? {} : { observe: options.observe }),
    ...(options.ended === undefined ? {} : { ended: options.ended }),
  });
  engine.restore(store.intents?.() ?? []);
  return {
    engine,
    outbox,
    close() {
      outbox?.close();
      if (clock instanceof NodeClock) clock.stop();
    },
  };
}

const METHODS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'PRACK', 'UPDATE', 'INFO', 'REFER', 'NOTIFY', 'MESSAGE'];

const passThroughMedia: MediaPort = { adapt: (_session, _leg, sdp) => sdp, release: () => {} };

const everybody: ProfilePort = { lookUp: (_query, done) => done(DEFAULT_PROFILE) };
