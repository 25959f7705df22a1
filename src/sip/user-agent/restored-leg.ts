/** A leg of a process that is gone: its INVITE is history, its dialog lives on. */
import type { ExchangeId, Payload } from '../port.ts';
import { Leg } from './leg.ts';

/** Both directions are the same once the dialog is confirmed; `state` says which side invited. */
export class RestoredLeg extends Leg {
  /** The request came before the restart and its transaction is gone; a copy of it will come. */
  protected override onUnknownExchange(exchange: ExchangeId, status: number, payload: Payload): void {
    this.ua.owe(this.id, exchange, status, payload);
  }
}
