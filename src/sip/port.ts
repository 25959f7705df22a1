/**
 * The boundary between SIP and the engine. Events are what happened on the wire; commands are what a session
 * wants done. Two stacks stand behind it: the one in this folder, and a sip.js user agent core (`sip-js/`).
 */
import type { HeaderField } from './message/header.ts';
import type { SipRequest, SipResponse } from './message/message.ts';

/**
 * One side of a session: the use of one INVITE. A leg's id is also its local tag; it begins with the key of
 * its session and a dot, so that any node finds the session from a To tag.
 */
export type LegId = string;

/** A transaction inside a leg that is still to be answered, or whose answer is awaited. */
export type ExchangeId = string;

/** Runs `then` once what the session of this leg has come to is stored; at once where nothing is or has to be. */
export type WhenStored = (leg: LegId, then: () => void) => void;

/** Who sent a request, as the transport knows it. */
export interface Source {
  readonly address: string;
  readonly port: number;
  readonly transport: string;
  /** True for a peer whose assertions are believed (RFC 3325 5). */
  readonly trusted: boolean;
}

export type SipEvent =
  /** A new INVITE outside any dialog. The stack has sent nothing yet. */
  | { readonly type: 'invite'; readonly leg: LegId; readonly request: SipRequest; readonly source: Source }
  | {
      readonly type: 'provisional';
      readonly leg: LegId;
      readonly fork: number;
      readonly response: SipResponse;
      /** RFC 3262: it must be acknowledged by PRACK. */
      readonly reliable: boolean;
    }
  | { readonly type: 'answered'; readonly leg: LegId; readonly fork: number; readonly response: SipResponse }
  | {
      readonly type: 'failed';
      readonly leg: LegId;
      readonly status: number;
      /** Absent where nobody answered or nothing could be sent. */
      readonly response?: SipResponse;
      readonly cause: FailureCause;
    }
  /** ACK for a 2xx of ours, to the first INVITE or a later one. */
  | { readonly type: 'acknowledged'; readonly leg: LegId; readonly request: SipRequest }
  /** No ACK within 64*T1 (RFC 3261 13.3.1.4). */
  | { readonly type: 'unacknowledged'; readonly leg: LegId }
  /** CANCEL for an INVITE not answered yet; the CANCEL itself has had its 200. */
  | { readonly type: 'cancelled'; readonly leg: LegId; readonly request: SipRequest }
  /** CANCEL for a re-INVITE that is still open. */
  | { readonly type: 'exchangeCancelled'; readonly leg: LegId; readonly exchange: ExchangeId }
  | { readonly type: 'bye'; readonly leg: LegId; readonly exchange: ExchangeId; readonly request: SipRequest }
  /** Any other request inside the leg's dialog, early ones included. */
  | {
      readonly type: 'request';
      readonly leg: LegId;
      readonly fork: number;
      readonly exchange: ExchangeId;
      readonly request: SipRequest;
    }
  /**
   * The final response to a request of ours inside the leg's dialog. A 2xx to a re-INVITE is the session's to acknowledge;
   * where a BYE has gone either way it has its ACK already, since a session that is over asks for none (RFC 3261 13.2.2.4).
   */
  | {
      readonly type: 'response';
      readonly leg: LegId;
      readonly exchange: ExchangeId;
      readonly status: number;
      readonly response?: SipResponse;
      readonly cause: FailureCause;
    }
  /** A request that belongs to no session: REGISTER, OPTIONS, MESSAGE … Answer it with `reply`. */
  | { readonly type: 'outside'; readonly exchange: ExchangeId; readonly request: SipRequest; readonly source: Source }
  /** The final answer to a request of ours outside any dialog. */
  | {
      readonly type: 'outsideAnswered';
      readonly exchange: ExchangeId;
      readonly status: number;
      /** Absent where nobody answered or nothing could be sent. */
      readonly response?: SipResponse;
      readonly cause: FailureCause;
    };

export type FailureCause = 'response' | 'timeout' | 'transport';

/** Headers a command adds to what the stack writes itself (Via, From, To, Call-ID, CSeq, Max-Forwards, Route …). */
export interface Payload {
  readonly headers: readonly HeaderField[];
  readonly body?: Uint8Array | undefined;
}

export interface OutgoingInvite extends Payload {
  readonly uri: string;
  /** From and To values, without tags. */
  readonly from: string;
  readonly to: string;
  readonly maxForwards: number;
  /**
   * Route sets to try in order: the next one is used where one cannot be reached, does not answer, or answers
   * 503 or 408 (RFC 3263 4.3). One empty set means: by the Request-URI.
   */
  readonly routeSets: readonly (readonly string[])[];
}

/** What a session orders of one of its legs. */
export type LegCommand =
  | { readonly type: 'trying'; readonly leg: LegId }
  | ({
      readonly type: 'progress';
      readonly leg: LegId;
      readonly fork: number;
      readonly status: number;
      readonly reason: string;
      readonly reliable: boolean;
    } & Payload)
  /** Answers the leg's INVITE with a 2xx, which is repeated until its ACK. */
  | ({
      readonly type: 'answer';
      readonly leg: LegId;
      readonly fork: number;
      readonly status: number;
      /** The peer has it and has acknowledged it: nothing is sent (restart). */
      readonly known?: boolean;
    } & Payload)
  /** Answers the leg's INVITE with a final non-2xx. */
  | ({ readonly type: 'refuse'; readonly leg: LegId; readonly status: number; readonly reason?: string } & Payload)
  | {
      readonly type: 'invite';
      readonly leg: LegId;
      readonly invite: OutgoingInvite;
      /** The peer has it: its answer is awaited, nothing is sent (restart). */
      readonly known?: boolean;
    }
  /** Acknowledges the 2xx to the last INVITE sent on this leg. */
  | ({ readonly type: 'acknowledge'; readonly leg: LegId } & Payload)
  | ({ readonly type: 'cancel'; readonly leg: LegId } & Payload)
  /** A request inside the leg's dialog; `fork` picks an early one. */
  | ({
      readonly type: 'request';
      readonly leg: LegId;
      readonly fork?: number;
      readonly exchange: ExchangeId;
      readonly method: string;
      /** The peer may have it and nobody waits for its answer: it has its number, nothing is sent (restart). */
      readonly known?: boolean;
    } & Payload)
  /** CANCELs a re-INVITE of ours. */
  | { readonly type: 'cancelExchange'; readonly leg: LegId; readonly exchange: ExchangeId }
  /** Answers a request inside the leg's dialog. */
  | ({
      readonly type: 'respond';
      readonly leg: LegId;
      readonly exchange: ExchangeId;
      readonly status: number;
      readonly reason?: string;
    } & Payload)
  /** The session is over: what still arrives for the leg, the stack ends by itself (RFC 3261 13.2.2.4). */
  | { readonly type: 'release'; readonly leg: LegId };

export type SipCommand =
  | LegCommand
  /** Answers a request that belongs to no session. */
  | ({
      readonly type: 'reply';
      readonly exchange: ExchangeId;
      readonly status: number;
      readonly reason?: string;
    } & Payload)
  /** Answers it with what another request was answered, as a proxy does (RFC 3261 16.7). */
  | { readonly type: 'replyAs'; readonly exchange: ExchangeId; readonly response: SipResponse }
  /** Forgets it without an answer: its sender has given up (RFC 4320 4.2). */
  | { readonly type: 'leaveUnanswered'; readonly exchange: ExchangeId }
  /** Sends a request outside any dialog, ready but for its Via and Route. The same branch makes the same request. */
  | {
      readonly type: 'sendOutside';
      readonly exchange: ExchangeId;
      readonly branch: string;
      readonly request: SipRequest;
      readonly routeSets: readonly (readonly string[])[];
    }
  /** Forwards an INVITE that is no session of ours, as a plain proxy that keeps no part in its dialog. */
  | {
      readonly type: 'passThrough';
      readonly leg: LegId;
      readonly request: SipRequest;
      readonly routeSets: readonly (readonly string[])[];
    }
  | ProxyCommand;

/**
 * What a session in proxy mode orders (RFC 3261 16). The legs of a proxied session are the two directions of its
 * dialog: `.a` toward whoever invited, `.b` and on the branches toward whom it invited.
 */
export type ProxyCommand =
  /** Forwards the INVITE of `leg` as a new branch. The request is ready but for Via and Record-Route. */
  | {
      readonly type: 'forwardInvite';
      readonly leg: LegId;
      readonly branch: LegId;
      readonly request: SipRequest;
      readonly routeSets: readonly (readonly string[])[];
      /** Seconds of the session timer that the inviter shall keep where the 2xx names none (RFC 4028 8.2). */
      readonly answerTimer?: number;
    }
  /** Passes on the response that the last event told of. */
  | {
      readonly type: 'forwardResponse';
      readonly leg: LegId;
      readonly branch: LegId;
      /** It, where it was stored: the process that received it may be gone. */
      readonly stored?: SipResponse | undefined;
    }
  | {
      readonly type: 'cancelBranch';
      readonly leg: LegId;
      readonly branch: LegId;
      readonly headers: readonly HeaderField[];
    }
  | { readonly type: 'forwardAck'; readonly leg: LegId }
  | {
      readonly type: 'forwardRequest';
      readonly leg: LegId;
      readonly exchange: ExchangeId;
    }
  | {
      readonly type: 'forwardReply';
      readonly leg: LegId;
      readonly exchange: ExchangeId;
    };

export interface SipPort {
  onEvent(listener: (event: SipEvent) => void): void;
  execute(command: SipCommand): void;
}
