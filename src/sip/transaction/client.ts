/** What both client transactions share: the request, the way it goes, and its two timers. */
import type { Clock, Timer, TimerOwner } from '../../time/clock.ts';
import type { Flow, SendFailure } from '../flow.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type Packet, packet, packetBytes } from '../message/serialize.ts';
import type { TimerValues } from './timers.ts';

/** Whoever sent the request: a user agent's leg or a proxy's branch. */
export interface ClientUser {
  onResponse(response: SipResponse): void;
  /** Timer B or F: nobody answered (RFC 3261 8.1.3.1: treat as 408). */
  onTimeout(): void;
  /** The request could not be sent, or its connection broke (treat as 503). */
  onTransportError(reason: string): void;
}

/** For a request whose answer changes nothing. */
export const NOBODY: ClientUser = { onResponse() {}, onTimeout() {}, onTransportError() {} };

/** What a transaction needs of its layer. */
export interface ClientLayer {
  readonly clock: Clock;
  readonly timers: TimerValues;
  forgetClient(key: string): void;
}

export abstract class ClientTransaction implements TimerOwner, SendFailure {
  readonly key: string;
  readonly flow: Flow;
  readonly layer: ClientLayer;
  /** Kept until a final response: an ACK or CANCEL is built from it. */
  request: SipRequest | undefined;
  /** The response that is being handled. */
  response: SipResponse | undefined;
  reason = '';
  /** Milliseconds until the next retransmission. */
  interval: number;
  /** Whoever hears of it from now on. */
  user: ClientUser;
  #packet: Packet | undefined;
  #retransmission: Timer | undefined;
  #lifetime: Timer | undefined;

  constructor(layer: ClientLayer, key: string, request: SipRequest, flow: Flow, user: ClientUser) {
    this.layer = layer;
    this.key = key;
    this.request = request;
    this.flow = flow;
    this.user = user;
    this.interval = layer.timers.t1;
    this.#packet = packet(request);
  }

  abstract readonly state: string;
  abstract onTimer(name: string): void;
  abstract onTransportError(reason: string): void;
  abstract receive(response: SipResponse): void;

  /** Sends the request, first or again. */
  send(): void {
    if (this.#packet !== undefined) this.flow.send(packetBytes(this.#packet), this);
  }

  startRetransmission(name: string): void {
    if (!this.flow.reliable && this.alive) this.#retransmission = this.layer.clock.schedule(this.interval, this, name);
  }

  startLifetime(name: string, ms: number): void {
    this.#lifetime?.cancel();
    if (this.alive) this.#lifetime = this.layer.clock.schedule(ms, this, name);
  }

  // Not private: V8 11 leaves private getters to its runtime.
  /** False after the end, which a send that fails at once can bring in the middle of a row. */
  protected get alive(): boolean {
    return this.state !== 'terminated';
  }

  stopRetransmission(): void {
    this.#retransmission?.cancel();
    this.#retransmission = undefined;
  }

  /** Ends the timers of the request and lets go of its bytes: a response has come. */
  stopRequest(): void {
    this.stopRetransmission();
    this.#lifetime?.cancel();
    this.#lifetime = undefined;
  }

  /** After a final response nothing is sent again but an ACK, so the request need not be kept. */
  release(): void {
    this.#packet = undefined;
    this.request = undefined;
  }

  tell(): void {
    const response = this.response;
    this.response = undefined;
    if (response !== undefined) this.user.onResponse(response);
  }

  /** There is nothing more to tell. */
  letGoOfUser(): void {
    this.user = NOBODY;
  }

  tellTimeout(): void {
    this.user.onTimeout();
  }

  tellTransportError(): void {
    this.user.onTransportError(this.reason);
  }

  destroy(): void {
    this.stopRequest();
    this.release();
    this.layer.forgetClient(this.key);
  }
}
