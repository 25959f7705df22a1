/**
 * The engine: a registry of sessions between the SIP port and the services. Each event finds its session by the key
 * in its leg; what the session wants done is stored first and done after.
 */

import type { EndReason, LegName, SessionInput } from '../../machines/session/context.ts';
import type { Effect } from '../../machines/session/effects.ts';
import { isLive } from '../../machines/session/legs.ts';
import type { SessionMachine } from '../../machines/session/machine.ts';
import type { OwnGuards } from '../../machines/session/own-guards.ts';
import type { Policy, Profile } from '../../machines/session/policy.ts';
import type { HistoryIntent, HistoryOutcome } from '../history/intent.ts';
import { RuledPolicy } from '../policy/ruled-policy.ts';
import { Registry } from '../registry.ts';
import { sessionOf } from '../sip/leg-id.ts';
import { mediaType } from '../sip/message/body.ts';
import { headerField } from '../sip/message/header.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { LegId, SipEvent, SipPort, Source } from '../sip/port.ts';
import type { Clock, Timer, TimerOwner } from '../time/clock.ts';
import { type Charts, charts } from './charts.ts';
import type { FolderNameSource } from './compose/history.ts';
import { CONFERENCE_INFO } from './conference.ts';
import { DeliveryPolicies } from './delivery-policies.ts';
import { noteConference, noteParticipant } from './dossier.ts';
import { type Explanation, explain, type Supposed } from './explain.ts';
import { tellOutcome, waitingMessage } from './history-work.ts';
import type { ContactCipher, Identity } from './identity.ts';
import { openDossier, policyQuestion, readInvitation } from './invitation.ts';
import { LastKnown } from './last-known.ts';
import { LiveInstances } from './live-instances.ts';
import { Messages } from './message/messages.ts';
import { outsideAnswer } from './outside.ts';
import { forgetUsed, type Performing, perform, thin } from './perform.ts';
import type {
  ChatMessage,
  Defer,
  DeferralPort,
  Dialogs,
  EngineLog,
  HistoryPort,
  IsfPort,
  MediaPort,
  ProfilePort,
  SessionStore,
} from './ports.ts';
import { Records } from './records.ts';
import { isSession, serviceOf } from './service.ts';
import { Session, type SessionHost } from './session.ts';
import { giveUpRelays, type Resumed, resumed, storedMediaLegs } from './stored-session.ts';
import { translate, type Unstamped } from './translate.ts';

export interface EngineOptions {
  readonly sip: SipPort & Partial<Dialogs>;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly store: SessionStore;
  readonly profiles: ProfilePort;
  readonly history: HistoryPort;
  readonly media: MediaPort;
  readonly isf: IsfPort;
  /** Absent: sessions for users who are away are not taken. */
  readonly deferral?: DeferralPort;
  readonly identity: Identity;
  readonly contacts: ContactCipher;
  /** True where this host and port are ours. */
  readonly isOwn: (host: string, port: number | undefined) => boolean;
  /** One policy for all sessions, or one with rules. */
  readonly policy: Policy | RuledPolicy;
  /** Route sets toward the SIP/IP core for invitations that bring none. */
  readonly coreRouteSets: readonly (readonly string[])[];
  /** What an INVITE of another service than a CPM session gets. */
  readonly otherServices: 'forward' | 'reject';
  readonly groupState: 'always' | 'groupOnly';
  /** False: what a focus says of its conference is not looked at on its way to the client. */
  readonly conferenceEvents?: boolean;
  /** What names a session folder, the first that is there. */
  readonly folderName: readonly FolderNameSource[];
  readonly log: EngineLog;
  /** Requests that belong to no session; true where it was answered or will be. */
  readonly outside?: (event: Extract<SipEvent, { type: 'outside' }>) => boolean;
  /** Sees every transition, for traces; costs what it does. */
  readonly observe?: (session: Session, event: Unstamped | undefined) => void;
  /** A session is over: its last effects have left. */
  readonly ended?: (session: Session) => void;
  /** A chart of one's own, made with `sessionMachine.provide()`, for every session. */
  readonly machine?: SessionMachine;
  /** Guards of one's own, for every session of this engine. */
  readonly guards?: OwnGuards;
}

export interface EngineCounters {
  started: number;
  ended: number;
  restored: number;
  storeFailures: number;
  /** Messages that could not be recorded. */
  messagesLost: number;
  /** Sessions ended, by reason. */
  readonly byReason: Partial<Record<EndReason, number>>;
  /** Own guards that gave no answer, by name. */
  readonly guardFailures: Record<string, number>;
}

export class Engine implements SessionHost {
  readonly sessions = new Registry<Session>();
  readonly counters: EngineCounters = {
    started: 0,
    ended: 0,
    restored: 0,
    storeFailures: 0,
    messagesLost: 0,
    byReason: {},
    guardFailures: {},
  };
  /** What new sessions get; live ones keep theirs. */
  policies: RuledPolicy;
  /** True once no new session is taken: the host shuts down. */
  refusing = false;
  readonly #options: EngineOptions;
  readonly #charts: Charts;
  readonly #deliveries = new DeliveryPolicies();
  /** Where a session with a given Contribution-ID can be extended. */
  readonly instances = new LiveInstances();
  /** Pager-mode messages. */
  readonly messages: Messages;
  readonly #lastKnown = new LastKnown();
  readonly #records: Records;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.policies = options.policy instanceof RuledPolicy ? options.policy : new RuledPolicy(options.policy);
    this.#charts = charts(options, this.counters.guardFailures);
    this.#records = new Records(options, () => this.counters.storeFailures++);
    this.messages = new Messages(options, this);
    options.sip.onEvent((event) => this.#onSip(event));
    options.sip.storedBy?.((leg, then) => this.#whenStored(leg, then));
  }

  /** The policy of sessions that no rule is about. */
  get policy(): Policy {
    return this.policies.base;
  }

  set policy(policy: Policy) {
    this.policies = new RuledPolicy(policy);
  }

  /** Names of the questions that guards of one's own answer. */
  get ownGuards(): string[] {
    return Object.keys(this.#options.guards ?? {});
  }

  now(): number {
    return this.#options.clock.now();
  }

  machineFor(recorded: boolean): SessionMachine {
    return recorded ? this.#charts.recorded : this.#charts.unrecorded;
  }

  schedule(delayMs: number, owner: TimerOwner, name: string): Timer {
    return this.#options.clock.schedule(delayMs, owner, name);
  }

  // --- events -----------------------------------------------------------------------------------------------

  #onSip(event: SipEvent): void {
    if (event.type === 'invite') this.#onInvite(event);
    else if (event.type === 'outside') this.#onOutside(event);
    else if (event.type === 'outsideAnswered') this.messages.onAnswer(event);
    else {
      const id = sessionOf(event.leg);
      const session = this.sessions.get(id);
      if (session === undefined) return;
      if (event.type === 'request' && event.request.method === 'NOTIFY') this.#notified(session, event);
      session.deliver(
        translate(event, event.leg.slice(id.length + 1), session.context, session.dossier, this.#options),
      );
    }
  }

  /** A NOTIFY of the focus on its way to the client tells who is in the group session (RFC 4575). */
  #notified(session: Session, { leg, request }: Extract<SipEvent, { type: 'request' }>): void {
    const { context } = session;
    if (context.mode !== 'b2bua' || this.#options.conferenceEvents === false) return;
    const isFocus = context.legs[leg.slice(leg.indexOf('.') + 1)]?.peer !== 'client';
    const type = mediaType(request.header('content-type') ?? '');
    if (isFocus && type === CONFERENCE_INFO) this.conferenceTold(session.id, request.body);
  }

  /** What a focus says of who is in its conference; false where that can not be understood. */
  conferenceTold(id: string, body: Uint8Array): boolean {
    const session = this.sessions.get(id);
    if (session?.context.history.wanted !== true || session.closed) return true;
    try {
      if (noteConference(session.dossier, body)) this.mustStore(session);
      return true;
    } catch (error) {
      this.#options.log.session(id, 'a conference event can not be read', { why: (error as Error).message });
      return false;
    }
  }

  #onInvite(event: Extract<SipEvent, { type: 'invite' }>): void {
    const { leg, request, source } = event;
    const { sip } = this.#options;
    const service = serviceOf(request);
    if (this.refusing) {
      sip.execute({ type: 'refuse', leg, status: 503, headers: [headerField('Retry-After', '10')] });
      sip.execute({ type: 'release', leg });
    } else if (isSession(service)) this.#begin(leg, request, source, service);
    else this.#passOther(leg, request);
  }

  /** other services are not for these clauses. */
  #passOther(leg: LegId, request: SipRequest): void {
    const { sip, otherServices } = this.#options;
    if (otherServices === 'reject') {
      sip.execute({ type: 'refuse', leg, status: 488, headers: [] });
      sip.execute({ type: 'release', leg });
    } else sip.execute({ type: 'passThrough', leg, request, routeSets: this.#options.coreRouteSets });
  }

  #begin(leg: LegId, request: SipRequest, source: Source, service: string): void {
    const id = sessionOf(leg);
    const at = this.now();
    const delivery = this.#options.deferral?.isDelivery(request) === true;
    const from = delivery ? { ...source, trusted: true } : source;
    const invitation = readInvitation(request, from, service, this.#options);
    const dossier = openDossier(invitation, request, at);
    const chosen = this.policies.uniform ? this.policy : this.policies.choose(policyQuestion(invitation, at));
    const policy = delivery ? this.#deliveries.of(chosen) : chosen;
    const allowOfflineStorage = policy.defaultAllowOfflineStorage;
    let session: Session | undefined;
    let known: Profile | undefined;
    this.#options.profiles.lookUp({ at, allowOfflineStorage, ...invitation.query }, (profile) => {
      known = profile;
      if (session === undefined) return;
      // What is at hand at once can't come too late; what came late is kept for the next time.
      this.#lastKnown.keep(invitation.query, profile);
      session.deliver({ type: 'preferencesKnown', profile });
    });
    const input: SessionInput = {
      id,
      role: invitation.role,
      policy,
      profile: known ?? null,
      lastKnown: known === undefined ? this.#lastKnown.of(invitation.query) : null,
      invite: invitation.facts,
      at,
    };
    this.counters.started++;
    session = Session.begin(this, input, dossier);
    this.sessions.set(id, session);
    session.start();
  }

  #onOutside(event: Extract<SipEvent, { type: 'outside' }>): void {
    if (this.messages.take(event) || this.#options.outside?.(event) === true) return;
    const { sip, identity } = this.#options;
    sip.execute({ type: 'reply', exchange: event.exchange, ...outsideAnswer(event.request, identity.methods) });
  }

  /** The outcome of history work, for its session if that still lives. */
  onHistory(intent: HistoryIntent, outcome: HistoryOutcome): void {
    this.#records.onHistory(intent, outcome);
    const session = this.sessions.get(intent.session);
    if (session !== undefined) tellOutcome(session, intent, outcome);
  }

  /** A leg's media are lost, and not back in time. */
  mediaFailed(id: string, leg: LegName): void {
    this.sessions.get(id)?.deliver({ type: 'mediaFailed', leg });
  }

  /** Whether messages of this session belong into a history. */
  records(id: string): boolean {
    return this.sessions.get(id)?.context.history.wanted === true;
  }

  /** A message of a session's conversation, for its history. `done` when it can't be lost any more, or is refused. */
  record(id: string, from: LegName, message: ChatMessage, done: () => void): void {
    const session = this.sessions.get(id);
    if (session?.context.history.wanted !== true) return done();
    if (noteParticipant(session.dossier, message.cpim?.from ?? null)) this.mustStore(session);
    this.#records.addMessage(waitingMessage(session, from, message, this.now(), this.#options, done));
  }

  /** A message can't be recorded: the call goes on, and everybody can see it. */
  recordingFailed(id: string, why: string): void {
    this.counters.messagesLost++;
    this.#options.log.session(id, 'a message could not be recorded', { why });
    const session = this.sessions.get(id);
    if (session?.closed === false) session.deliver({ type: 'historyFailed' });
  }

  /** Ends a session by order. False where it is not known. */
  end(id: string, by: 'operator' | 'shutdown'): boolean {
    const session = this.sessions.get(id);
    session?.deliver({ type: 'endOrdered', by });
    return session !== undefined;
  }

  /** What would happen to this INVITE now, or under a policy or profile that is only supposed. */
  explain(
    request: SipRequest,
    source: Source,
    done: (explanation: Explanation) => void,
    supposed: Supposed = {},
  ): void {
    const now = supposed.at ?? this.now();
    const policies = supposed.policies ?? this.policies;
    const by = { ...this.#options, queues: this.messages.queues };
    explain({ request, source, policies, now, supposed }, by, done);
  }

  // --- effects ------------------------------------------------------------------------------------------------

  onTransition(session: Session, event: Unstamped | undefined): void {
    this.#options.observe?.(session, event);
  }

  #whenStored(leg: LegId, then: () => void): void {
    const session = this.sessions.get(sessionOf(leg));
    if (session === undefined) return then();
    // What the stack does by itself is in the state of its legs.
    this.mustStore(session);
    session.whenStored(then);
  }

  mustStore(session: Session): void {
    this.#records.store(session);
  }

  onIdle(session: Session): void {
    if (session.closed && !session.gone) this.#close(session);
  }

  /** Writes what still waits, for a host that stops. */
  flush(): void {
    this.#records.flush();
    this.messages.flush();
  }

  perform(session: Session, effect: Effect): void {
    if (effect.type === 'invite') session.dossier.invites[effect.leg] = effect;
    if (effect.type === 'fetchPreferences' && session.restored) this.#askAgain(session);
    perform(effect, this.#performing(session));
    forgetUsed(effect, session.dossier);
    if (effect.type === 'answer' || (effect.type === 'forwardResponse' && session.state === 'proxying')) {
      // A proxy repeats no 2xx, and one that is long known has had its ACK.
      thin(session.dossier, effect.type === 'answer' && !session.stale ? effect : null);
      this.#noteInstance(session);
    }
  }

  /** The process that asked for the preferences is gone. */
  #askAgain(session: Session): void {
    const { dossier, context } = session;
    if (dossier.invite === null) return;
    const source = { address: '', port: 0, transport: '', trusted: dossier.trusted };
    const { query } = readInvitation(dossier.invite, source, context.invite.service, this.#options);
    const allowOfflineStorage = context.policy.defaultAllowOfflineStorage;
    this.#options.profiles.lookUp({ at: this.now(), allowOfflineStorage, ...query }, (profile) => {
      session.deliver({ type: 'preferencesKnown', profile });
    });
  }

  /** From here on the session can be extended on the client that has it. */
  #noteInstance({ id, context, dossier }: Session): void {
    const { instance, papers, served } = dossier;
    if (instance === null || papers.contributionId === '') return;
    this.instances.set(context.profile?.user ?? served, papers.contributionId, instance, id);
  }

  #performing(session: Session): Performing {
    const { identity, contacts, media, coreRouteSets, isf, sip, deferral } = this.#options;
    const { dossier, context, stale } = session;
    return {
      session: session.id,
      legs: session,
      context,
      dossier,
      identity,
      contacts,
      media,
      coreRouteSets,
      isf,
      deferral,
      stale,
      execute: (command) => sip.execute(command),
      free: (legs) => this.#free(session, legs),
    };
  }

  #free(session: Session, legs: readonly LegName[]): void {
    const due = session.toFree(legs);
    if (due.length > 0) this.#options.media.release(session.id, due);
  }

  #close(session: Session): void {
    const { context } = session;
    session.end();
    // An invitation that came to nothing had media too; a proxy has none (invariant 5).
    if (context.mode === 'b2bua') this.#free(session, Object.keys(context.legs));
    this.#records.forget(session);
    this.sessions.delete(session.id);
    this.counters.ended++;
    const reason = context.ending?.reason ?? 'failed';
    this.counters.byReason[reason] = (this.counters.byReason[reason] ?? 0) + 1;
    const { instance, papers, served } = session.dossier;
    if (instance !== null) this.instances.delete(context.profile?.user ?? served, papers.contributionId, session.id);
    for (const leg of Object.keys(context.legs)) {
      this.#options.sip.execute({ type: 'release', leg: session.legId(leg) });
    }
    this.#options.media.end?.(session.id);
    this.#options.ended?.(session);
  }

  // --- restart --------------------------------------------------------------------------------------------------

  /**
   * Takes up every stored session. Effects that may not have left are carried out again. `kept` is the history work that the
   * store has; with what the sessions order again it is done in the order of the conversations.
   */
  restore(kept: readonly HistoryIntent[] = []): number {
    const { store, log } = this.#options;
    const taken: Resumed[] = [];
    const named = new Set<string>();
    const policyNamed = (key: string): Policy => {
      named.add(key);
      return this.#records.policyNamed(key) ?? this.policy;
    };
    // One that begins first has its policy in the store already; a record that can't be read may name any.
    let allNamed = this.sessions.size === 0;
    store.load((id, origin, state) => {
      try {
        if (this.messages.load(id, origin, state, policyNamed)) return;
        taken.push(resumed(this, { origin, state }, policyNamed, this.now(), this.#options.sip));
      } catch (error) {
        allNamed = false;
        log.problem('a stored session can not be read', { session: id, error: (error as Error).message });
      }
    });
    if (allNamed) store.keepPolicies?.(named);
    // Of two on the same client for the same conversation, the later counts; the store has them in no order.
    taken.sort((left, right) => left.session.startedAt - right.session.startedAt);
    for (const { session } of taken) {
      this.sessions.set(session.id, session);
      this.counters.restored++;
      if (session.context.ending === null && isLive(session.context.legs.a)) this.#noteInstance(session);
      const { ending, mode } = session.context;
      // In proxy mode there are descriptions, and no media of ours (invariant 5).
      if (ending === null && mode === 'b2bua') this.#options.media.restore?.(session.id, storedMediaLegs(session));
    }
    const work = [...kept];
    for (const { session, expired } of taken) {
      const { stale } = session;
      session.run();
      session.stale = false;
      if (stale) giveUpRelays(session);
      work.push(...this.#records.takenUp(session));
      if (expired) session.deliver({ type: 'endOrdered', by: 'shutdown' });
    }
    if (work.length > 0) this.#options.history.submit(work.sort((left, right) => left.at - right.at));
    this.messages.resume();
    return taken.length;
  }
}
