/**
 * The SIP stack: bytes in, events out; commands in, bytes out. It owns transactions, dialogs and the mechanics of
 * proxying; what a session should do is decided by whoever listens.
 */
import type { Clock } from '../time/clock.ts';
import { newCounters } from './counters.ts';
import type { RoutedRequest } from './dialog/dialog.ts';
import { type Flow, type TransportName, transportParam } from './flow.ts';
import type { IdentifierSource } from './identifiers.ts';
import { bytesOfWire } from './message/bytes.ts';
import type { Frame } from './message/frame.ts';
import { type HeaderField, headerField, inOnePiece } from './message/header.ts';
import type { SipRequest, SipResponse } from './message/message.ts';
import { KNOWN_METHODS } from './message/methods.ts';
import { type MessageLimits, parseMessage } from './message/parse.ts';
import { responseTo } from './message/respond.ts';
import { serialize } from './message/serialize.ts';
import type { Network, Resolver } from './network.ts';
import { OutsideExchanges } from './outside-exchanges.ts';
import { OwedAnswers } from './owed-answers.ts';
import type { LegId, Payload, ProxyCommand, SipCommand, SipEvent, SipPort, Source, WhenStored } from './port.ts';
import type { ProxyContext } from './proxy/context.ts';
import { forwardAckStateless, passThrough } from './proxy/pass-through.ts';
import type { ProxiedState } from './proxy/proxied-session.ts';
import { ProxiedSessions } from './proxy/proxied-sessions.ts';
import { forwardsLeft, hasLooped, takeOwnRoute, topRouteKey } from './proxy/rules.ts';
import { Reception, type ReceptionUser } from './reception.ts';
import { RequestSender } from './sender.ts';
import type { ClientUser } from './transaction/client.ts';
import type { InviteServerTransaction } from './transaction/invite-server.ts';
import { TransactionLayer } from './transaction/layer.ts';
import type { ServerTransaction } from './transaction/server.ts';
import { DEFAULT_TIMERS, type TimerValues, transactionTimeout } from './transaction/timers.ts';
import type { AckCopy, Sending, UserAgentContext } from './user-agent/context.ts';
import type { Leg, LegState } from './user-agent/leg.ts';
import { Legs } from './user-agent/legs.ts';
import { Subscription, type SubscriptionOptions, type SubscriptionUser } from './user-agent/subscription.ts';
import { UasLeg } from './user-agent/uas-leg.ts';
import { wayBack } from './way-back.ts';

export interface SipStackOptions {
  readonly clock: Clock;
  readonly identifiers: IdentifierSource;
  readonly network: Network;
  readonly resolver: Resolver;
  /** From 0 to below 1, for SRV weights. */
  readonly random: () => number;
  readonly timers?: TimerValues;
  readonly limits?: MessageLimits;
  /** True for a peer whose assertions are believed. */
  readonly trusts?: (address: string) => boolean;
  /** Seconds a caller shall wait before trying again, or undefined where new sessions and messages are welcome. */
  readonly overload?: () => number | undefined;
  /** Methods answered with an event; others get 501. */
  readonly methods?: readonly string[];
}

/** What a function that has too much to do already is better spared. */
const LOADS = ['INVITE', 'MESSAGE'];

export class SipStack implements SipPort, UserAgentContext, ProxyContext, ReceptionUser {
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly counters = newCounters();
  readonly sender: RequestSender;
  readonly #options: SipStackOptions;
  readonly #reception: Reception;
  readonly #layer: TransactionLayer;
  readonly #legs = new Legs(this);
  readonly #proxied: ProxiedSessions;
  readonly #outside = new OutsideExchanges(this);
  readonly #owed: OwedAnswers;
  /** Subscriptions of ours, by local tag. */
  readonly #subscriptions = new Map<string, Subscription>();
  #listener: (event: SipEvent) => void = () => {};
  #whenStored: WhenStored = (_, then) => then();

  constructor(options: SipStackOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.timers = options.timers ?? DEFAULT_TIMERS;
    this.#reception = new Reception(options, this.counters, this);
    this.#layer = new TransactionLayer(options.clock, this.timers);
    const { network, resolver, random } = options;
    this.sender = new RequestSender(this.#layer, network, {
      resolver,
      random,
      speaks: (transport) => network.speaks(transport),
      unsendable: () => this.counters.unsendable++,
    });
    this.#owed = new OwedAnswers(options.clock, transactionTimeout(this.timers));
    this.#proxied = new ProxiedSessions(this);
  }

  onEvent(listener: (event: SipEvent) => void): void {
    this.#listener = listener;
  }

  emit(event: SipEvent): void {
    this.#listener(event);
  }

  /** What is held, for metrics and for tests that nothing leaks. */
  get held(): { clients: number; servers: number; legs: number; proxied: number } {
    return { ...this.#layer.size, legs: this.#legs.size, proxied: this.#proxied.size };
  }

  // --- from the network ------------------------------------------------------------------------------------

  /** One datagram, or one message cut out of a stream. */
  receive(bytes: Uint8Array, flow: Flow): void {
    this.#reception.receive(bytes, flow);
  }

  /** What stream framing found. False: the connection can't be followed any further and must be closed. */
  receiveFrame(frame: Frame, flow: Flow): boolean {
    return this.#reception.receiveFrame(frame, flow);
  }

  onResponse(response: SipResponse): void {
    if (this.#layer.receiveResponse(response)) return;
    this.counters.strayResponses++;
    if (response.cseq?.method === 'INVITE' && response.status >= 200 && response.status < 300) {
      const leg = this.#legs.find(response.fromTag ?? '');
      if (leg === undefined) this.#forwardStray(response);
      else leg.receiveStray(response);
    }
  }

  /**
   * RFC 6026 8.9 lets no stray 2xx pass; but after a restart the transaction of a session in proxy mode is gone while
   * its 2xx is still said again, until the ACK that was lost comes (RFC 3261 13.3.1.4).
   */
  #forwardStray(response: SipResponse): void {
    const [, key = ''] = /^z9hG4bK([^.]+)\.[ab]/.exec(response.branch ?? '') ?? [];
    const session = this.#proxied.get(key);
    if (session === undefined) return;
    const forwarded = session.forwarded(response);
    wayBack(forwarded, this.#options.network)?.send(serialize(forwarded));
  }

  onRequest(request: SipRequest, flow: Flow): void {
    if (this.#layer.receiveRequest(request)) {
      this.counters.retransmitted++;
      return;
    }
    if (request.method === 'ACK') this.#receiveAck(request);
    else if (request.method === 'CANCEL') this.#receiveCancel(request, flow);
    else if (request.toTag !== undefined) this.#receiveInDialog(request, flow);
    else this.#receiveInitial(request, flow);
  }

  #receiveAck(request: SipRequest): void {
    const leg = this.#legs.find(request.toTag ?? '');
    if (leg !== undefined && !this.#passesProxied(request)) {
      leg.receiveAck(request);
      return;
    }
    const key = takeOwnRoute(request, this.#options.network);
    const session = key === undefined ? undefined : this.#proxied.get(key);
    if (session !== undefined) session.receiveAck(request);
    else if (key !== undefined && forwardsLeft(request) >= 0) forwardAckStateless(this.sender, request);
    else this.counters.strayAcks++;
  }

  /**
   * RFC 3261 16.4: the Route is followed first. A session in proxy mode may stand in the way to a leg of this same
   * process, where one of them is the caller's and the other the callee's.
   */
  #passesProxied(request: SipRequest): boolean {
    const key = topRouteKey(request, this.#options.network);
    return key !== undefined && this.#proxied.get(key) !== undefined;
  }

  #receiveCancel(cancel: SipRequest, flow: Flow): void {
    const invite = this.#layer.findCancelled(cancel);
    const transaction = this.#layer.createServer(cancel, flow);
    if (invite === undefined) {
      transaction.respond(responseTo(cancel, 481));
      return;
    }
    transaction.respond(responseTo(cancel, 200, { toTag: invite.user instanceof UasLeg ? invite.user.id : undefined }));
    invite.onCancel?.(cancel);
  }

  #receiveInDialog(request: SipRequest, flow: Flow): void {
    const tag = request.toTag ?? '';
    const leg = this.#legs.find(tag);
    if (leg !== undefined && !this.#passesProxied(request)) {
      leg.receive(request, this.#layer.createServer(request, flow), tag);
      return;
    }
    const transaction = this.#layer.createServer(request, flow);
    const subscription = this.#subscriptions.get(tag);
    if (subscription !== undefined) return subscription.receive(request, transaction);
    const owed = this.#owed.to(request);
    if (owed !== undefined) {
      transaction.respond(owed);
      return;
    }
    const key = takeOwnRoute(request, this.#options.network);
    if (key === undefined) transaction.respond(responseTo(request, 481));
    else if (forwardsLeft(request) < 0) transaction.respond(responseTo(request, 483));
    else {
      const session = this.#proxied.get(key);
      if (session !== undefined) session.receive(request, transaction);
      else {
        const branch = this.#options.identifiers.token();
        passThrough(this, request, [request.list('route')], transaction, branch);
      }
    }
  }

  #receiveInitial(request: SipRequest, flow: Flow): void {
    const { network, identifiers } = this.#options;
    const refuse = (status: number, headers: HeaderField[] = []): void => {
      this.counters.refused++;
      const transaction = this.#layer.createServer(request, flow);
      transaction.respond(responseTo(request, status, { toTag: identifiers.token(), headers }));
    };
    if (!KNOWN_METHODS.includes(request.method)) return refuse(501, [headerField('Allow', this.#allow())]);
    if (request.method !== 'OPTIONS' && forwardsLeft(request) < 0) return refuse(483);
    if (hasLooped(request, network)) return refuse(482);
    const source = this.#sourceOf(flow);
    const retryAfter = LOADS.includes(request.method) ? this.#options.overload?.() : undefined;
    if (retryAfter !== undefined) {
      this.counters.overloaded++;
      return refuse(503, [headerField('Retry-After', String(retryAfter))]);
    }
    if (request.method !== 'INVITE') {
      const exchange = identifiers.token();
      this.#outside.open(exchange, request, this.#layer.createServer(request, flow));
      this.emit({ type: 'outside', exchange, request, source });
      return;
    }
    const mergeKey = mergeKeyOf(request);
    if (this.#layer.isMerged(mergeKey) || this.#legs.isAnsweredCopy(request)) {
      this.counters.merged++;
      return refuse(482);
    }
    const transaction = this.#layer.createServer(request, flow, mergeKey) as InviteServerTransaction;
    const leg: LegId = `${identifiers.token()}.a`;
    this.#legs.await(leg, transaction);
    this.emit({ type: 'invite', leg, request, source });
  }

  #sourceOf(flow: Flow): Source {
    return {
      address: flow.remoteAddress,
      port: flow.remotePort,
      transport: flow.transport,
      trusted: this.#options.trusts?.(flow.remoteAddress) ?? false,
    };
  }

  #allow(): string {
    return (this.#options.methods ?? KNOWN_METHODS).join(', ');
  }

  // --- from the session ------------------------------------------------------------------------------------

  execute(command: SipCommand): void {
    switch (command.type) {
      case 'reply':
        return this.#outside.reply(command);
      case 'replyAs':
        return this.#outside.replyAs(command.exchange, command.response);
      case 'leaveUnanswered':
        return this.#outside.leaveUnanswered(command.exchange);
      case 'sendOutside':
        return this.#outside.send(command);
      case 'passThrough':
        return this.#passThrough(command);
      case 'release':
        this.#legs.execute(command);
        if (command.leg.endsWith('.a')) this.#proxied.release(command.leg);
        return;
      case 'forwardInvite':
      case 'forwardResponse':
      case 'cancelBranch':
      case 'forwardAck':
      case 'forwardRequest':
      case 'forwardReply':
        return this.#executeProxy(command);
      default:
        return this.#legs.execute(command);
    }
  }

  /** Begins a subscription of ours; `unsubscribe` it by its id when it is over. */
  subscribe(options: SubscriptionOptions, user: SubscriptionUser): Subscription {
    const subscription = new Subscription(this, options, user);
    this.#subscriptions.set(options.id, subscription);
    subscription.subscribe();
    return subscription;
  }

  unsubscribe(id: string): void {
    this.#subscriptions.get(id)?.end();
    this.#subscriptions.delete(id);
  }

  #executeProxy(command: ProxyCommand): void {
    if (command.type === 'forwardInvite') {
      const transaction = this.#legs.awaiting(command.leg);
      if (transaction !== undefined) this.#proxied.forwardInvite(command, transaction);
      return;
    }
    this.#proxied.execute(command);
    if (command.type !== 'forwardResponse') return;
    const { leg, branch, stored } = command;
    if (stored !== undefined && !this.#proxied.sent(leg, branch)) this.#forwardStray(stored);
    if (this.#legs.awaiting(command.leg)?.answered === true) this.#legs.settle(command.leg);
  }

  #passThrough(command: Extract<SipCommand, { type: 'passThrough' }>): void {
    const transaction = this.#legs.awaiting(command.leg);
    this.#legs.settle(command.leg);
    if (transaction === undefined) return;
    const request = command.request.copy();
    takeOwnRoute(request, this.#options.network);
    const sent = request.has('route') ? [request.list('route')] : command.routeSets;
    passThrough(this, request, sent, transaction, command.leg);
  }

  // --- for legs and proxied sessions ------------------------------------------------------------------------

  send(alternatives: readonly RoutedRequest[], branch: string, user: ClientUser): Sending {
    return this.sender.send(alternatives, branch, user);
  }

  resume(alternatives: readonly RoutedRequest[], branch: string, user: ClientUser): Sending {
    return this.sender.resume(alternatives, branch, user);
  }

  sendAck(routed: RoutedRequest, branch: string): AckCopy {
    return this.sender.sendAck(routed, branch);
  }

  owe(localTag: string, request: string, status: number, payload: Payload): void {
    this.#owed.add(localTag, request, status, payload);
  }

  whenStored(leg: LegId, then: () => void): void {
    this.#whenStored(leg, then);
  }

  recordRoute(user: string, transport: TransportName): string {
    return `<sip:${user}@${this.#options.network.sentBy(transport)}${transportParam(transport)};lr>`;
  }

  bind(tag: string, leg: Leg): void {
    this.#legs.bind(tag, leg);
  }

  unbind(tag: string): void {
    this.#legs.unbind(tag);
  }

  // --- restart ---------------------------------------------------------------------------------------------

  /** A leg's dialogs as JSON; undefined where the leg is not known. */
  exportLeg(id: LegId): LegState | undefined {
    return this.#legs.find(id)?.exported();
  }

  exportProxied(key: string): ProxiedState | undefined {
    return this.#proxied.get(key)?.exported();
  }

  /** A leg as it was exported; requests inside its dialog are taken again. */
  restoreLeg(state: LegState): void {
    this.#legs.restore(state);
  }

  /** What an INVITE that will be said again, or answered again, had come to. */
  restoreEarly(state: LegState): void {
    this.#legs.restoreEarly(state);
  }

  /** The transaction of a request that came before: copies find it, and the answer goes back by its Via. */
  #serverAgain(request: SipRequest, mergeKey?: string): ServerTransaction | undefined {
    const flow = wayBack(request, this.#options.network);
    return flow === undefined ? undefined : this.#layer.createServer(request, flow, mergeKey);
  }

  /** An INVITE that has no final answer yet. */
  restoreInvite(leg: LegId, request: SipRequest): void {
    const transaction = this.#serverAgain(request, mergeKeyOf(request));
    if (transaction !== undefined) this.#legs.resumeInvite(leg, transaction as InviteServerTransaction);
  }

  /** A re-INVITE that has no final answer yet, or no ACK. */
  restoreOffer(id: LegId, exchange: string, request: SipRequest): void {
    const leg = this.#legs.find(id);
    const transaction = leg === undefined ? undefined : this.#serverAgain(request);
    if (transaction !== undefined) leg?.resume(exchange, transaction, request);
  }

  /** A request outside any dialog that has no answer yet. */
  restoreOutside(exchange: string, request: SipRequest): void {
    const transaction = this.#serverAgain(request);
    if (transaction !== undefined) this.#outside.open(exchange, request, transaction);
  }

  /** A session in proxy mode. Re-INVITEs that had no final answer go on: behind a 100 no copy of them comes. */
  restoreProxied({ offers = [], ...state }: ProxiedState): void {
    const session = this.#proxied.open(state);
    for (const offer of offers) {
      const { message } = parseMessage(bytesOfWire(offer));
      if (message?.kind !== 'request') continue;
      const transaction = this.#serverAgain(message);
      if (transaction !== undefined) session.resume(message, transaction);
    }
  }

  storedBy(whenStored: WhenStored): void {
    this.#whenStored = whenStored;
  }

  /** Ends everything at once, for a host that stops. */
  close(): void {
    this.#layer.clear();
    this.#legs.clear();
    this.#proxied.clear();
    this.#outside.clear();
    this.#subscriptions.clear();
  }
}

/** RFC 3261 8.2.2.2. The served side is part of the key: the same request may come for caller and callee. */
function mergeKeyOf(request: SipRequest): string {
  const served = request.header('p-served-user') ?? request.header('route') ?? '';
  return inOnePiece(`${request.callId} ${request.fromTag ?? ''} ${request.cseq?.number} ${request.uri} ${served}`);
}
