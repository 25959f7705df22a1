/**
 * A leg in a sip.js core: one INVITE and the session dialogs it made. sip.js counts, routes and matches; what it leaves
 * to its user is here: requests inside the dialog, each way, as exchanges of the port.
 */
import {
  type IncomingAckRequest,
  type IncomingRequest,
  type IncomingResponseMessage,
  type OutgoingRequest,
  ReInviteUserAgentServer,
  type RequestOptions,
  type SessionDialog,
  TransactionState,
  type UserAgentServer,
} from 'sip.js/lib/core/index.js';
import { headerField } from '../sip/message/header.ts';
import type { SipRequest, SipResponse } from '../sip/message/message.ts';
import { responseTo } from '../sip/message/respond.ts';
import type { ExchangeId, FailureCause, LegId, Payload } from '../sip/port.ts';
import { isTargetRefresh } from '../sip/user-agent/leg.ts';
import type { PortContext } from './context.ts';
import { refreshTarget } from './dialog-state.ts';
import { requestOf, requestOptions, responseOf, textOf } from './messages.ts';

/** At most this many requests of one peer may wait for an answer inside one dialog; more are refused. */
const MAX_OPEN_EXCHANGES = 16;

interface IncomingExchange {
  readonly server: UserAgentServer;
  readonly request: SipRequest;
  readonly dialog: SessionDialog;
}

interface OutgoingExchange {
  readonly method: string;
  readonly sent: OutgoingRequest;
}

export abstract class Leg {
  readonly id: LegId;
  /** By fork. */
  readonly dialogs: SessionDialog[] = [];
  protected readonly port: PortContext;
  protected confirmed = -1;
  /** True once a BYE went either way: only crossings are still answered (RFC 3261 15). */
  protected ended = false;
  /** True once the session has let go of the leg. */
  protected released = false;
  /** Sends the ACK for the 2xx that has none yet. */
  protected ack: ((options: RequestOptions) => void) | undefined;
  readonly #incoming = new Map<ExchangeId, IncomingExchange>();
  readonly #outgoing = new Map<ExchangeId, OutgoingExchange>();

  constructor(port: PortContext, id: LegId) {
    this.port = port;
    this.id = id;
  }

  /** True for the side that must not end an early dialog (RFC 3261 15). */
  protected abstract readonly inbound: boolean;

  get #confirmedDialog(): SessionDialog | undefined {
    return this.dialogs[this.confirmed];
  }

  protected watch(dialog: SessionDialog): void {
    const take = (request: IncomingRequest): void => this.receive(request as UserAgentServer, dialog);
    dialog.delegate = {
      onAck: (ack) => this.#acknowledged(ack),
      onAckTimeout: () => this.unacknowledged(),
      onBye: take,
      onInfo: take,
      onInvite: take,
      onMessage: take,
      onNotify: take,
      onPrack: take,
      onRefer: take,
    };
  }

  // --- requests of the peer ----------------------------------------------------------------------------------

  receive(server: UserAgentServer, dialog: SessionDialog): void {
    const request = requestOf(server.message);
    const refusal = this.#refusalFor(request);
    const fork = this.dialogs.indexOf(dialog);
    const exchange = `${fork > 0 ? `${fork}-` : ''}${request.method.toLowerCase()}-${request.cseq?.number}`;
    const incoming = { server, request, dialog };
    if (refusal !== undefined) {
      // RFC 3261 14.2: the peer shall wait up to ten seconds before it tries again.
      const headers = refusal === 500 && request.method === 'INVITE' ? [headerField('Retry-After', '3')] : [];
      this.#send(incoming, responseTo(request, refusal, { headers }));
      return;
    }
    this.#incoming.set(exchange, incoming);
    if (request.method === 'BYE') {
      this.ended = this.inbound || this.confirmed >= 0;
      this.port.emit({ type: 'bye', leg: this.id, exchange, request });
      return;
    }
    if (isTargetRefresh(request.method)) refreshTarget(dialog, request.contact?.uri);
    if (request.method === 'INVITE') this.#send(incoming, responseTo(request, 100));
    this.port.emit({ type: 'request', leg: this.id, fork: Math.max(0, fork), exchange, request });
  }

  #refusalFor(request: SipRequest): number | undefined {
    if (this.released || (this.ended && request.method !== 'BYE')) return 481;
    if (this.#incoming.size >= MAX_OPEN_EXCHANGES) return 500;
    if (!isTargetRefresh(request.method)) return undefined;
    // RFC 3261 14.2 and RFC 3311 5.2: one offer at a time. Ours outstanding: 491. Theirs: 500.
    for (const { method } of this.#outgoing.values()) if (isTargetRefresh(method)) return 491;
    for (const { request: other } of this.#incoming.values()) if (isTargetRefresh(other.method)) return 500;
    return undefined;
  }

  /** CANCEL for a re-INVITE: sip.js has answered it and tells nobody. */
  receiveCancel(server: UserAgentServer): void {
    for (const [exchange, incoming] of this.#incoming) {
      if (incoming.server === server) this.port.emit({ type: 'exchangeCancelled', leg: this.id, exchange });
    }
  }

  /** Answers a request that was handed up. Answering twice does nothing. */
  respond(exchange: ExchangeId, status: number, reason: string | undefined, payload: Payload): void {
    const incoming = this.#incoming.get(exchange);
    if (incoming === undefined) return;
    if (status >= 200) this.#incoming.delete(exchange);
    const { headers, body } = payload;
    this.#send(incoming, responseTo(incoming.request, status, { reason, headers, body }));
  }

  #send({ server, dialog }: IncomingExchange, response: SipResponse): void {
    const { status } = response;
    const reinvite = server instanceof ReInviteUserAgentServer;
    if (reinvite && status >= 300) {
      dialog.signalingStateRollback();
      dialog.reinviteUserAgentServer = undefined;
    }
    this.sendResponse(server, response);
    if (!reinvite || status < 200 || status >= 300) return;
    // The 2xx is repeated until its ACK; sip.js does not tell when it gives up.
    dialog.reConfirm();
    const { transaction } = server;
    transaction.addStateChangeListener(() => {
      const missing = dialog.reinviteUserAgentServer === server;
      if (transaction.state === TransactionState.Terminated && missing) this.unacknowledged();
    });
  }

  /** Hands a response to its transaction. One that comes too late is dropped. */
  protected sendResponse(server: UserAgentServer, response: SipResponse): void {
    try {
      server.transaction.receiveResponse(response.status, textOf(response));
    } catch (error) {
      this.port.warn(`${response.status} to ${server.message.method} on ${this.id}`, error);
    }
  }

  #acknowledged({ message }: IncomingAckRequest): void {
    if (!this.released) this.port.emit({ type: 'acknowledged', leg: this.id, request: requestOf(message) });
  }

  protected unacknowledged(): void {
    if (!this.released) this.port.emit({ type: 'unacknowledged', leg: this.id });
  }

  // --- requests of ours ----------------------------------------------------------------------------------------

  /** Sends a request inside the dialog. Where that can't be done the exchange fails at once. */
  request(exchange: ExchangeId, method: string, fork: number | undefined, payload: Payload): void {
    const dialog = this.#confirmedDialog ?? this.dialogs[fork ?? 0];
    if (dialog === undefined) return this.#failed(exchange, 481, 'transport');
    if (method === 'BYE') this.ended = true;
    try {
      const options = requestOptions(payload, method === 'PRACK' ? this.rackOf(dialog) : []);
      const sent = method === 'INVITE' ? this.#reinvite(exchange, dialog, options) : undefined;
      this.#outgoing.set(exchange, { method, sent: sent ?? this.#plain(exchange, method, dialog, options) });
    } catch (error) {
      // sip.js throws where an earlier re-INVITE is still open, in either direction.
      this.port.warn(`${method} on ${this.id}`, error);
      this.#failed(exchange, method === 'INVITE' ? 491 : 503, 'transport');
    }
  }

  /** RAck of a PRACK; only an INVITE of ours has reliable responses. */
  protected rackOf(_dialog: SessionDialog): Payload['headers'] {
    return [];
  }

  #plain(exchange: ExchangeId, method: string, dialog: SessionDialog, options: RequestOptions): OutgoingRequest {
    const done = ({ message }: { message: IncomingResponseMessage }): void => this.#onFinal(exchange, dialog, message);
    const message = dialog.createOutgoingRequestMessage(method, options);
    return this.port.core.request(message, { onAccept: done, onRedirect: done, onReject: done });
  }

  #reinvite(exchange: ExchangeId, dialog: SessionDialog, options: RequestOptions): OutgoingRequest {
    const done = ({ message }: { message: IncomingResponseMessage }): void => this.#onFinal(exchange, dialog, message);
    return dialog.invite(
      {
        onAccept: (response) => {
          if (this.released || this.ended) response.ack();
          else this.ack = (ackOptions) => response.ack(ackOptions);
          done(response);
        },
        onRedirect: done,
        onReject: done,
      },
      options,
    );
  }

  /** Final response, or none, to a request of ours. */
  #onFinal(exchange: ExchangeId, dialog: SessionDialog, message: IncomingResponseMessage): void {
    const method = this.#outgoing.get(exchange)?.method ?? '';
    this.#outgoing.delete(exchange);
    const response = responseOf(message);
    if (response === undefined) {
      const status = message.statusCode ?? 503;
      return this.#failed(exchange, status, status === 408 ? 'timeout' : 'transport');
    }
    if (response.status < 300 && isTargetRefresh(method)) refreshTarget(dialog, response.contact?.uri);
    if (this.released) return;
    const { status } = response;
    this.port.emit({ type: 'response', leg: this.id, exchange, status, response, cause: 'response' });
  }

  #failed(exchange: ExchangeId, status: number, cause: FailureCause): void {
    if (!this.released) this.port.emit({ type: 'response', leg: this.id, exchange, status, cause });
  }

  /** CANCELs a re-INVITE of ours that is still open. */
  cancelExchange(exchange: ExchangeId): void {
    const outgoing = this.#outgoing.get(exchange);
    if (outgoing?.method === 'INVITE') outgoing.sent.cancel();
  }

  /** Acknowledges the 2xx to our last INVITE on this leg; sip.js repeats the ACK with each copy of it. */
  acknowledge(payload: Payload): void {
    const { ack } = this;
    this.ack = undefined;
    ack?.(requestOptions(payload));
  }

  /** The session is over. Open requests of the peer get their one final answer. */
  release(): void {
    this.released = true;
    for (const incoming of this.#incoming.values()) {
      const { request } = incoming;
      this.#send(incoming, responseTo(request, request.method === 'BYE' ? 200 : 481));
    }
    this.#incoming.clear();
    for (const dialog of this.dialogs) dialog.dispose();
  }
}
