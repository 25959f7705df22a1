/** A leg of a process that is gone: its INVITE is history, its dialog lives on. */
import type { SipResponse } from '../message/message.ts';
import type { ExchangeId, Payload } from '../port.ts';
import { ForkingLeg } from './forking-leg.ts';
import { MAX_OPEN_EXCHANGES, type OwedAnswer } from './leg.ts';

/** Number of the INVITE that began an outgoing leg. */
const FIRST_CSEQ = 1;

/** Both directions are the same once the dialog is confirmed; `state` says which side invited. */
export class RestoredLeg extends ForkingLeg {
  readonly #owed = new Map<ExchangeId, OwedAnswer>();

  /** Forks that answer late don't know of the restart: they are ended all the same. */
  override receiveStray(response: SipResponse): void {
    const dialog = this.confirmedDialog;
    const fork = dialog !== undefined && dialog.remoteTag !== response.toTag;
    if (!fork || this.state.inbound || response.cseq?.number !== FIRST_CSEQ) {
      super.receiveStray(response);
      return;
    }
    const { callId, localTag, localAddress, remoteAddress, target } = dialog;
    const request = { callId, localTag, localAddress, remoteAddress, cseq: FIRST_CSEQ, uri: target };
    this.endFork(request, response);
  }

  /** The request came before the restart and its transaction is gone; a copy of it will come, to this leg or behind it. */
  protected override onUnknownExchange(exchange: ExchangeId, status: number, payload: Payload): void {
    if (this.#owed.size < MAX_OPEN_EXCHANGES) this.#owed.set(exchange, { status, payload });
    this.ua.owe(this.id, exchange, status, payload);
  }

  protected override takeOwed(exchange: ExchangeId): OwedAnswer | undefined {
    const owed = this.#owed.get(exchange);
    this.#owed.delete(exchange);
    return owed;
  }
}
