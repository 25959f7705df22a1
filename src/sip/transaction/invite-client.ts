/** INVITE client transaction: RFC 3261 17.1.1 with the Accepted state of RFC 6026 7.2 and 8.4. */
import { type HeaderField, headerField } from '../message/header.ts';
import { SipRequest, type SipResponse } from '../message/message.ts';
import { type Packet, packet, packetBytes } from '../message/serialize.ts';
import { type Chart, inviteInput, take } from './chart.ts';
import { ClientTransaction } from './client.ts';
import { transactionTimeout } from './timers.ts';

export type InviteClientState = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';
export type InviteClientInput =
  | '1xx'
  | '2xx'
  | '300-699'
  | 'timerA'
  | 'timerB'
  | 'timerD'
  | 'timerM'
  | 'transportError';

type Tx = InviteClientTransaction;

const resend = (tx: Tx): void => tx.send();
const tell = (tx: Tx): void => tx.tell();
const tellTimeout = (tx: Tx): void => tx.tellTimeout();
const tellTransportError = (tx: Tx): void => tx.tellTransportError();
const stopRequest = (tx: Tx): void => tx.stopRequest();
const release = (tx: Tx): void => tx.release();
const destroy = (tx: Tx): void => tx.destroy();
const acknowledge = (tx: Tx): void => tx.acknowledge();
const again = (tx: Tx): void => {
  // 17.1.1.2: timer A doubles without an upper bound; timer B ends it.
  tx.interval *= 2;
  tx.startRetransmission('timerA');
};
const startD = (tx: Tx): void => {
  // Over a reliable transport no copy of the response can come: timer D is zero.
  if (tx.flow.reliable) tx.terminate();
  else tx.startLifetime('timerD', Math.max(32_000, transactionTimeout(tx.layer.timers)));
};
const startM = (tx: Tx): void => tx.startLifetime('timerM', transactionTimeout(tx.layer.timers));

/** RFC 6026 figure 5. */
export const INVITE_CLIENT: Chart<InviteClientState, InviteClientInput, Tx> = {
  calling: {
    timerA: ['calling', resend, again],
    timerB: ['terminated', destroy, tellTimeout],
    '1xx': ['proceeding', stopRequest, tell],
    '2xx': ['accepted', stopRequest, release, startM, tell],
    '300-699': ['completed', stopRequest, acknowledge, release, startD, tell],
    transportError: ['terminated', destroy, tellTransportError],
  },
  proceeding: {
    '1xx': ['proceeding', tell],
    '2xx': ['accepted', stopRequest, release, startM, tell],
    '300-699': ['completed', stopRequest, acknowledge, release, startD, tell],
  },
  accepted: {
    // RFC 6026 7.2: every 2xx goes up, copies and those of other forks; the user acknowledges them.
    '2xx': ['accepted', tell],
    timerM: ['terminated', destroy],
  },
  completed: {
    // RFC 3261 16.7 step 5: a proxy beyond sends the 2xx of another fork behind its refusal; 13.2.2.4 wants its ACK.
    '2xx': ['completed', tell],
    '300-699': ['completed', acknowledge],
    timerD: ['terminated', destroy],
    transportError: ['terminated', destroy],
  },
  terminated: {},
};

export class InviteClientTransaction extends ClientTransaction {
  state: InviteClientState = 'calling';
  #ack: Packet | undefined;

  start(): void {
    this.startRetransmission('timerA');
    this.startLifetime('timerB', transactionTimeout(this.layer.timers));
    this.send();
  }

  /** Takes up a transaction whose INVITE left before a restart: it waits for the answer and sends nothing. */
  resume(): void {
    this.state = 'proceeding';
  }

  receive(response: SipResponse): void {
    this.response = response;
    take(INVITE_CLIENT, this, inviteInput(response.status));
    this.response = undefined;
  }

  onTimer(name: string): void {
    take(INVITE_CLIENT, this, name as InviteClientInput);
  }

  onTransportError(reason: string): void {
    this.reason = reason;
    take(INVITE_CLIENT, this, 'transportError');
  }

  /** 17.1.1.3: the ACK for a non-2xx belongs to the transaction; copies of the response get copies of it. */
  acknowledge(): void {
    if (this.#ack === undefined && this.request !== undefined && this.response !== undefined) {
      this.#ack = packet(ackOf(this.request, this.response));
    }
    if (this.#ack !== undefined) this.flow.send(packetBytes(this.#ack), this);
  }

  terminate(): void {
    this.state = 'terminated';
    this.destroy();
  }
}

function ackOf(request: SipRequest, response: SipResponse): SipRequest {
  // The top Via alone: those below it, of a forwarded INVITE, are for its response.
  const headers: HeaderField[] = request.lines('via').slice(0, 1);
  for (const field of request.headers) {
    if (field.name === 'from' || field.name === 'call-id' || field.name === 'route') headers.push(field);
  }
  headers.push(headerField('To', response.header('to') ?? ''));
  headers.push(headerField('CSeq', `${request.cseq?.number ?? 1} ACK`));
  headers.push(headerField('Max-Forwards', '70'));
  return new SipRequest('ACK', request.uri, headers);
}
