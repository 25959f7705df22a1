/** Non-INVITE client transaction: RFC 3261 17.1.2. */
import type { SipResponse } from '../message/message.ts';
import { type Chart, take } from './chart.ts';
import { ClientTransaction } from './client.ts';
import { transactionTimeout } from './timers.ts';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';
export type NonInviteClientInput = '1xx' | '200-699' | 'timerE' | 'timerF' | 'timerK' | 'transportError';

type Tx = NonInviteClientTransaction;

const resend = (tx: Tx): void => tx.send();
const tell = (tx: Tx): void => tx.tell();
const tellTimeout = (tx: Tx): void => tx.tellTimeout();
const tellTransportError = (tx: Tx): void => tx.tellTransportError();
const stopRequest = (tx: Tx): void => tx.stopRequest();
const release = (tx: Tx): void => tx.release();
const letGoOfUser = (tx: Tx): void => tx.letGoOfUser();
const destroy = (tx: Tx): void => tx.destroy();
const again = (tx: Tx): void => {
  // 17.1.2.2: doubles up to T2, and is T2 at once where a provisional response has come.
  const t2 = tx.layer.timers.t2;
  tx.interval = tx.state === 'proceeding' ? t2 : Math.min(tx.interval * 2, t2);
  tx.startRetransmission('timerE');
};
const startK = (tx: Tx): void => {
  if (tx.flow.reliable) tx.terminate();
  else tx.startLifetime('timerK', tx.layer.timers.t4);
};

/** RFC 3261 figure 6. */
export const NON_INVITE_CLIENT: Chart<NonInviteClientState, NonInviteClientInput, Tx> = {
  trying: {
    timerE: ['trying', resend, again],
    timerF: ['terminated', destroy, tellTimeout],
    '1xx': ['proceeding', tell],
    '200-699': ['completed', stopRequest, release, startK, tell, letGoOfUser],
    transportError: ['terminated', destroy, tellTransportError],
  },
  proceeding: {
    timerE: ['proceeding', resend, again],
    timerF: ['terminated', destroy, tellTimeout],
    '1xx': ['proceeding', tell],
    '200-699': ['completed', stopRequest, release, startK, tell, letGoOfUser],
    transportError: ['terminated', destroy, tellTransportError],
  },
  completed: {
    timerK: ['terminated', destroy],
  },
  terminated: {},
};

export class NonInviteClientTransaction extends ClientTransaction {
  state: NonInviteClientState = 'trying';

  start(): void {
    this.startRetransmission('timerE');
    this.startLifetime('timerF', transactionTimeout(this.layer.timers));
    this.send();
  }

  receive(response: SipResponse): void {
    this.response = response;
    take(NON_INVITE_CLIENT, this, response.status < 200 ? '1xx' : '200-699');
    this.response = undefined;
  }

  onTimer(name: string): void {
    take(NON_INVITE_CLIENT, this, name as NonInviteClientInput);
  }

  onTransportError(reason: string): void {
    this.reason = reason;
    take(NON_INVITE_CLIENT, this, 'transportError');
  }

  terminate(): void {
    this.state = 'terminated';
    this.destroy();
  }
}
