/**
 * From bytes to messages that are fit to be acted upon: parsed, judged, marked with where they came from. What is not
 * fit gets its answer here, or silence, and is counted.
 */
import type { Counters } from './counters.ts';
import type { Flow } from './flow.ts';
import type { Frame } from './message/frame.ts';
import type { SipRequest, SipResponse } from './message/message.ts';
import { DEFAULT_LIMITS, type Malformed, type MessageLimits, parseMessage } from './message/parse.ts';
import { statelessRefusal } from './message/respond.ts';
import { serialize } from './message/serialize.ts';
import { validateRequest, validateResponse } from './message/validate.ts';
import type { Network } from './network.ts';
import { noteSource, replyFlow } from './way-back.ts';

export interface ReceptionOptions {
  readonly network: Network;
  readonly limits?: MessageLimits;
  /** True for a peer whose assertions are believed. */
  readonly trusts?: (address: string) => boolean;
}

/** Gets what is fit. */
export interface ReceptionUser {
  /** `flow` is where its responses go. */
  onRequest(request: SipRequest, flow: Flow): void;
  onResponse(response: SipResponse): void;
}

const PONG = new Uint8Array([0x0d, 0x0a]);

export class Reception {
  readonly #options: ReceptionOptions;
  readonly #limits: MessageLimits;
  readonly #counters: Counters;
  readonly #user: ReceptionUser;

  constructor(options: ReceptionOptions, counters: Counters, user: ReceptionUser) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#counters = counters;
    this.#user = user;
  }

  /** One datagram, or one message cut out of a stream. */
  receive(bytes: Uint8Array, flow: Flow): void {
    this.#counters.received++;
    const { message, fault } = parseMessage(bytes, this.#limits);
    if (message === undefined) this.#counters.malformed++;
    else if (message.kind === 'request') this.#receiveRequest(message, fault, flow);
    else this.#receiveResponse(message, fault, flow);
  }

  /** What stream framing found. False: the connection can't be followed any further and must be closed. */
  receiveFrame(frame: Frame, flow: Flow): boolean {
    if (frame.kind === 'message') this.receive(frame.bytes, flow);
    else if (frame.kind === 'ping') flow.send(PONG);
    else if (frame.kind === 'lost') {
      this.#counters.received++;
      const { message } = parseMessage(frame.bytes, this.#limits);
      if (message?.kind === 'request') this.#receiveRequest(message, frame.fault, flow);
      else this.#counters.malformed++;
      return false;
    }
    return true;
  }

  #receiveResponse(response: SipResponse, fault: Malformed | undefined, flow: Flow): void {
    this.#disbelieve(response, flow);
    const verdict = validateResponse(response, fault);
    // RFC 3261 18.1.2: a response whose top Via is not ours was not meant for us.
    const { via } = response;
    if (verdict.kind === 'fit' && via !== undefined && this.#options.network.isOwn(via.host, via.port)) {
      this.#user.onResponse(response);
    } else this.#counters.malformed++;
  }

  #receiveRequest(request: SipRequest, fault: Malformed | undefined, flow: Flow): void {
    this.#disbelieve(request, flow);
    const verdict = validateRequest(request, fault);
    if (verdict.kind === 'drop') {
      this.#counters.malformed++;
      return;
    }
    noteSource(request, flow);
    const back = replyFlow(request, flow);
    if (verdict.kind === 'fit') this.#user.onRequest(request, back);
    else {
      this.#counters.malformed++;
      // Too broken for a transaction.
      back.send(serialize(statelessRefusal(request, verdict.status)));
    }
  }

  /** Digest 3.2: a Message-UID counts only where it comes from a peer that is trusted. */
  #disbelieve(message: SipRequest | SipResponse, flow: Flow): void {
    if (message.has('message-uid') && this.#options.trusts?.(flow.remoteAddress) !== true)
      message.remove('message-uid');
  }
}
