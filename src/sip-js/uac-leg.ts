/**
 * The leg of an INVITE we sent (RFC 3261 13.2). Forks downstream may answer with several dialogs; the first 2xx is the
 * session's, every other one is acknowledged and ended here (13.2.2.4).
 */
import {
  type AckableIncomingResponseWithSession,
  type IncomingResponseMessage,
  type InviteUserAgentClient,
  type PrackableIncomingResponseWithSession,
  type Session,
  type SessionDialog,
  TransactionState,
} from 'sip.js/lib/core/index.js';
import { parseNameAddress } from '../sip/message/address.ts';
import { textOfWire } from '../sip/message/bytes.ts';
import { type HeaderField, headerField } from '../sip/message/header.ts';
import type { SipResponse } from '../sip/message/message.ts';
import type { FailureCause, LegId, OutgoingInvite, Payload } from '../sip/port.ts';
import { DEFAULT_TIMERS, transactionTimeout } from '../sip/transaction/timers.ts';
import type { Timer } from '../time/clock.ts';
import type { PortContext } from './context.ts';
import { refreshTarget } from './dialog-state.ts';
import { Leg } from './leg.ts';
import { requestOptions, responseOf } from './messages.ts';
import { VerbatimUri } from './verbatim-uri.ts';

/** Early dialogs kept for one INVITE; a peer that invents more To tags is ignored beyond this. */
const MAX_FORKS = 32;

export class UacLeg extends Leg {
  protected readonly inbound = false;
  readonly #client: InviteUserAgentClient;
  /** RSeq of the reliable responses of each dialog that wait for their PRACK; those after the first may overlap. */
  readonly #unacknowledged = new Map<SessionDialog, string[]>();
  /** True once the INVITE has a final response, or never will. */
  #settled = false;
  #cancelling = false;
  #cancelLimit: Timer | undefined;

  /** Sends the INVITE, by the first route set: a sip.js core has no second try (RFC 3263 4.3). */
  constructor(port: PortContext, id: LegId, invite: OutgoingInvite) {
    super(port, id);
    const { core } = port;
    const from = textOfWire(invite.from);
    const to = textOfWire(invite.to);
    const routeSet = (invite.routeSets[0] ?? []).map(textOfWire);
    const { extraHeaders, body } = requestOptions(invite);
    const message = core.makeOutgoingRequestMessage(
      'INVITE',
      new VerbatimUri(textOfWire(invite.uri)),
      new VerbatimUri(parseNameAddress(from)?.uri ?? from),
      new VerbatimUri(parseNameAddress(to)?.uri ?? to),
      { callId: id, fromTag: id, cseq: 1, routeSet },
      extraHeaders,
      body,
    );
    // Display names and parameters as they came.
    message.setHeader('from', `${from};tag=${id}`);
    message.setHeader('to', to);
    message.setHeader('max-forwards', String(invite.maxForwards));
    const failed = ({ message: response }: { message: IncomingResponseMessage }): void => this.#onFailure(response);
    this.#client = core.invite(message, {
      onProgress: (response) => this.#onProgress(response),
      onAccept: (response) => this.#onAnswer(response),
      onRedirect: failed,
      onReject: failed,
    }) as InviteUserAgentClient;
  }

  #onProgress({ message, session }: PrackableIncomingResponseWithSession): void {
    const response = responseOf(message);
    if (response === undefined || this.released || this.#settled) return;
    const fork = this.#forkOf(session);
    const dialog = this.dialogs[fork];
    if (dialog === undefined) return;
    // sip.js has dropped copies and those out of order.
    const rseq = response.lists('require', '100rel') ? response.header('rseq') : undefined;
    if (rseq !== undefined) this.#unacknowledged.set(dialog, [...(this.#unacknowledged.get(dialog) ?? []), rseq]);
    this.port.emit({ type: 'provisional', leg: this.id, fork, response, reliable: rseq !== undefined });
  }

  /** Forks are numbered by the order of their To tags; one too many is -1. */
  #forkOf(session: Session): number {
    const dialog = session as SessionDialog;
    const known = this.dialogs.indexOf(dialog);
    if (known >= 0 || this.dialogs.length >= MAX_FORKS) return known;
    this.watch(dialog);
    return this.dialogs.push(dialog) - 1;
  }

  #onAnswer({ message, session, ack }: AckableIncomingResponseWithSession): void {
    const response = responseOf(message);
    const dialog = session as SessionDialog;
    if (response === undefined) return;
    const late = this.#settled || this.released;
    this.#settle();
    if (late) return this.#endStraggler(dialog, ack);
    const fork = this.#forkOf(session);
    if (fork < 0) {
      this.#endStraggler(dialog, ack);
      return this.#tellFailure(500, undefined, 'response');
    }
    this.confirmed = fork;
    // 12.1.2: the target of the 2xx replaces that of the early dialog.
    refreshTarget(dialog, response.contact?.uri);
    this.ack = ack;
    this.port.emit({ type: 'answered', leg: this.id, fork, response });
  }

  /** RFC 3261 13.2.2.4: a 2xx nobody waits for is acknowledged, and its dialog ended at once. */
  #endStraggler(dialog: SessionDialog, ack: () => void): void {
    ack();
    this.port.core.request(dialog.createOutgoingRequestMessage('BYE'));
    dialog.dispose();
  }

  #onFailure(message: IncomingResponseMessage): void {
    const response = responseOf(message);
    const status = message.statusCode ?? 503;
    const cause = response !== undefined ? 'response' : status === 408 ? 'timeout' : 'transport';
    if (this.#settled) return;
    this.#settle();
    this.#tellFailure(status, response, cause);
  }

  #tellFailure(status: number, response: SipResponse | undefined, cause: FailureCause): void {
    if (this.released) return;
    const event = { type: 'failed', leg: this.id, status, cause } as const;
    this.port.emit(response === undefined ? event : { ...event, response });
  }

  #settle(): void {
    this.#settled = true;
    this.#cancelLimit?.cancel();
  }

  protected override rackOf(dialog: SessionDialog): Payload['headers'] {
    const rseq = this.#unacknowledged.get(dialog)?.shift() ?? '1';
    return [headerField('RAck', `${rseq} ${this.#client.message.cseq} INVITE`)];
  }

  /** Ends the INVITE if it is still open: at once, or when its first provisional response comes (RFC 3261 9.1). */
  cancel(headers: readonly HeaderField[]): void {
    if (this.#settled || this.#cancelling) return;
    this.#cancelling = true;
    const { transaction } = this.#client;
    if (transaction.state === TransactionState.Proceeding) this.#sendCancel(headers);
    else {
      const send = (): void => {
        if (transaction.state === TransactionState.Proceeding) this.#sendCancel(headers);
      };
      transaction.addStateChangeListener(send, { once: true });
    }
  }

  #sendCancel(headers: readonly HeaderField[]): void {
    const { core, clock } = this.port;
    const invite = this.#client.message;
    const { callId, cseq, fromTag } = invite;
    const cancel = core.makeOutgoingRequestMessage(
      'CANCEL',
      invite.ruri,
      invite.fromURI,
      invite.toURI,
      { callId, cseq, fromTag, routeSet: invite.getHeaders('route') },
      requestOptions({ headers }).extraHeaders,
    );
    // 9.1: the same From, To and branch as the INVITE; sip.js would write the addresses anew.
    cancel.setHeader('from', invite.getHeaders('from'));
    cancel.setHeader('to', invite.getHeaders('to'));
    cancel.branch = invite.branch;
    core.request(cancel);
    // 9.1: without a final response within 64*T1 the INVITE counts as cancelled. sip.js would wait for ever.
    const owner = { onTimer: () => this.#forget() };
    this.#cancelLimit = clock.schedule(transactionTimeout(DEFAULT_TIMERS), owner, 'cancelLimit');
  }

  #forget(): void {
    const { transaction } = this.#client;
    this.port.core.userAgentClients.delete(`${transaction.id}INVITE`);
    this.#client.dispose();
    this.#settle();
    this.#tellFailure(408, undefined, 'timeout');
  }
}
