/**
 * A subscription of ours to an event (RFC 6665): SUBSCRIBE, again before it ends, and the NOTIFYs in between. The dialog
 * begins with the first NOTIFY or the 2xx, whichever comes first (4.4.1).
 */
import type { Timer } from '../../time/clock.ts';
import { type Dialog, requestInDialog } from '../dialog/dialog.ts';
import { addressParam, parseNameAddress } from '../message/address.ts';
import { detached, type HeaderField, headerField } from '../message/header.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { responseTo } from '../message/respond.ts';
import type { ClientUser } from '../transaction/client.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { UserAgentContext } from './context.ts';

export interface SubscriptionOptions {
  /** Unique; is Call-ID, local tag and stem of the branches. */
  readonly id: string;
  /** Request-URI and To. */
  readonly uri: string;
  readonly from: string;
  readonly contact: string;
  readonly routes: readonly string[];
  readonly event: string;
  readonly accept: string;
  readonly expiresSeconds: number;
}

export interface SubscriptionUser {
  /** A NOTIFY with a body. False where it can not be understood, which answers 400. */
  onNotify(body: Uint8Array): boolean;
  /**
   * It is over: it was refused, nobody answered, or the notifier has ended it. `retryAfter` is when another is worth a
   * try, seconds; null where the notifier says there is no use in one (RFC 6665 4.1.3).
   */
  onEnd(why: string, retryAfter: number | null): void;
}

/** Where the notifier does not say. */
const RETRY_SECONDS = 60;

export class Subscription implements ClientUser {
  readonly #ua: UserAgentContext;
  readonly #options: SubscriptionOptions;
  readonly #user: SubscriptionUser;
  readonly #dialog: Dialog;
  /** Remote tag, routes and target are known. */
  #confirmed = false;
  #over = false;
  #refresh: Timer | undefined;

  constructor(ua: UserAgentContext, options: SubscriptionOptions, user: SubscriptionUser) {
    this.#ua = ua;
    this.#options = options;
    this.#user = user;
    const { id, uri, from, routes } = options;
    this.#dialog = {
      callId: id,
      localTag: id,
      remoteTag: '',
      localAddress: `<${from}>`,
      remoteAddress: `<${uri}>`,
      localCSeq: 0,
      remoteCSeq: -1,
      routes,
      target: uri,
    };
  }

  /** First or again; also asks for the whole state (RFC 6665 4.1.2.2). */
  subscribe(): void {
    const { id, contact, event, accept, from, expiresSeconds } = this.#options;
    const cseq = ++this.#dialog.localCSeq;
    const headers: HeaderField[] = [
      headerField('Contact', `<${contact}>`),
      headerField('Event', event),
      headerField('Accept', accept),
      headerField('Expires', String(expiresSeconds)),
      headerField('P-Asserted-Identity', `<${from}>`),
    ];
    this.#ua.send([requestInDialog(this.#dialog, 'SUBSCRIBE', cseq, headers)], `${id}.s${cseq}`, this);
  }

  /** Lets go of it: the notifier learns by a 481 to its next NOTIFY (RFC 6665 4.2.2). */
  end(): void {
    this.#over = true;
    this.#refresh?.cancel();
  }

  onResponse(response: SipResponse): void {
    if (this.#over || response.status < 200) return;
    if (response.status >= 300) {
      const after = Number.parseInt(response.header('retry-after') ?? '', 10);
      return this.#end(`it answers ${response.status}`, Number.isNaN(after) ? RETRY_SECONDS : after);
    }
    this.#confirm(response.toTag, response.list('record-route').reverse(), response.contact?.uri);
    this.#refreshBefore(Number.parseInt(response.header('expires') ?? '', 10));
  }

  onTimeout(): void {
    if (!this.#over) this.#end('nobody answers', RETRY_SECONDS);
  }

  onTransportError(reason: string): void {
    if (!this.#over) this.#end(reason, RETRY_SECONDS);
  }

  /** A request with our tag in To. */
  receive(request: SipRequest, transaction: ServerTransaction): void {
    const answer = (status: number): void => transaction.respond(responseTo(request, status));
    const cseq = request.cseq?.number ?? 0;
    const ours = request.callId === this.#dialog.callId && this.#isPeer(request.fromTag ?? '');
    if (this.#over || !ours) return answer(481);
    if (request.method !== 'NOTIFY') return answer(405);
    const event = (request.header('event') ?? '').replace(/\s*;.*$/, '');
    if (event !== this.#options.event) return answer(489);
    // RFC 3261 12.2.2: what comes in the wrong order is told so.
    if (cseq <= this.#dialog.remoteCSeq) return answer(500);
    this.#confirm(request.fromTag, request.list('record-route'), request.contact?.uri);
    this.#dialog.remoteCSeq = cseq;
    answer(request.body.length === 0 || this.#user.onNotify(request.body) ? 200 : 400);
    this.#follow(request.header('subscription-state') ?? '');
  }

  #isPeer(tag: string): boolean {
    return !this.#confirmed || this.#dialog.remoteTag === tag;
  }

  /** RFC 6665 4.1.3: what the notifier says of the subscription itself. */
  #follow(header: string): void {
    const state = parseNameAddress(`<sip:state>;${header.replace(/^\s*(\w+)/, 'state=$1')}`);
    if (state === undefined) return;
    const seconds = (name: string): number => Number.parseInt(addressParam(state, name) ?? '', 10);
    if (addressParam(state, 'state') !== 'terminated') return this.#refreshBefore(seconds('expires'));
    const reason = addressParam(state, 'reason') ?? '';
    const after = seconds('retry-after');
    const never = ['rejected', 'noresource', 'invariant'].includes(reason);
    const atOnce = ['deactivated', 'timeout'].includes(reason);
    this.#end(`ended: ${reason}`, never ? null : atOnce ? 0 : Number.isNaN(after) ? RETRY_SECONDS : after);
  }

  #confirm(tag: string | undefined, routes: readonly string[], target: string | undefined): void {
    if (this.#confirmed || tag === undefined) return;
    this.#confirmed = true;
    Object.assign(this.#dialog, {
      remoteTag: detached(tag),
      routes: routes.map(detached),
      target: detached(target ?? this.#dialog.target),
    });
  }

  /** TS 24.229 5.7.1.1: ten minutes before the end, or at half the time where that is short. */
  #refreshBefore(seconds: number): void {
    if (Number.isNaN(seconds) || seconds <= 0) return;
    this.#refresh?.cancel();
    const wait = seconds > 1200 ? seconds - 600 : seconds / 2;
    this.#refresh = this.#ua.clock.schedule(wait * 1000, { onTimer: () => this.subscribe() }, 'refreshSubscription');
  }

  #end(why: string, retryAfter: number | null): void {
    this.#over = true;
    this.#refresh?.cancel();
    this.#user.onEnd(why, retryAfter);
  }
}
