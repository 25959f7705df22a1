/** Non-INVITE server transaction: RFC 3261 17.2.2. */
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type Chart, take } from './chart.ts';
import { ServerTransaction } from './server.ts';
import { transactionTimeout } from './timers.ts';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';
export type NonInviteServerInput = 'request' | '1xx' | '200-699' | 'timerJ' | 'transportError';

type Tx = NonInviteServerTransaction;

const send = (tx: Tx): void => tx.send();
const tellFailure = (tx: Tx): void => tx.tellFailure();
const destroy = (tx: Tx): void => tx.destroy();
const startJ = (tx: Tx): void => {
  // Over a reliable transport no copy of the request can come: timer J is zero.
  if (tx.flow.reliable) tx.terminate();
  else tx.startLifetime('timerJ', transactionTimeout(tx.layer.timers));
};

/** RFC 3261 figure 8; after a transport error the state stays what it is (RFC 6026 8.8). */
export const NON_INVITE_SERVER: Chart<NonInviteServerState, NonInviteServerInput, Tx> = {
  trying: {
    '1xx': ['proceeding', send],
    '200-699': ['completed', send, startJ],
    transportError: ['trying', tellFailure],
  },
  proceeding: {
    request: ['proceeding', send],
    '1xx': ['proceeding', send],
    '200-699': ['completed', send, startJ],
    transportError: ['proceeding', tellFailure],
  },
  completed: {
    request: ['completed', send],
    timerJ: ['terminated', destroy],
    transportError: ['completed', tellFailure],
  },
  terminated: {},
};

export class NonInviteServerTransaction extends ServerTransaction {
  state: NonInviteServerState = 'trying';

  respond(response: SipResponse): void {
    const input = response.status < 200 ? '1xx' : '200-699';
    if (NON_INVITE_SERVER[this.state][input] === undefined) return;
    this.keep(response);
    take(NON_INVITE_SERVER, this, input);
  }

  /** RFC 3261 8.2.6.1: only an INVITE gets a 100. */
  trying(): void {}

  receive(_request: SipRequest): boolean {
    take(NON_INVITE_SERVER, this, 'request');
    return true;
  }

  onTimer(name: string): void {
    take(NON_INVITE_SERVER, this, name as NonInviteServerInput);
  }

  onTransportError(reason: string): void {
    this.reason = reason;
    take(NON_INVITE_SERVER, this, 'transportError');
  }

  terminate(): void {
    this.state = 'terminated';
    this.destroy();
  }
}
