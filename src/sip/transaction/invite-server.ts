/** INVITE server transaction: RFC 3261 17.2.1 with the Accepted state of RFC 6026 7.1 and 8.7. */
import type { SipRequest, SipResponse } from '../message/message.ts';
import { responseTo } from '../message/respond.ts';
import { type Chart, inviteInput, take } from './chart.ts';
import { ServerTransaction } from './server.ts';
import { transactionTimeout } from './timers.ts';

export type InviteServerState = 'proceeding' | 'completed' | 'accepted' | 'confirmed' | 'terminated';
export type InviteServerInput =
  | 'INVITE'
  | 'ACK'
  | '1xx'
  | '2xx'
  | '300-699'
  | 'timerG'
  | 'timerH'
  | 'timerI'
  | 'timerL'
  | 'transportError';

type Tx = InviteServerTransaction;

const send = (tx: Tx): void => tx.send();
const stopTimers = (tx: Tx): void => tx.stopTimers();
const tellFailure = (tx: Tx): void => tx.tellFailure();
const destroy = (tx: Tx): void => tx.destroy();
const startG = (tx: Tx): void => tx.startRetransmission('timerG');
const again = (tx: Tx): void => {
  tx.interval = Math.min(tx.interval * 2, tx.layer.timers.t2);
  tx.startRetransmission('timerG');
};
const startH = (tx: Tx): void => tx.startLifetime('timerH', transactionTimeout(tx.layer.timers));
const startI = (tx: Tx): void => {
  // Over a reliable transport no copy of the ACK can come: timer I is zero.
  if (tx.flow.reliable) tx.terminate();
  else tx.startLifetime('timerI', tx.layer.timers.t4);
};
const startL = (tx: Tx): void => tx.startLifetime('timerL', transactionTimeout(tx.layer.timers));

/** RFC 6026 figure 3; after a transport error the state stays what it is (RFC 6026 8.8). */
export const INVITE_SERVER: Chart<InviteServerState, InviteServerInput, Tx> = {
  proceeding: {
    INVITE: ['proceeding', send],
    '1xx': ['proceeding', send],
    '2xx': ['accepted', startL, send],
    '300-699': ['completed', startH, startG, send],
    transportError: ['proceeding', tellFailure],
  },
  completed: {
    INVITE: ['completed', send],
    ACK: ['confirmed', stopTimers, startI],
    timerG: ['completed', send, again],
    timerH: ['terminated', tellFailure, destroy],
    transportError: ['completed', tellFailure],
  },
  accepted: {
    // RFC 6026 7.1: copies of the INVITE are absorbed; the user sends the 2xx again until it is acknowledged.
    '2xx': ['accepted', send],
    timerL: ['terminated', destroy],
    transportError: ['accepted', tellFailure],
  },
  confirmed: {
    timerI: ['terminated', destroy],
  },
  terminated: {},
};

export class InviteServerTransaction extends ServerTransaction {
  state: InviteServerState = 'proceeding';

  respond(response: SipResponse): void {
    const input = inviteInput(response.status);
    const takes = INVITE_SERVER[this.state][input] !== undefined;
    if (!takes) return;
    if (this.status === 0) this.stopWaiting();
    this.keep(response);
    take(INVITE_SERVER, this, input);
  }

  /** RFC 3261 17.2.1: needed only where no other response comes within 200 ms. */
  trying(): void {
    if (this.status !== 0) return;
    if (this.layer.timers.trying === 0) this.#sayTrying();
    else this.startWaiting('trying', this.layer.timers.trying);
  }

  #sayTrying(): void {
    if (this.status === 0 && this.request !== undefined) this.respond(responseTo(this.request, 100));
  }

  receive(request: SipRequest): boolean {
    // RFC 6026 7.1: an ACK in Accepted is the user's. It comes here where the peer gives it the branch of its INVITE,
    // as those of RFC 2543 and some later ones do.
    if (request.method === 'ACK' && this.state === 'accepted') return false;
    take(INVITE_SERVER, this, request.method as InviteServerInput);
    return true;
  }

  onTimer(name: string): void {
    if (name === 'trying') {
      this.#sayTrying();
      return;
    }
    if (name === 'timerH') this.reason = 'no ACK for the final response';
    take(INVITE_SERVER, this, name as InviteServerInput);
  }

  onTransportError(reason: string): void {
    this.reason = reason;
    take(INVITE_SERVER, this, 'transportError');
  }

  terminate(): void {
    this.state = 'terminated';
    this.destroy();
  }
}
