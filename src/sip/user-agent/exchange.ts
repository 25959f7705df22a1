/** A request of ours inside a dialog, until its final response. */
import type { SipResponse } from '../message/message.ts';
import type { ExchangeId, FailureCause, Payload } from '../port.ts';
import type { ClientUser } from '../transaction/client.ts';
import type { Sending } from './context.ts';

/** What it takes to say it again. */
export interface SentRequest {
  readonly exchange: ExchangeId;
  readonly method: string;
  readonly cseq: number;
  readonly payload: Payload;
  /** Whose dialog it is in, by the peer's tag. */
  readonly remoteTag: string;
}

/** The leg the request was sent on. */
export interface ExchangeOwner {
  onExchangeEnded(
    exchange: OutgoingExchange,
    status: number,
    response: SipResponse | undefined,
    cause: FailureCause,
  ): void;
}

export class OutgoingExchange implements ClientUser {
  readonly request: SentRequest;
  sending: Sending | undefined;
  readonly #owner: ExchangeOwner;

  constructor(request: SentRequest, owner: ExchangeOwner) {
    this.request = request;
    this.#owner = owner;
  }

  onResponse(response: SipResponse): void {
    if (response.status >= 200) this.#owner.onExchangeEnded(this, response.status, response, 'response');
  }

  onTimeout(): void {
    // RFC 3261 8.1.3.1: nobody answered counts as a 408.
    this.#owner.onExchangeEnded(this, 408, undefined, 'timeout');
  }

  onTransportError(): void {
    this.#owner.onExchangeEnded(this, 503, undefined, 'transport');
  }
}
