/**
 * The registry of pager-mode messages: each MESSAGE of the CPM message service is one, from its arrival until its sender
 * and, where it was kept, its receiver have had what is theirs. What a message wants done is stored first and done after.
 */
import type { MessageContext, Outcome } from '../../../machines/message/context.ts';
import type { Effect, Order } from '../../../machines/message/effects.ts';
import type { MessageEvent } from '../../../machines/message/events.ts';
import { assumedProfile } from '../../../machines/session/actions/invite.ts';
import type { Policy, Profile } from '../../../machines/session/policy.ts';
import type { RuledPolicy } from '../../policy/ruled-policy.ts';
import { headerField } from '../../sip/message/header.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import type { SipEvent } from '../../sip/port.ts';
import type { EngineOptions } from '../engine.ts';
import { LastKnown } from '../last-known.ts';
import { serviceOf } from '../service.ts';
import { Message } from './message.ts';
import { MessageStore } from './message-store.ts';
import { MESSAGE_SERVICE, messageQuestion, readMessage } from './papers.ts';
import { performForMessage } from './perform.ts';
import { Queues } from './queues.ts';
import { isMessageRecord, restoredMessage, type StoredMessage } from './stored-message.ts';
import { Turns } from './turns.ts';

export interface MessagesHost {
  readonly policies: RuledPolicy;
  /** True once nothing new is taken: the host shuts down. */
  readonly refusing: boolean;
}

type WithoutStamp<E> = E extends MessageEvent ? Omit<E, 'step' | 'at' | 'kept'> : never;
type Unstamped = WithoutStamp<MessageEvent>;

/** Messages whose senders wait, at the most: a core that sends more than it takes away gets 503. */
const MAX_WAITING_SENDERS = 10_000;

export interface MessageCounters {
  /** Messages kept with a 202. */
  deferred: number;
  /** Notifications sent about messages that were given up. */
  notified: number;
  readonly byOutcome: Partial<Record<Outcome, number>>;
}

export class Messages {
  readonly queues = new Queues();
  readonly counters: MessageCounters = { deferred: 0, notified: 0, byOutcome: {} };
  readonly #options: EngineOptions;
  readonly #host: MessagesHost;
  readonly #live = new Map<string, Message>();
  readonly #lastKnown = new LastKnown();
  readonly #store: MessageStore;
  readonly #turns: Turns;
  #loaded: StoredMessage[] = [];

  constructor(options: EngineOptions, host: MessagesHost) {
    this.#options = options;
    this.#host = host;
    this.#store = new MessageStore(options, (message) => this.#run(message));
    this.#turns = new Turns({
      queues: this.queues,
      profiles: options.profiles,
      now: () => this.#now(),
      atOnce: () => host.policies.base.messages.deferred.atOnce,
      turnCame: (message) => this.#deliver(message, { type: 'turnCame' }),
    });
  }

  /** Messages that are not over. */
  get size(): number {
    return this.#live.size;
  }

  /** Takes a MESSAGE of the CPM message service; false for anything else. */
  take({ exchange, request, source }: Extract<SipEvent, { type: 'outside' }>): boolean {
    const { sip } = this.#options;
    // A port that can't take it up after a restart is none that a promise can be made on.
    if (request.method !== 'MESSAGE' || sip.restoreOutside === undefined) return false;
    if (serviceOf(request) !== MESSAGE_SERVICE) return false;
    if (this.#host.refusing || this.#live.size - this.queues.size >= MAX_WAITING_SENDERS) {
      sip.execute({ type: 'reply', exchange, status: 503, headers: [headerField('Retry-After', '10')] });
      return true;
    }
    const at = this.#now();
    // What we deliver may pass here once more, on its way from the core to the user's clients.
    const ours = source.trusted && this.#turns.isDelivered(this.#live.get(request.callId));
    const papers = readMessage(request, source.trusted, ours, at, this.#options);
    this.#begin(exchange, papers, at);
    return true;
  }

  #begin(id: string, papers: Message['papers'], at: number): void {
    const { query, served, role } = papers.asked;
    let message: Message | undefined;
    let known: Profile | undefined;
    const policy = this.#host.policies.choose(messageQuestion(papers, at));
    const allowOfflineStorage = policy.defaultAllowOfflineStorage;
    this.#options.profiles.lookUp({ at, allowOfflineStorage, ...query }, (profile) => {
      known = profile;
      if (message === undefined) return;
      this.#lastKnown.keep(query, profile);
      this.#deliver(message, { type: 'preferencesKnown', profile });
    });
    message = Message.begin(
      {
        id,
        role,
        policy,
        profile: known ?? null,
        lastKnown: known === undefined ? this.#lastKnown.of(query) : null,
        message: papers.facts,
        kept: this.queues.about(papers, known?.user ?? served, policy.messages.deferred),
        at,
      },
      papers,
    );
    this.#live.set(id, message);
    this.#took(message, 0);
  }

  /**
   * Keeps what was said in a session for a user who is away; `said` is the INVITE of the session with the message as
   * its body. True once it can't be lost any more, or is kept already; false where there is no room.
   */
  keep(id: string, said: SipRequest): boolean {
    const at = this.#now();
    const papers = readMessage(said, true, false, at, this.#options);
    const { served, role } = papers.asked;
    const policy = this.#host.policies.choose(messageQuestion(papers, at));
    const kept = this.queues.about(papers, served, policy.messages.deferred);
    if (kept.known || !kept.room || this.#host.refusing) return kept.known;
    const profile = { ...assumedProfile(null, policy), user: served };
    const message = Message.begin(
      { id, role, policy, profile, lastKnown: null, message: papers.facts, kept, at },
      papers,
    );
    this.#live.set(id, message);
    this.#took(message, 0);
    // Whoever said it hears 200 next.
    this.#store.flush();
    return true;
  }

  /** What became of a message that was to be said in a session: a status of SIP. */
  said(id: string, status: number): void {
    const message = this.#live.get(id);
    if (message !== undefined) this.#answered(message, status, false);
  }

  /** The final answer to a MESSAGE of ours. */
  onAnswer({ exchange, status, response, cause }: Extract<SipEvent, { type: 'outsideAnswered' }>): void {
    const message = this.#live.get(exchange);
    if (message === undefined) return;
    if (!message.context.answered) message.papers.response = response ?? null;
    this.#answered(message, status, cause === 'timeout');
  }

  #answered(message: Message, status: number, late: boolean): void {
    const ok = status >= 200 && status < 300;
    this.#deliver(message, ok ? { type: 'answered', status } : { type: 'failed', status, late });
  }

  /** A user has registered, under any of these addresses: what is kept may be delivered. */
  registered(addresses: readonly string[]): void {
    if (this.queues.size > 0) for (const address of addresses) this.#turns.see(address);
  }

  /** Removes a kept message by order. False where none is kept under this name. */
  drop(id: string): boolean {
    const message = this.#live.get(id);
    if (message?.kept !== true) return false;
    this.#deliver(message, { type: 'dropOrdered' });
    return true;
  }

  /** Writes what still waits, for a host that stops. */
  flush(): void {
    this.#store.flush();
  }

  // --- steps ---------------------------------------------------------------------------------------------------

  #now(): number {
    return this.#options.clock.now();
  }

  #deliver(message: Message, event: Unstamped): void {
    if (message.closed) return;
    const before = message.context.checkpoint;
    const user = ('profile' in event ? event.profile.user : null) ?? message.user;
    const kept = this.queues.about(message, user, message.context.policy.messages.deferred);
    message.step++;
    message.send({ step: message.step, at: this.#now(), kept, ...event } as MessageEvent);
    this.#took(message, before);
  }

  /** After each step: its place in the queue, its deadlines, and what it wants done. */
  #took(message: Message, checkpoint: number): void {
    if (message.kept && this.queues.join(message)) this.counters.deferred++;
    const left = !message.kept && this.queues.leave(message);
    const free = this.#turns.note(message);
    this.#arm(message);
    if (message.context.checkpoint !== checkpoint) this.#store.mustStore(message);
    else this.#run(message);
    if (left) this.#turns.see(message.user);
    if (free) this.#turns.seePatient();
  }

  #run(message: Message): void {
    while (message.writes === 0) {
      const effect = message.pending.shift();
      if (effect === undefined) break;
      if (effect.type === 'notifySender') this.counters.notified++;
      performForMessage(effect, this.#performing(message));
    }
    if (message.writes === 0 && message.closed) this.#close(message);
    else message.fold();
  }

  #performing(message: Message) {
    const { identity, isf, coreRouteSets, sip, deferral, defer } = this.#options;
    const { id, context, papers } = message;
    return {
      id,
      context,
      papers,
      now: this.#now(),
      identity,
      isf,
      coreRouteSets,
      execute: sip.execute.bind(sip),
      deliverInSession: () => {
        if (deferral !== undefined) deferral.deliver(id, papers.request);
        else defer(() => this.said(id, 480));
      },
      seeToTurn: () => this.#turns.see(message.user),
    };
  }

  #close(message: Message): void {
    if (!this.#live.delete(message.id)) return;
    message.timer?.cancel();
    const outcome = message.context.outcome ?? 'failed';
    this.counters.byOutcome[outcome] = (this.counters.byOutcome[outcome] ?? 0) + 1;
  }

  /** Deadlines are data; one timer waits for the earliest that is still to come. */
  #arm(message: Message): void {
    const now = this.#now();
    const coming = Object.entries(message.context.deadlines).filter(([, at]) => at > now);
    const earliest = Math.min(...coming.map(([, at]) => at));
    if (message.timer?.dueAt === earliest) return;
    message.timer?.cancel();
    message.timer =
      coming.length === 0 ? undefined : this.#options.clock.schedule(earliest - now, this.#waker(message), 'message');
  }

  #waker(message: Message) {
    return {
      onTimer: () => {
        message.timer = undefined;
        this.#wake(message);
        this.#arm(message);
      },
    };
  }

  /** Raises the events of those deadlines that are over. */
  #wake(message: Message): void {
    const now = this.#now();
    for (const [type, at] of Object.entries(message.context.deadlines)) {
      if (at <= now && message.context.deadlines[type] === at) this.#deliver(message, { type } as Unstamped);
    }
  }

  // --- restart --------------------------------------------------------------------------------------------------

  /** A stored record, where it is one of a message; false where it is none. */
  load(record: string, origin: string, state: string, policyNamed: (key: string) => Policy): boolean {
    if (!isMessageRecord(record)) return false;
    const { message, storedAt } = restoredMessage({ origin, state }, policyNamed, this.#options);
    this.#live.set(message.id, message);
    if (message.kept) this.queues.join(message);
    this.#turns.note(message);
    this.#loaded.push({ message, storedAt });
    return true;
  }

  /** Takes up what was loaded: effects that may not have left are carried out again, the oldest message first. */
  resume(): void {
    const loaded = this.#loaded.sort((left, right) => left.message.context.at - right.message.context.at);
    this.#loaded = [];
    for (const { message, storedAt } of loaded) this.#resume(message, storedAt);
    for (const user of this.queues.users) this.#turns.see(user);
  }

  #resume(message: Message, storedAt: number): void {
    const { context, papers } = message;
    const fresh = this.#now() - storedAt < context.policy.timers.transactionMs;
    const owesAnswer = !context.answered || message.pending.some(({ type }) => ANSWERS.has(type));
    // Later its sender has given up: nobody is there to be answered.
    if (owesAnswer && fresh) this.#options.sip.restoreOutside?.(message.id, papers.request);
    if (!context.answered && !fresh) {
      message.pending = [];
      return this.#deliver(message, { type: 'senderGone' });
    }
    message.pending.unshift(...underWay(message));
    this.#run(message);
    this.#wake(message);
    this.#arm(message);
  }
}

const ANSWERS: ReadonlySet<string> = new Set(['accept', 'refuse', 'passAnswer']);

/** What was sent and has no answer yet is sent again: on the same branch, so that whoever has it takes it for a copy. */
function underWay({ state, context, pending }: Message): Effect[] {
  const again = openRequest(state, context);
  if (again === undefined || pending.some(({ type }) => type === again.type)) return [];
  return [{ ...again, id: 'again' }];
}

function openRequest(state: string, { way, deliveries }: MessageContext): Order | undefined {
  if (state === 'passing' || (state === 'kept.delivering' && deliveries === 0)) {
    return { type: 'pass', to: way ?? 'core' };
  }
  if (state === 'kept.delivering') return { type: 'deliver', number: deliveries };
  return state === 'ending.notifying' ? { type: 'notifySender' } : undefined;
}
