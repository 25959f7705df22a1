/** The leg of an INVITE a peer sent (RFC 3261 13.3). Each fork of the far side is a dialog of its own here too. */
import {
  Dialog,
  type IncomingRequestMessage,
  type InviteServerTransaction,
  SessionDialog,
  TransactionState,
  type UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type { SipRequest } from '../sip/message/message.ts';
import { responseTo } from '../sip/message/respond.ts';
import type { LegId, Payload } from '../sip/port.ts';
import type { PortContext } from './context.ts';
import { Leg } from './leg.ts';
import { requestOf } from './messages.ts';
import { ReliableProgress } from './reliable-progress.ts';

export class UasLeg extends Leg {
  protected readonly inbound = true;
  readonly #server: UserAgentServer;
  readonly #request: SipRequest;
  readonly #reliable: ReliableProgress;

  constructor(port: PortContext, id: LegId, server: UserAgentServer, request: SipRequest) {
    super(port, id);
    this.#server = server;
    this.#request = request;
    this.#reliable = new ReliableProgress(port.clock, request.cseq?.number ?? 0, () => this.unacknowledged());
    server.delegate = {
      onCancel: (cancel) => port.emit({ type: 'cancelled', leg: id, request: requestOf(cancel) }),
    };
  }

  /** True once the INVITE has its final response. */
  get #answered(): boolean {
    return this.#server.transaction.state !== TransactionState.Proceeding;
  }

  trying(): void {
    if (!this.#answered) this.sendResponse(this.#server, responseTo(this.#request, 100));
  }

  progress(fork: number, status: number, reason: string, reliable: boolean, payload: Payload): void {
    if (this.#answered) return;
    const toTag = this.#dialog(fork, true).localTag;
    const { headers, body } = payload;
    const send = (added: Payload['headers']): void => {
      const lines = [...headers, ...added];
      const response = responseTo(this.#request, status, { reason, toTag, headers: lines, body, recordRoute: true });
      this.sendResponse(this.#server, response);
    };
    if (reliable) this.#reliable.add(send);
    else send([]);
  }

  override receive(server: UserAgentServer, dialog: SessionDialog): void {
    const request = requestOf(server.message);
    if (request.method === 'PRACK' && !this.#reliable.take(request)) {
      // RFC 3262 3: a PRACK that matches no response of ours is answered 481.
      this.sendResponse(server, responseTo(request, 481));
      return;
    }
    super.receive(server, dialog);
    if (request.method === 'PRACK') this.#reliable.next();
  }

  /** A 2xx; the dialog repeats it until its ACK. The fork it came from is the dialog that stays (12.1.1). */
  answer(fork: number, status: number, payload: Payload): void {
    if (this.#answered) return;
    this.#reliable.stop();
    const dialog = this.#dialog(fork, false);
    dialog.confirm();
    this.confirmed = this.dialogs.indexOf(dialog);
    const { headers, body } = payload;
    const parts = { toTag: dialog.localTag, headers, body, recordRoute: true };
    this.sendResponse(this.#server, responseTo(this.#request, status, parts));
  }

  /** A final response other than 2xx. */
  refuse(status: number, reason: string | undefined, payload: Payload): void {
    if (this.#answered) return;
    this.#reliable.stop();
    const { headers, body } = payload;
    this.sendResponse(this.#server, responseTo(this.#request, status, { reason, toTag: this.id, headers, body }));
    this.ended = true;
  }

  /** The dialog of a fork, made when it is first needed; those before it are early ones nobody has heard of. */
  #dialog(fork: number, early: boolean): SessionDialog {
    for (let at = this.dialogs.length; at <= fork; at++) {
      const tag = at === 0 ? this.id : `${this.id}.${at}`;
      this.dialogs.push(this.#makeDialog(tag, early || at < fork));
    }
    return this.dialogs[fork] as SessionDialog;
  }

  #makeDialog(tag: string, early: boolean): SessionDialog {
    const message: IncomingRequestMessage = this.#server.message;
    const state = Dialog.initialDialogStateForUserAgentServer(message, tag, early);
    const dialog = new SessionDialog(this.#server.transaction as InviteServerTransaction, this.port.core, state);
    this.watch(dialog);
    return dialog;
  }

  override release(): void {
    // One final answer (RFC 3261 13.3.1): a session that ends without one is our failure.
    this.refuse(500, undefined, { headers: [] });
    super.release();
  }
}
