/** Answers to requests that came before a restart: their transactions are gone, their copies are still to come. */
import type { Clock } from '../time/clock.ts';
import type { HeaderField } from './message/header.ts';
import type { SipRequest, SipResponse } from './message/message.ts';
import { responseTo } from './message/respond.ts';
import type { Payload } from './port.ts';

/** Answers kept; a BYE beyond that gets a 481, which ends it as well. */
const MAX_OWED = 100_000;

interface Owed {
  readonly status: number;
  readonly headers: readonly HeaderField[];
}

export class OwedAnswers {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #answers = new Map<string, Owed>();

  /** An answer is kept for as long as its peer may repeat the request: 64*T1 (RFC 3261 17.1.2.2). */
  constructor(clock: Clock, lifetimeMs: number) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
  }

  /** `localTag`: of the dialog; `request`: method and number, `bye-2`. */
  add(localTag: string, request: string, status: number, payload: Payload): void {
    if (this.#answers.size >= MAX_OWED) return;
    const key = `${localTag} ${request}`;
    this.#answers.set(key, { status, headers: payload.headers });
    this.#clock.schedule(this.#lifetimeMs, { onTimer: () => this.#answers.delete(key) }, 'owed');
  }

  /** The answer to this request, if one is owed. */
  to(request: SipRequest): SipResponse | undefined {
    if (this.#answers.size === 0) return undefined;
    const key = `${request.toTag ?? ''} ${request.method.toLowerCase()}-${request.cseq?.number}`;
    const owed = this.#answers.get(key);
    return owed === undefined ? undefined : responseTo(request, owed.status, { headers: owed.headers });
  }
}
