/** What both server transactions share: the last response, the way back, and two timers. */
import type { Clock, Timer, TimerOwner } from '../../time/clock.ts';
import type { Flow, SendFailure } from '../flow.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type Packet, packet, packetBytes } from '../message/serialize.ts';
import type { TimerValues } from './timers.ts';

/** Whoever answers the request; told only what it can act upon. */
export interface ServerUser {
  /** Timer H: the peer never acknowledged a final non-2xx, or the response could not be sent. */
  onServerFailure(reason: string): void;
}

export interface ServerLayer {
  readonly clock: Clock;
  readonly timers: TimerValues;
  forgetServer(transaction: ServerTransaction): void;
}

export abstract class ServerTransaction implements TimerOwner, SendFailure {
  readonly key: string;
  readonly flow: Flow;
  readonly layer: ServerLayer;
  readonly method: string;
  user: ServerUser | undefined;
  /** Kept until the final response has been made from it. */
  request: SipRequest | undefined;
  /** Status of the last response, 0 before the first. */
  status = 0;
  interval: number;
  reason = '';
  /** Index of merged requests (RFC 3261 8.2.2.2), if it has been entered there. */
  mergeKey: string | undefined;
  /** What a CANCEL for this request does; absent where it can't be cancelled. */
  onCancel: ((cancel: SipRequest) => void) | undefined;
  #response: Packet | undefined;
  /** Timer G, or before there is a response the one of the 100. */
  #waiting: Timer | undefined;
  #lifetime: Timer | undefined;

  constructor(layer: ServerLayer, key: string, request: SipRequest, flow: Flow) {
    this.layer = layer;
    this.key = key;
    this.method = request.method;
    this.request = request;
    this.flow = flow;
    this.interval = layer.timers.t1;
  }

  abstract readonly state: string;
  abstract respond(response: SipResponse): void;
  /** A copy of the request, or for INVITE also its ACK. False where it is not the transaction's but its user's. */
  abstract receive(request: SipRequest): boolean;
  abstract onTimer(name: string): void;
  abstract onTransportError(reason: string): void;

  /** True once a final response has been given. */
  get answered(): boolean {
    return this.status >= 200;
  }

  /** Says in time that an INVITE has arrived: a 100, unless another response comes first. */
  abstract trying(): void;

  protected keep(response: SipResponse): void {
    this.status = response.status;
    this.#response = packet(response);
    if (response.status >= 200) {
      this.request = undefined;
      this.onCancel = undefined;
    }
  }

  /** Sends the last response, first or again. */
  send(): void {
    if (this.#response !== undefined) this.flow.send(packetBytes(this.#response), this);
  }

  /** The peer has the response for certain: it need not be kept. */
  dropResponse(): void {
    this.#response = undefined;
    this.user = undefined;
  }

  startRetransmission(name: string): void {
    if (!this.flow.reliable) this.startWaiting(name, this.interval);
  }

  protected startWaiting(name: string, ms: number): void {
    this.#waiting = this.layer.clock.schedule(ms, this, name);
  }

  protected stopWaiting(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
  }

  startLifetime(name: string, ms: number): void {
    this.#lifetime?.cancel();
    this.#lifetime = this.layer.clock.schedule(ms, this, name);
  }

  stopTimers(): void {
    this.stopWaiting();
    this.#lifetime?.cancel();
    this.#lifetime = undefined;
  }

  tellFailure(): void {
    this.user?.onServerFailure(this.reason);
  }

  destroy(): void {
    this.stopTimers();
    this.request = undefined;
    this.#response = undefined;
    this.user = undefined;
    this.onCancel = undefined;
    this.layer.forgetServer(this);
  }
}
