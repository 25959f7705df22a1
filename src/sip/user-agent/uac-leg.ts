/**
 * The leg of an INVITE we sent: we are its user agent client (RFC 3261 13.2). Forks downstream may answer with
 * several dialogs; the first 2xx is the session's, every other one is acknowledged and ended here (13.2.2.4).
 */
import { type Dialog, type DialogRequest, dialogOfResponse, type RoutedRequest, routed } from '../dialog/dialog.ts';
import { NO_BYTES } from '../message/bytes.ts';
import { type HeaderField, headerField } from '../message/header.ts';
import { SipRequest, type SipResponse } from '../message/message.ts';
import type { FailureCause, LegId, OutgoingInvite } from '../port.ts';
import type { ClientUser } from '../transaction/client.ts';
import type { Sending, UserAgentContext } from './context.ts';
import { ForkingLeg } from './forking-leg.ts';
import { type LegState, MAX_OPEN_EXCHANGES, type OpenRequest, type RequestCommand } from './leg.ts';

/** Early dialogs kept for one INVITE; a peer that invents more To tags is ignored beyond this. */
const MAX_FORKS = 32;

export class UacLeg extends ForkingLeg implements ClientUser {
  readonly #request: DialogRequest;
  #sending: Sending | undefined;
  /** True once the INVITE has a final response, or never will. */
  #settled = false;
  /** Requests in dialogs of which no record tells. */
  #held: RequestCommand[] | undefined;
  /** Requests of ours that had no answer before a restart. */
  #open: readonly OpenRequest[] | undefined;

  /** `before`: what the INVITE had come to before a restart. */
  constructor(ua: UserAgentContext, id: LegId, request: DialogRequest, before?: LegState) {
    const dialogs = before === undefined ? [] : [...before.dialogs];
    super(ua, { id, inbound: false, dialogs, confirmed: -1, inviteCSeq: request.cseq }, before !== undefined);
    this.#request = request;
    this.#open = before?.open;
  }

  /** Sends the INVITE. The same leg id gives the same Call-ID, tag and branch, so sending again is a copy. */
  invite(invite: OutgoingInvite, known: boolean): void {
    const alternatives = invite.routeSets.map((routes) => inviteBy(this.#request, invite, routes));
    const branch = this.branch(this.#request.cseq, 'INVITE');
    this.#sending = known ? this.ua.resume(alternatives, branch, this) : this.ua.send(alternatives, branch, this);
    this.sayAgain(this.#open);
    this.#open = undefined;
  }

  /** After a restart it waits for the dialog: the callee says again what made it. */
  protected override onNoDialog(command: RequestCommand): void {
    if (!this.restored || this.#settled || this.#held?.length === MAX_OPEN_EXCHANGES) super.onNoDialog(command);
    else if (command.known !== true) {
      this.#held ??= [];
      this.#held.push(command);
    }
  }

  /** A dialog is there, or there will be none. */
  #sendHeld(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    for (const command of held) this.request(command);
  }

  /** Ends the INVITE if it is still open (RFC 3261 9.1). */
  cancel(headers: readonly HeaderField[]): void {
    if (!this.#settled) this.#sending?.cancel(headers);
  }

  /**
   * An INVITE that is still open is cancelled, as it mostly has been: not where a restart took it up again. One that is only
   * ever answered provisionally would be waited for without end.
   */
  override release(): void {
    super.release();
    this.cancel([]);
  }

  onResponse(response: SipResponse): void {
    if (response.status < 200) this.#onProvisional(response);
    else if (response.status < 300) this.#onAnswer(response);
    else this.#fail(response.status, response, 'response');
  }

  onTimeout(): void {
    this.#fail(408, undefined, 'timeout');
  }

  onTransportError(): void {
    this.#fail(503, undefined, 'transport');
  }

  #fail(status: number, response: SipResponse | undefined, cause: FailureCause): void {
    if (this.#settled) return;
    this.#settle();
    if (this.released) return;
    this.#sendHeld();
    const event = { type: 'failed', leg: this.id, status, cause } as const;
    this.ua.emit(response === undefined ? event : { response, ...event });
  }

  /** Nothing is left to cancel. */
  #settle(): void {
    this.#settled = true;
    this.#sending = undefined;
  }

  #onProvisional(response: SipResponse): void {
    if (response.status === 100 || this.released || this.#settled) return;
    const fork = this.#forkFor(response);
    const dialog = this.state.dialogs[fork];
    if (dialog === undefined) return;
    const reliable = response.lists('require', '100rel') && response.has('rseq');
    const repeated = reliable && !this.#nextInOrder(dialog, response);
    this.#sendHeld();
    if (repeated) return;
    this.ua.emit({ type: 'provisional', leg: this.id, fork, response, reliable });
  }

  /** RFC 3262 4: copies and responses out of order are dropped; the missing one will be sent again. */
  #nextInOrder(dialog: Dialog, response: SipResponse): boolean {
    const rseq = Number(response.header('rseq'));
    if (!Number.isInteger(rseq) || (dialog.reliable !== undefined && rseq !== dialog.reliable.rseq + 1)) return false;
    dialog.reliable = { rseq, cseq: this.#request.cseq };
    return true;
  }

  /** The early dialog of a response: known, new, or one too many (-1). */
  #forkFor(response: SipResponse): number {
    const known = this.forkOf(response.toTag ?? '');
    if (known >= 0) return known;
    if (this.state.dialogs.length >= MAX_FORKS) return -1;
    return this.state.dialogs.push(dialogOfResponse(this.#request, response)) - 1;
  }

  #onAnswer(response: SipResponse): void {
    if (this.state.confirmed >= 0) {
      if (this.confirmedDialog?.remoteTag === response.toTag) this.ack?.repeat();
      else this.#endStraggler(response);
      return;
    }
    if (this.released || this.#settled) {
      this.#endStraggler(response);
      return;
    }
    this.#settle();
    const fork = Math.max(0, this.#forkFor(response));
    // 12.1.2: the route set and target of the 2xx replace those of the early dialog.
    const early = this.state.dialogs[fork];
    const confirmed = dialogOfResponse(this.#request, response);
    confirmed.localCSeq = Math.max(confirmed.localCSeq, early?.localCSeq ?? 0);
    this.state.dialogs[fork] = confirmed;
    this.state.confirmed = fork;
    this.#sendHeld();
    this.ua.emit({ type: 'answered', leg: this.id, fork, response });
  }

  #endStraggler(response: SipResponse): void {
    this.endFork(this.#request, response, dialogOfResponse(this.#request, response));
  }

  override receiveStray(response: SipResponse): void {
    // While the INVITE is open its transaction would have taken a 2xx: one that passed it by is not for us (18.1.2).
    if (!this.#settled) return;
    if (this.state.confirmed >= 0 && this.confirmedDialog?.remoteTag === response.toTag) super.receiveStray(response);
    else this.#onAnswer(response);
  }
}

function inviteBy(dialog: DialogRequest, invite: OutgoingInvite, routeSet: readonly string[]): RoutedRequest {
  const { uri, routes, hop } = routed(invite.uri, routeSet);
  const headers: HeaderField[] = [];
  for (const route of routes) headers.push(headerField('Route', route));
  headers.push(
    headerField('Max-Forwards', String(invite.maxForwards)),
    headerField('From', `${dialog.localAddress};tag=${dialog.localTag}`),
    headerField('To', dialog.remoteAddress),
    headerField('Call-ID', dialog.callId),
    headerField('CSeq', `${dialog.cseq} INVITE`),
  );
  for (const field of invite.headers) headers.push(field);
  return { request: new SipRequest('INVITE', uri, headers, invite.body ?? NO_BYTES), hop };
}
