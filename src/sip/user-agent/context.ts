/** What the two kinds of leg need of the stack around them. */
import type { Clock } from '../../time/clock.ts';
import type { RoutedRequest } from '../dialog/dialog.ts';
import type { HeaderField } from '../message/header.ts';
import type { Payload, SipEvent, WhenStored } from '../port.ts';
import type { ClientUser } from '../transaction/client.ts';
import type { TimerValues } from '../transaction/timers.ts';
import type { Leg } from './leg.ts';

/** A request on its way, perhaps to more than one target in turn (RFC 3263 4.3). */
export interface Sending {
  /** CANCELs an INVITE: at once, or when its first provisional response comes (RFC 3261 9.1). */
  cancel(headers: readonly HeaderField[]): void;
}

/** Sends the same ACK again, for each copy of the 2xx. */
export interface AckCopy {
  repeat(): void;
}

export interface UserAgentContext {
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly whenStored: WhenStored;
  emit(event: SipEvent): void;
  /** Sends a request as a new client transaction. `branch` is unique to it, without the magic cookie. */
  send(alternatives: readonly RoutedRequest[], branch: string, user: ClientUser): Sending;
  /** Takes up an INVITE that left before a restart. */
  resume(alternatives: readonly RoutedRequest[], branch: string, user: ClientUser): Sending;
  /** Sends an ACK for a 2xx, which is a transaction of nobody (RFC 3261 13.2.2.4). */
  sendAck(routed: RoutedRequest, branch: string): AckCopy;
  /** An answer whose request came before a restart: its next copy gets it. */
  owe(localTag: string, request: string, status: number, payload: Payload): void;
  /** Makes a leg findable by one more local tag. */
  bind(tag: string, leg: Leg): void;
  unbind(tag: string): void;
}
