/** Sends requests: finds the next hop, opens the transaction, and goes on to the next target when one fails. */

import type { Timer, TimerOwner } from '../time/clock.ts';
import type { RoutedRequest } from './dialog/dialog.ts';
import type { Flow, Target } from './flow.ts';
import { type LocateOptions, locate } from './locate/locate.ts';
import { type HeaderField, headerField } from './message/header.ts';
import { SipRequest, type SipResponse } from './message/message.ts';
import { type Packet, packet, packetBytes } from './message/serialize.ts';
import { MAGIC_COOKIE } from './message/via.ts';
import type { Network } from './network.ts';
import { type ClientUser, NOBODY } from './transaction/client.ts';
import type { InviteClientTransaction } from './transaction/invite-client.ts';
import type { TransactionLayer } from './transaction/layer.ts';
import type { NonInviteClientTransaction } from './transaction/non-invite-client.ts';
import { transactionTimeout } from './transaction/timers.ts';
import type { AckCopy, Sending } from './user-agent/context.ts';

export interface SenderOptions extends LocateOptions {
  /** A message without a transaction could be sent nowhere: nobody else hears of it. */
  readonly unsendable?: () => void;
}

/** How long a target that did not answer is tried last instead of first. */
const AVOID_MS = 30_000;
/** Targets remembered as silent. */
const MAX_AVOIDED = 256;

export class RequestSender {
  readonly #layer: TransactionLayer;
  readonly #network: Network;
  readonly #locating: SenderOptions;
  readonly #avoided = new Map<string, number>();

  constructor(layer: TransactionLayer, network: Network, locating: SenderOptions) {
    this.#layer = layer;
    this.#network = network;
    this.#locating = locating;
  }

  send(alternatives: readonly RoutedRequest[], branch: string, user: ClientUser): Sending {
    const attempt = new Attempt(this, this.#layer, alternatives, branch, user);
    attempt.next();
    return attempt;
  }

  /** Takes up an INVITE that left before a restart: its answer is awaited, and it can be cancelled. */
  resume(alternatives: readonly RoutedRequest[], branch: string, user: ClientUser): Sending {
    const attempt = new Attempt(this, this.#layer, alternatives.slice(0, 1), branch, user, true);
    attempt.next();
    return attempt;
  }

  /** Sends an ACK for a 2xx: no transaction, nothing repeated but on demand. */
  sendAck(routed: RoutedRequest, branch: string): AckCopy {
    const copy = new SentAck();
    this.locate(routed, (targets) => {
      const flow = this.flowTo(targets[0]);
      if (flow === undefined) this.#locating.unsendable?.();
      else copy.send(flow, packet(this.through(routed, flow, branch)));
    });
    return copy;
  }

  locate(routed: RoutedRequest, done: (targets: readonly Target[]) => void): void {
    locate(routed.hop, this.#locating, (targets) => done(this.#ordered(this.#sized(targets, routed.request))));
  }

  flowTo(target: Target | undefined): Flow | undefined {
    return target === undefined ? undefined : this.#network.connect(target);
  }

  /** A copy of the request with our Via for this way on top. */
  through(routed: RoutedRequest, flow: Flow, branch: string): SipRequest {
    const { request } = routed;
    const via = `SIP/2.0/${flow.transport} ${this.#network.sentBy(flow.transport)};branch=${MAGIC_COOKIE}${branch};rport`;
    const sent = new SipRequest(
      request.method,
      request.uri,
      [headerField('Via', via), ...request.headers],
      request.body,
    );
    routed.prepare?.(sent, flow);
    return sent;
  }

  avoid(target: Target): void {
    if (this.#avoided.size >= MAX_AVOIDED) this.#avoided.clear();
    this.#avoided.set(targetKey(target), this.#layer.clock.now() + AVOID_MS);
  }

  /** Targets that were silent a moment ago come last. */
  #ordered(targets: readonly Target[]): readonly Target[] {
    if (this.#avoided.size === 0 || targets.length < 2) return targets;
    const now = this.#layer.clock.now();
    const silent = (target: Target): boolean => (this.#avoided.get(targetKey(target)) ?? 0) > now;
    return [...targets.filter((target) => !silent(target)), ...targets.filter(silent)];
  }

  /** True while this hop's only known target is silent, so that another route set is worth trying first. */
  isAvoided(target: Target): boolean {
    return (this.#avoided.get(targetKey(target)) ?? 0) > this.#layer.clock.now();
  }

  /** RFC 3261 18.1.1: a request too large for a datagram goes over TCP, and over UDP where TCP is refused. */
  #sized(targets: readonly Target[], request: SipRequest): readonly Target[] {
    const first = targets[0];
    if (first === undefined || first.transport !== 'UDP' || !this.#network.speaks('TCP')) return targets;
    if (sizeOf(request) <= this.#network.maxDatagram(first.address)) return targets;
    return targets.flatMap((target) =>
      target.transport === 'UDP' ? [{ ...target, transport: 'TCP' as const }, target] : [target],
    );
  }
}

/** Keeps only what a repetition needs, for as long as the dialog lasts. */
class SentAck implements AckCopy {
  #flow: Flow | undefined;
  #packet: Packet | undefined;

  send(flow: Flow, ack: Packet): void {
    this.#flow = flow;
    this.#packet = ack;
    this.repeat();
  }

  repeat(): void {
    if (this.#flow !== undefined && this.#packet !== undefined) this.#flow.send(packetBytes(this.#packet));
  }
}

function targetKey(target: Target): string {
  return `${target.transport} ${target.address} ${target.port}`;
}

/** Bytes the request will have on the wire, near enough; the Via still to come is counted as 120. */
function sizeOf(request: SipRequest): number {
  let size = request.uri.length + request.body.length + 140;
  for (const field of request.headers) size += field.line.length + 2;
  return size;
}

/** One request, tried at one target after the other (RFC 3263 4.3) until one answers with other than 503 or 408. */
class Attempt implements ClientUser, Sending, TimerOwner {
  readonly #sender: RequestSender;
  readonly #layer: TransactionLayer;
  readonly #branch: string;
  readonly #user: ClientUser;
  /** The peer has the request already. */
  readonly #known: boolean;
  /** Alternatives not located yet. */
  #alternatives: RoutedRequest[];
  /** Targets of the alternative in hand that have not been tried. */
  #targets: Target[] = [];
  #routed: RoutedRequest | undefined;
  #target: Target | undefined;
  #transaction: InviteClientTransaction | NonInviteClientTransaction | undefined;
  #tries = 0;
  #lastFailure: SipResponse | 'timeout' | 'transport' = 'transport';
  #cancelling: readonly HeaderField[] | undefined;
  #cancelSent = false;
  #cancelLimit: Timer | undefined;
  #done = false;

  constructor(
    sender: RequestSender,
    layer: TransactionLayer,
    alternatives: readonly RoutedRequest[],
    branch: string,
    user: ClientUser,
    known = false,
  ) {
    this.#known = known;
    this.#sender = sender;
    this.#layer = layer;
    this.#alternatives = [...alternatives];
    this.#branch = branch;
    this.#user = user;
  }

  next(): void {
    const target = this.#targets.shift();
    if (target !== undefined) {
      this.#try(target);
      return;
    }
    const routed = this.#alternatives.shift();
    if (routed === undefined) {
      this.#giveUp();
      return;
    }
    this.#routed = routed;
    this.#sender.locate(routed, (targets) => {
      const [first] = targets;
      // The whole alternative is silent: keep it for last.
      if (first !== undefined && this.#alternatives.length > 0 && this.#tries === 0 && this.#sender.isAvoided(first)) {
        this.#alternatives.push(routed);
        this.#tries++;
      } else this.#targets = [...targets];
      if (!this.#done) this.next();
    });
  }

  #try(target: Target): void {
    const flow = this.#sender.flowTo(target);
    if (flow === undefined || this.#routed === undefined) {
      this.next();
      return;
    }
    this.#target = target;
    // A second try is a new transaction and must differ from the first (RFC 3263 4.3).
    const branch = this.#tries === 0 ? this.#branch : `${this.#branch}.${this.#tries}`;
    this.#tries++;
    const request = this.#sender.through(this.#routed, flow, branch);
    this.#transaction = this.#layer.createClient(request, flow, this);
    if (this.#known && 'resume' in this.#transaction) this.#transaction.resume();
    else this.#transaction.start();
  }

  #more(): boolean {
    return this.#cancelling === undefined && (this.#targets.length > 0 || this.#alternatives.length > 0);
  }

  onResponse(response: SipResponse): void {
    if (response.status < 200) this.#onProvisional(response);
    else if ((response.status === 503 || response.status === 408) && this.#more()) {
      this.#lastFailure = response;
      if (this.#target !== undefined) this.#sender.avoid(this.#target);
      this.next();
    } else this.#finish(() => this.#user.onResponse(response));
  }

  #onProvisional(response: SipResponse): void {
    if (this.#cancelling !== undefined && !this.#cancelSent) this.#sendCancel(this.#cancelling);
    this.#user.onResponse(response);
  }

  onTimeout(): void {
    this.#lastFailure = 'timeout';
    if (this.#target !== undefined) this.#sender.avoid(this.#target);
    if (this.#more()) this.next();
    else this.#giveUp();
  }

  onTransportError(): void {
    this.#lastFailure = 'transport';
    if (this.#target !== undefined) this.#sender.avoid(this.#target);
    if (this.#more()) this.next();
    else this.#giveUp();
  }

  #giveUp(): void {
    const failure = this.#lastFailure;
    this.#finish(() => {
      if (failure === 'timeout') this.#user.onTimeout();
      else if (failure === 'transport') this.#user.onTransportError('no target could be reached');
      else this.#user.onResponse(failure);
    });
  }

  #finish(tell: () => void): void {
    this.#cancelLimit?.cancel();
    this.#done = true;
    // Copies of a 2xx, and those of other forks, still come for 64*T1, and go to whoever sent the INVITE.
    if (this.#transaction !== undefined) this.#transaction.user = this.#user;
    this.#transaction = undefined;
    this.#routed = undefined;
    this.#target = undefined;
    this.#targets = [];
    this.#alternatives = [];
    tell();
  }

  cancel(headers: readonly HeaderField[]): void {
    if (this.#done || this.#cancelling !== undefined) return;
    this.#cancelling = headers;
    const transaction = this.#transaction;
    if (transaction === undefined) {
      this.#done = true;
      this.#user.onTransportError('cancelled before it was sent');
    } else if (transaction.state === 'proceeding') this.#sendCancel(headers);
  }

  #sendCancel(headers: readonly HeaderField[]): void {
    const invite = this.#transaction;
    const request = invite?.request;
    if (invite === undefined || request === undefined) return;
    this.#cancelSent = true;
    const cancel = cancelOf(request, headers);
    this.#layer.createClient(cancel, invite.flow, NOBODY).start();
    // RFC 3261 9.1: without a final response within 64*T1 the INVITE counts as cancelled.
    this.#cancelLimit = this.#layer.clock.schedule(transactionTimeout(this.#layer.timers), this, 'cancelLimit');
  }

  onTimer(): void {
    if (this.#done) return;
    this.#transaction?.terminate();
    this.#finish(() => this.#user.onTimeout());
  }
}

/** The CANCEL of an INVITE: same Request-URI, top Via, Route, From, To, Call-ID and number (RFC 3261 9.1). */
function cancelOf(invite: SipRequest, headers: readonly HeaderField[]): SipRequest {
  const kept: HeaderField[] = [];
  for (const field of invite.headers) {
    if (field.name === 'via') {
      if (kept.length === 0) kept.push(field);
    } else if (field.name === 'route' || field.name === 'from' || field.name === 'to' || field.name === 'call-id') {
      kept.push(field);
    }
  }
  kept.push(headerField('CSeq', `${invite.cseq?.number ?? 1} CANCEL`), headerField('Max-Forwards', '70'), ...headers);
  return new SipRequest('CANCEL', invite.uri, kept);
}
