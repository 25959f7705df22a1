/** The leg of an INVITE a peer sent: we are its user agent server (RFC 3261 13.3). */
import type { Timer, TimerOwner } from '../../time/clock.ts';
import { type Dialog, dialogOfRequest } from '../dialog/dialog.ts';
import { bytesOfWire } from '../message/bytes.ts';
import { headerField } from '../message/header.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { responseTo } from '../message/respond.ts';
import { wireOfMessage } from '../message/serialize.ts';
import type { LegId, Payload } from '../port.ts';
import type { InviteServerTransaction } from '../transaction/invite-server.ts';
import type { ServerTransaction, ServerUser } from '../transaction/server.ts';
import { transactionTimeout } from '../transaction/timers.ts';
import type { UserAgentContext } from './context.ts';
import { Leg, type LegState, type OpenRequest } from './leg.ts';

/** A reliable provisional response that waits for its PRACK (RFC 3262 3). */
interface Reliable {
  readonly rseq: number;
  readonly response: SipResponse;
  interval: number;
  readonly giveUpAt: number;
}

export class UasLeg extends Leg implements TimerOwner, ServerUser {
  readonly #transaction: InviteServerTransaction;
  /** The INVITE, until it has its final answer. */
  #request: SipRequest | undefined;
  #lastRSeq = 0;
  #reliable: Reliable | undefined;
  /** Reliable ones behind it. */
  #queued: SipResponse[] = [];
  #repetition: Timer | undefined;

  /** Requests of ours in dialogs that another process had confirmed: they are said again behind the answer. */
  #open: readonly OpenRequest[] | undefined;

  /** `before`: what the INVITE had come to before a restart. */
  constructor(
    ua: UserAgentContext,
    id: LegId,
    request: SipRequest,
    transaction: InviteServerTransaction,
    before?: LegState,
  ) {
    const dialogs = before === undefined ? [] : [...before.dialogs];
    super(
      ua,
      { id, inbound: true, dialogs, confirmed: -1, inviteCSeq: request.cseq?.number ?? 0 },
      before !== undefined,
    );
    this.#transaction = transaction;
    this.#request = request;
    transaction.user = this;
    if (before !== undefined) this.#goOn(before, request);
  }

  /** The inviter may have heard provisional responses of which no record tells: its dialog is made all the same. */
  #goOn({ dialogs, confirmed, open, reliable }: LegState, request: SipRequest): void {
    for (const { localTag } of dialogs.slice(1)) this.ua.bind(localTag, this);
    this.#earlyDialog(0, request);
    if (confirmed < 0) this.sayAgain(open);
    else this.#open = open;
    if (reliable === undefined) return;
    this.#lastRSeq = reliable.last;
    this.#queued = reliable.waiting.flatMap((text) => {
      const { message } = parseMessage(bytesOfWire(text));
      return message?.kind === 'response' ? [message] : [];
    });
    this.#sendReliable();
  }

  override exported(): LegState {
    const state = super.exported();
    if (this.#lastRSeq === 0 || this.#request === undefined) return state;
    const waiting = this.#reliable === undefined ? this.#queued : [this.#reliable.response, ...this.#queued];
    return { ...state, reliable: { last: this.#lastRSeq, waiting: waiting.map(wireOfMessage) } };
  }

  /** True once the INVITE has its final response. */
  get answered(): boolean {
    return this.#transaction.answered;
  }

  /** A provisional response other than 100. Each fork of the far side is an early dialog of its own here too. */
  progress(fork: number, status: number, reason: string, reliable: boolean, payload: Payload): void {
    const request = this.#request;
    if (request === undefined) return;
    const toTag = this.#earlyDialog(fork, request).localTag;
    const { headers, body } = payload;
    if (!reliable) {
      this.#transaction.respond(responseTo(request, status, { reason, toTag, headers, body, recordRoute: true }));
      return;
    }
    // RFC 3262 3: the first number is chosen from 1 to 2**31 - 1; each further one is one higher.
    const rseq = ++this.#lastRSeq;
    const lines = [...headers, headerField('Require', '100rel'), headerField('RSeq', String(rseq))];
    this.#queued.push(responseTo(request, status, { reason, toTag, headers: lines, body, recordRoute: true }));
    this.#sendReliable();
  }

  #sendReliable(): void {
    // RFC 3262 3: a second one waits until the first is acknowledged.
    const response = this.#reliable === undefined ? this.#queued.shift() : undefined;
    if (response === undefined) return;
    this.#reliable = {
      rseq: Number(response.header('rseq')),
      response,
      interval: this.ua.timers.t1,
      giveUpAt: this.ua.clock.now() + transactionTimeout(this.ua.timers),
    };
    this.#transaction.respond(response);
    this.#repetition = this.ua.clock.schedule(this.#reliable.interval, this, 'repeat1xx');
  }

  onTimer(): void {
    const reliable = this.#reliable;
    if (reliable === undefined || this.answered) return;
    const left = reliable.giveUpAt - this.ua.clock.now();
    if (left <= 0) {
      // RFC 3262 3: without a PRACK within 64*T1 the INVITE is rejected with a 5xx.
      this.#reliable = undefined;
      this.ua.emit({ type: 'unacknowledged', leg: this.id });
      return;
    }
    this.#transaction.respond(reliable.response);
    reliable.interval *= 2;
    this.#repetition = this.ua.clock.schedule(Math.min(reliable.interval, left), this, 'repeat1xx');
  }

  override receive(request: SipRequest, transaction: ServerTransaction, localTag: string): void {
    if (request.method === 'PRACK' && !this.#takePrack(request)) {
      // RFC 3262 3: a PRACK that matches no response of ours is answered 481.
      transaction.respond(responseTo(request, 481));
      return;
    }
    super.receive(request, transaction, localTag);
    this.#sendReliable();
  }

  #takePrack(request: SipRequest): boolean {
    const [, rseq, cseq, method] = /^(\d+)\s+(\d+)\s+(\S+)$/.exec(request.header('rack') ?? '') ?? [];
    if (method !== 'INVITE' || Number(cseq) !== this.state.inviteCSeq) return false;
    // A copy of one that another process took: what it is answered is on its way.
    if (Number(rseq) !== this.#reliable?.rseq) return this.restored && Number(rseq) <= this.#lastRSeq;
    this.#repetition?.cancel();
    this.#reliable = undefined;
    return true;
  }

  /** A 2xx, repeated until its ACK. The fork it came from is the dialog that stays (12.1.1). */
  answer(fork: number, status: number, payload: Payload, known: boolean): void {
    const request = this.#request;
    if (request === undefined) return;
    this.#stopProgress();
    const dialog = this.#earlyDialog(fork, request);
    this.state.confirmed = this.state.dialogs.indexOf(dialog);
    if (known) {
      this.#transaction.terminate();
      return;
    }
    const { headers, body } = payload;
    const parts = { toTag: dialog.localTag, headers, body, recordRoute: true };
    this.#transaction.respond(responseTo(request, status, parts));
    this.retransmitAnswer(this.#transaction);
    this.sayAgain(this.#open);
    this.#open = undefined;
  }

  /** A final response other than 2xx. */
  refuse(status: number, reason: string | undefined, payload: Payload): void {
    const request = this.#request;
    if (request === undefined) return;
    this.#stopProgress();
    const { headers, body } = payload;
    this.#transaction.respond(responseTo(request, status, { reason, toTag: this.id, headers, body }));
    this.ended = true;
  }

  onServerFailure(): void {
    // RFC 3261 17.2.1: nobody acknowledges the refusal; the session has ended on our side either way.
  }

  #earlyDialog(fork: number, request: SipRequest): Dialog {
    const known = this.state.dialogs[fork];
    if (known !== undefined) return known;
    for (let at = this.state.dialogs.length; at <= fork; at++) {
      const tag = at === 0 ? this.id : `${this.id}.${at}`;
      this.state.dialogs.push(dialogOfRequest(request, tag));
      if (at > 0) this.ua.bind(tag, this);
    }
    return this.state.dialogs[fork] as Dialog;
  }

  /** The final answer is on its way: the INVITE itself is no longer needed. */
  #stopProgress(): void {
    this.#request = undefined;
    this.#repetition?.cancel();
    this.#reliable = undefined;
    if (this.#queued.length > 0) this.#queued = [];
  }

  override release(): void {
    // One final answer (RFC 3261 13.3.1): a session that ends without one is our failure.
    this.refuse(500, undefined, { headers: [] });
    super.release();
  }
}
