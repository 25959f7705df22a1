/**
 * A leg: one INVITE and the dialogs it made, seen from the user agent at its end. What both directions share is
 * here: requests inside the dialog, each way, once it exists.
 */
import { type Dialog, requestInDialog } from '../dialog/dialog.ts';
import { bytesOfWire, NO_BYTES, wireOfBytes } from '../message/bytes.ts';
import { detached, type HeaderField, headerField } from '../message/header.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type ResponseParts, responseTo } from '../message/respond.ts';
import { parseUri } from '../message/uri.ts';
import type { ExchangeId, LegCommand, LegId, Payload } from '../port.ts';
import type { InviteServerTransaction } from '../transaction/invite-server.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { AnswerRetransmission } from './answer-retransmission.ts';
import type { AckCopy, UserAgentContext } from './context.ts';
import { OutgoingExchange, type SentRequest } from './exchange.ts';
import type { StragglerState } from './stragglers.ts';

export type RequestCommand = Extract<LegCommand, { type: 'request' }>;

/** At most this many requests of one peer may wait for an answer inside one dialog; more are refused. */
export const MAX_OPEN_EXCHANGES = 16;

/** JSON: all a leg needs to go on in another process. */
export interface LegState {
  readonly id: LegId;
  /** True where the peer sent the INVITE. */
  readonly inbound: boolean;
  readonly dialogs: Dialog[];
  /** Index of the confirmed dialog; -1 before there is one. */
  confirmed: number;
  /** CSeq of the INVITE that was answered last; its ACK carries the same. */
  inviteCSeq: number;
  /** Requests of ours without an answer when this was exported: a restart says them again, under their numbers. */
  readonly open?: readonly OpenRequest[];
  /** Reliable provisional responses to the INVITE, while it has no final one. */
  readonly reliable?: ReliableState;
  /** Dialogs of other callees that have to be ended (RFC 3261 13.2.2.4). */
  readonly stragglers?: readonly StragglerState[];
}

export interface ReliableState {
  /** RSeq of the last. */
  readonly last: number;
  /** Those that have had no PRACK, in order; one character for each byte. */
  readonly waiting: readonly string[];
}

export interface OpenRequest extends Omit<SentRequest, 'payload'> {
  readonly headers: readonly HeaderField[];
  /** One character for each byte. */
  readonly body: string;
}

/** What a request is answered when its copy comes. */
interface OwedAnswer {
  readonly status: number;
  readonly payload: Payload;
}

interface IncomingExchange {
  readonly transaction: ServerTransaction;
  readonly request: SipRequest;
}

export abstract class Leg {
  readonly state: LegState;
  protected readonly ua: UserAgentContext;
  /** True once the session has let go of the leg. */
  released = false;
  /** True once a BYE went either way: only copies and crossings are still answered (RFC 3261 15). */
  protected ended = false;
  // Made when first needed, and gone with the last: a leg lingers with its transactions for 64*T1.
  #incoming: Map<ExchangeId, IncomingExchange> | undefined;
  #outgoing: Map<ExchangeId, OutgoingExchange> | undefined;
  #answer: AnswerRetransmission | undefined;
  protected ack: AckCopy | undefined;
  /** Answers to requests that a process before this one took; undefined where there was none. */
  readonly #owed: Map<ExchangeId, OwedAnswer> | undefined;

  /** `restored`: another process began the leg. */
  constructor(ua: UserAgentContext, state: LegState, restored: boolean) {
    this.ua = ua;
    this.state = state;
    this.#owed = restored ? new Map() : undefined;
  }

  protected get restored(): boolean {
    return this.#owed !== undefined;
  }

  get id(): LegId {
    return this.state.id;
  }

  get confirmedDialog(): Dialog | undefined {
    return this.state.dialogs[this.state.confirmed];
  }

  /** Fork whose remote tag this is; -1 where there is none. */
  protected forkOf(remoteTag: string): number {
    return this.state.dialogs.findIndex((dialog) => dialog.remoteTag === remoteTag);
  }

  // --- requests of the peer -----------------------------------------------------------------------------

  /** A request inside one of this leg's dialogs. `localTag` is the To tag it came with. */
  receive(request: SipRequest, transaction: ServerTransaction, localTag: string): void {
    const fork = this.state.dialogs.findIndex(
      (dialog) =>
        dialog.localTag === localTag &&
        dialog.remoteTag === (request.fromTag ?? '') &&
        dialog.callId === request.callId,
    );
    const dialog = this.state.dialogs[fork];
    // Named by its number, so that a copy that arrives after a restart is the same exchange.
    const exchange = `${fork > 0 ? `${fork}-` : ''}${request.method.toLowerCase()}-${request.cseq?.number}`;
    const owed = dialog === undefined ? undefined : this.#takeOwed(exchange);
    if (owed !== undefined) {
      this.#takeIn(exchange, transaction, request);
      this.respond(exchange, owed.status, undefined, owed.payload);
      return;
    }
    const refusal = dialog === undefined ? 481 : this.#refusalFor(request, dialog, exchange);
    if (dialog === undefined || refusal !== undefined) {
      this.#refuseAtOnce(request, transaction, refusal ?? 481);
      return;
    }
    dialog.remoteCSeq = request.cseq?.number ?? dialog.remoteCSeq;
    this.#takeIn(exchange, transaction, request);
    if (request.method === 'BYE') {
      // RFC 3261 15: only the caller may end an early dialog.
      this.ended = this.state.inbound || this.state.confirmed >= 0;
      this.#answer?.stop();
      this.#answer = undefined;
      this.ua.emit({ type: 'bye', leg: this.id, exchange, request });
      return;
    }
    if (isTargetRefresh(request.method)) refreshTarget(dialog, request.contact?.uri);
    if (request.method === 'INVITE') this.#mayBeCancelled(exchange, transaction);
    this.ua.emit({ type: 'request', leg: this.id, fork, exchange, request });
    if (request.method === 'INVITE') this.#tryWhenStored(transaction);
  }

  /** Behind a 100 no copy of a re-INVITE comes. */
  #tryWhenStored(transaction: ServerTransaction): void {
    this.ua.whenStored(this.id, () => transaction.trying());
  }

  #mayBeCancelled(exchange: ExchangeId, transaction: ServerTransaction): void {
    transaction.onCancel = () => this.ua.emit({ type: 'exchangeCancelled', leg: this.id, exchange });
  }

  /** Takes up a re-INVITE that came before a restart; what it is answered goes back by its Via. */
  resume(exchange: ExchangeId, transaction: ServerTransaction, request: SipRequest): void {
    this.#takeIn(exchange, transaction, request);
    this.#mayBeCancelled(exchange, transaction);
  }

  #takeIn(exchange: ExchangeId, transaction: ServerTransaction, request: SipRequest): void {
    this.#incoming ??= new Map();
    this.#incoming.set(exchange, { transaction, request });
  }

  #refuseAtOnce(request: SipRequest, transaction: ServerTransaction, status: number): void {
    // RFC 3261 14.2: the peer shall wait up to ten seconds before it tries again.
    const headers = status === 500 && request.method === 'INVITE' ? [headerField('Retry-After', '3')] : [];
    transaction.respond(responseTo(request, status, { headers }));
  }

  #refusalFor(request: SipRequest, dialog: Dialog, exchange: ExchangeId): number | undefined {
    // 8.2.2.2: the same request by another way, while the first is still open.
    if (this.#incoming?.has(exchange)) return 482;
    // 12.2.2: out of order is a 500. The same number again is a copy that no transaction remembers.
    if ((request.cseq?.number ?? 0) < dialog.remoteCSeq) return 500;
    if (this.ended && request.method !== 'BYE') return 481;
    // Another fork has become the session (13.2.2.4): what this one does with its dialog must not end that.
    if (request.method === 'BYE' && this.state.confirmed >= 0 && dialog !== this.confirmedDialog) return 481;
    if (this.#incoming !== undefined && this.#incoming.size >= MAX_OPEN_EXCHANGES) return 500;
    if (!isOfferer(request.method)) return undefined;
    // 14.2 and RFC 3311 5.2: one offer at a time. Ours outstanding: 491. Theirs: 500.
    for (const outgoing of this.#outgoing?.values() ?? NONE) if (isOfferer(outgoing.request.method)) return 491;
    for (const incoming of this.#incoming?.values() ?? NONE) if (isOfferer(incoming.request.method)) return 500;
    if (request.method === 'INVITE' && this.#answer !== undefined) return 500;
    return undefined;
  }

  /** Answers a request that was handed up. Answering twice does nothing. */
  respond(exchange: ExchangeId, status: number, reason: string | undefined, payload: Payload): void {
    const incoming = this.#incoming?.get(exchange);
    if (incoming === undefined) return this.#owe(exchange, status, payload);
    const { transaction, request } = incoming;
    const parts: ResponseParts = { reason, headers: payload.headers, body: payload.body };
    transaction.respond(responseTo(request, status, parts));
    if (status < 200) return;
    this.#incoming = without(this.#incoming, exchange);
    if (request.method === 'INVITE' && status < 300) {
      this.state.inviteCSeq = request.cseq?.number ?? 0;
      this.retransmitAnswer(transaction as InviteServerTransaction);
    }
  }

  /**
   * The request came before a restart and its transaction is gone; a copy of it will come, to this leg or behind it. Without
   * a restart this is a second answer, and the first one stands.
   */
  #owe(exchange: ExchangeId, status: number, payload: Payload): void {
    if (this.#owed === undefined) return;
    if (this.#owed.size < MAX_OPEN_EXCHANGES) this.#owed.set(exchange, { status, payload });
    const [, fork = '0', request = exchange] = /^(\d+)-(.+)$/.exec(exchange) ?? [];
    this.ua.owe(this.state.dialogs[Number(fork)]?.localTag ?? this.id, request, status, payload);
  }

  #takeOwed(exchange: ExchangeId): OwedAnswer | undefined {
    const owed = this.#owed?.get(exchange);
    this.#owed?.delete(exchange);
    return owed;
  }

  // --- the 2xx of an INVITE of the peer, and its ACK -------------------------------------------------------

  protected retransmitAnswer(transaction: InviteServerTransaction): void {
    this.#answer?.stop();
    this.#answer = new AnswerRetransmission(this.ua.clock, this.ua.timers, transaction, () => {
      this.#answer = undefined;
      this.ua.emit({ type: 'unacknowledged', leg: this.id });
    });
  }

  /** An ACK for a 2xx of ours (RFC 3261 13.3.1.4). A copy, or one for an older INVITE, says nothing new. */
  receiveAck(request: SipRequest): void {
    if (this.#answer === undefined || request.cseq?.number !== this.state.inviteCSeq) return;
    this.#answer.stop();
    this.#answer = undefined;
    this.ua.emit({ type: 'acknowledged', leg: this.id, request });
  }

  // --- requests of ours ------------------------------------------------------------------------------------

  /** Sends a request inside the dialog, or only counts it where it is known. */
  request(command: RequestCommand): void {
    const { exchange, method, fork, body } = command;
    const dialog = this.confirmedDialog ?? this.state.dialogs[fork ?? 0];
    if (dialog === undefined) return this.onNoDialog(command);
    dialog.localCSeq++;
    if (command.known === true) return;
    const headers = method === 'PRACK' ? [...command.headers, rackOf(dialog)] : command.headers;
    const { localCSeq: cseq, remoteTag } = dialog;
    this.#send(dialog, { exchange, method, cseq, payload: { headers, body }, remoteTag });
  }

  /** It fails at once. */
  protected onNoDialog({ exchange }: RequestCommand): void {
    this.ua.emit({ type: 'response', leg: this.id, exchange, status: 481, cause: 'transport' });
  }

  #send(dialog: Dialog, request: SentRequest): void {
    const { exchange, method, cseq, payload } = request;
    const outgoing = new OutgoingExchange(request, this);
    if (method === 'BYE') this.ended = true;
    if (method === 'INVITE') this.ack = undefined;
    this.#outgoing ??= new Map();
    this.#outgoing.set(exchange, outgoing);
    const routed = requestInDialog(dialog, method, cseq, payload.headers, payload.body ?? NO_BYTES);
    outgoing.sending = this.ua.send([routed], this.branch(cseq, method), outgoing);
  }

  /** As JSON. */
  exported(): LegState {
    if (this.#outgoing === undefined) return this.state;
    const open = [...this.#outgoing.values()].map(({ request: { payload, ...request } }) => {
      return { ...request, headers: payload.headers, body: wireOfBytes(payload.body ?? NO_BYTES) };
    });
    return { ...this.state, open };
  }

  /** Says again what had no answer before a restart: to the peer it is a copy. */
  sayAgain(open: readonly OpenRequest[] = []): void {
    for (const { headers, body, ...request } of open) {
      const dialog = this.state.dialogs[this.forkOf(request.remoteTag)];
      if (dialog !== undefined) this.#send(dialog, { ...request, payload: { headers, body: bytesOfWire(body) } });
    }
  }

  /** CANCELs a re-INVITE of ours that is still open. */
  cancelExchange(exchange: ExchangeId): void {
    const outgoing = this.#outgoing?.get(exchange);
    if (outgoing?.request.method === 'INVITE') outgoing.sending?.cancel([]);
  }

  /** Final response, or none, to a request of ours. Called by the exchange. */
  onExchangeEnded(
    outgoing: OutgoingExchange,
    status: number,
    response: SipResponse | undefined,
    cause: 'response' | 'timeout' | 'transport',
  ): void {
    const { exchange: id, method, cseq } = outgoing.request;
    const accepted = method === 'INVITE' && status < 300;
    if (this.#outgoing?.has(id) !== true) {
      // A copy of a 2xx to a re-INVITE: its ACK was lost.
      if (accepted) this.ack?.repeat();
      return;
    }
    this.#outgoing = without(this.#outgoing, id);
    const dialog = this.confirmedDialog;
    if (status < 300 && isTargetRefresh(method) && dialog !== undefined) refreshTarget(dialog, response?.contact?.uri);
    if (accepted) this.state.inviteCSeq = cseq;
    // RFC 3261 13.2.2.4: in a dialog that has ended meanwhile the 2xx has its ACK all the same, though nobody asks for it.
    if (accepted && (this.released || this.ended)) this.acknowledge({ headers: [] });
    if (this.released) return;
    const { id: leg } = this;
    if (response === undefined) this.ua.emit({ type: 'response', leg, exchange: id, status, cause });
    else this.ua.emit({ type: 'response', leg, exchange: id, status, cause, response });
  }

  /** Acknowledges the 2xx to our last INVITE on this leg, once. */
  acknowledge(payload: Payload): void {
    const dialog = this.confirmedDialog;
    if (dialog === undefined || this.ack !== undefined) return;
    const routed = requestInDialog(dialog, 'ACK', this.state.inviteCSeq, payload.headers, payload.body ?? NO_BYTES);
    this.ack = this.ua.sendAck(routed, this.branch(this.state.inviteCSeq, 'ACK'));
  }

  /** A 2xx that no transaction knows any more: the ACK was lost, or we were restarted. */
  receiveStray(response: SipResponse): void {
    const dialog = this.confirmedDialog;
    const same = dialog?.remoteTag === response.toTag && response.cseq?.number === this.state.inviteCSeq;
    if (same) this.ack?.repeat();
  }

  /** The branch of a request: the same again when the same request is sent again after a restart. */
  protected branch(cseq: number, method: string): string {
    return `${this.id}-${cseq}${method === 'INVITE' ? 'i' : method === 'ACK' ? 'a' : ''}`;
  }

  /** The session is over. Open requests of the peer get their one final answer. */
  release(): void {
    this.released = true;
    for (const { transaction, request } of this.#incoming?.values() ?? NONE) {
      transaction.respond(responseTo(request, request.method === 'BYE' ? 200 : 481));
    }
    this.#incoming = undefined;
    // A re-INVITE that is only ever answered provisionally would be waited for without end.
    for (const outgoing of this.#outgoing?.values() ?? NONE) {
      if (outgoing.request.method === 'INVITE') outgoing.sending?.cancel([]);
    }
    this.#answer?.stop();
    this.#answer = undefined;
    for (const dialog of this.state.dialogs) this.ua.unbind(dialog.localTag);
    this.ua.unbind(this.id);
  }
}

const NONE: readonly never[] = [];

/** What is left of open exchanges where one ends; nothing where that was the last. */
function without<T>(open: Map<ExchangeId, T> | undefined, ended: ExchangeId): Map<ExchangeId, T> | undefined {
  if (open === undefined || (open.size === 1 && open.has(ended))) return undefined;
  open.delete(ended);
  return open;
}

/** RFC 3261 12.2 and RFC 3311: these may carry a new Contact for the dialog. */
export function isTargetRefresh(method: string): boolean {
  return method === 'INVITE' || method === 'UPDATE';
}

function isOfferer(method: string): boolean {
  return method === 'INVITE' || method === 'UPDATE';
}

function refreshTarget(dialog: Dialog, uri: string | undefined): void {
  if (uri !== undefined && parseUri(uri) !== undefined) dialog.target = detached(uri);
}

function rackOf(dialog: Dialog): HeaderField {
  const { rseq, cseq } = dialog.reliable ?? { rseq: 1, cseq: 1 };
  return headerField('RAck', `${rseq} ${cseq} INVITE`);
}
