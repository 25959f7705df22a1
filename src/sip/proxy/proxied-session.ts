/**
 * A session in proxy mode: forwards what its session orders, and by itself what RFC 3261 16.7 wants forwarded at
 * once (copies of a 2xx, 2xx of other forks, provisional responses inside a dialog).
 */
import type { Flow } from '../flow.ts';
import { detached, type HeaderField, headerField } from '../message/header.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { responseTo } from '../message/respond.ts';
import { wireOfMessage } from '../message/serialize.ts';
import type { ExchangeId, FailureCause, LegId } from '../port.ts';
import type { ClientUser } from '../transaction/client.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { Sending } from '../user-agent/context.ts';
import type { ProxyContext } from './context.ts';
import { forwardAckStateless, forwardBack, forwardBy, passThrough } from './pass-through.ts';
import { RingingLimit } from './ringing-limit.ts';
import { loopToken, responseForward } from './rules.ts';

/** JSON: what makes a proxied dialog known again after a restart. */
export interface ProxiedState {
  readonly key: string;
  /** From tag of whoever invited; tells the direction of a request. */
  readonly callerTag: string;
  /** To tag of the 2xx that was first: the session is the dialog with that callee. Unknown before. */
  calleeTag?: string;
  /** Seconds; see the command that forwards the INVITE. */
  readonly answerTimer?: number;
  /** Re-INVITEs whose final answer had not been passed on when this was exported; one character for each byte. */
  readonly offers?: readonly string[];
}

/** At most this many requests of one dialog may be under way at a time; more are refused. */
const MAX_OPEN_EXCHANGES = 32;

export class ProxiedSession {
  readonly state: ProxiedState;
  readonly #proxy: ProxyContext;
  readonly #branches = new Map<LegId, ProxyBranch>();
  readonly #exchanges = new Map<ExchangeId, ProxyExchange>();
  #ack: SipRequest | undefined;
  released = false;

  constructor(proxy: ProxyContext, state: ProxiedState) {
    this.#proxy = proxy;
    this.state = state;
  }

  // --- the INVITE ------------------------------------------------------------------------------------------

  forwardInvite(
    branchId: LegId,
    request: SipRequest,
    routeSets: readonly (readonly string[])[],
    server: ServerTransaction,
  ): void {
    const branch = new ProxyBranch(this.#proxy, branchId, server, this);
    this.#branches.set(branchId, branch);
    const alternatives = routeSets.map((routeSet) => this.#routed(request, routeSet, server.flow.transport));
    // RFC 3261 16.6 step 8: from the request as it came, which is what comes back in a loop.
    const token = loopToken(server.request ?? request);
    branch.sending = this.#proxy.sender.send(alternatives, `${branchId}-l${token}`, branch);
  }

  #routed(request: SipRequest, routeSet: readonly string[], arrivedBy: Flow['transport']) {
    const forward = forwardBy(request, routeSet);
    const prepare = (sent: SipRequest, flow: Flow): void => {
      // O-INV-5b T-INV-8b: our own URI in the route; RFC 5658: twice where the transports differ.
      const at = sent.headers.findIndex((field) => field.name !== 'via');
      const entries = [flow.transport, arrivedBy].map((transport) =>
        this.#proxy.recordRoute(this.state.key, transport),
      );
      const lines = [...new Set(entries)].map((entry) => headerField('Record-Route', entry));
      sent.headers.splice(at, 0, ...lines);
    };
    return { prepare, ...forward };
  }

  has(branchId: LegId): boolean {
    return this.#branches.has(branchId);
  }

  forwardResponse(branchId: LegId): void {
    this.#branches.get(branchId)?.forward();
  }

  /** RFC 4028 8.2: where the callee knows no timer, the caller is told to refresh; in each copy and fork of the 2xx. */
  forwarded(response: SipResponse): SipResponse {
    const { answerTimer } = this.state;
    const isAnswer = response.status >= 200 && response.status < 300;
    if (!isAnswer || answerTimer === undefined || response.has('session-expires')) return responseForward(response);
    const required = response.list('require').filter((tag) => tag.toLowerCase() !== 'timer');
    return responseForward(response, [
      headerField('Session-Expires', `${answerTimer};refresher=uac`),
      headerField('Require', [...required, 'timer'].join(', ')),
    ]);
  }

  cancelBranch(branchId: LegId, headers: readonly HeaderField[]): void {
    this.#branches.get(branchId)?.sending?.cancel(headers);
  }

  // --- inside the dialog -----------------------------------------------------------------------------------

  /** Side of the session a request comes from. */
  directionOf(request: SipRequest): LegId {
    return `${this.state.key}.${(request.fromTag ?? '') === this.state.callerTag ? 'a' : 'b'}`;
  }

  receive(request: SipRequest, server: ServerTransaction): void {
    const leg = this.directionOf(request);
    if (this.#isOfOtherFork(request, leg)) {
      const branch = `${leg}-${request.cseq?.number}${request.method}`;
      passThrough(this.#proxy, request, [request.list('route')], server, branch);
      return;
    }
    const exchange = exchangeOf(leg, request);
    // RFC 3261 8.2.2.2: the same request by another way is one too many.
    const refusal = this.#exchanges.has(exchange) ? 482 : this.#exchanges.size >= MAX_OPEN_EXCHANGES ? 500 : undefined;
    if (refusal !== undefined) {
      server.respond(responseTo(request, refusal));
      return;
    }
    this.#open(leg, exchange, request, server);
    if (request.method === 'BYE') this.#proxy.emit({ type: 'bye', leg, exchange, request });
    else this.#proxy.emit({ type: 'request', leg, fork: 0, exchange, request });
    // Behind a 100 no copy of it comes, so first it is stored.
    if (request.method === 'INVITE') this.#proxy.whenStored(leg, () => server.trying());
  }

  #open(leg: LegId, id: ExchangeId, request: SipRequest, server: ServerTransaction): ProxyExchange {
    const exchange = new ProxyExchange(this.#proxy, leg, id, request, server, this);
    this.#exchanges.set(id, exchange);
    return exchange;
  }

  /** Takes up a re-INVITE that came before a restart, and says it again: to the next hop it is a copy. */
  resume(request: SipRequest, server: ServerTransaction): void {
    const leg = this.directionOf(request);
    this.#open(leg, exchangeOf(leg, request), request, server).forward();
  }

  exported(): ProxiedState {
    const offers: string[] = [];
    for (const { offer } of this.#exchanges.values()) if (offer !== undefined) offers.push(offer);
    return offers.length === 0 ? this.state : { ...this.state, offers };
  }

  /** RFC 3261 13.2.2.4: a caller ends the dialogs of the other forks that answered; the session is not among them. */
  #isOfOtherFork(request: SipRequest, leg: LegId): boolean {
    const { calleeTag } = this.state;
    return calleeTag !== undefined && ((leg.endsWith('.a') ? request.toTag : request.fromTag) ?? '') !== calleeTag;
  }

  receiveAck(request: SipRequest): void {
    this.#ack = request;
    this.#proxy.emit({ type: 'acknowledged', leg: this.directionOf(request), request });
  }

  forwardAck(): void {
    const ack = this.#ack;
    this.#ack = undefined;
    if (ack !== undefined) forwardAckStateless(this.#proxy.sender, ack);
  }

  forwardRequest(exchange: ExchangeId): void {
    this.#exchanges.get(exchange)?.forward();
  }

  forwardReply(exchange: ExchangeId): void {
    const open = this.#exchanges.get(exchange);
    // After a restart the answer that this is about is gone, and comes again.
    if (open?.answered !== true) return;
    open.reply();
    this.#exchanges.delete(exchange);
  }

  release(): void {
    this.released = true;
    for (const branch of this.#branches.values()) branch.release();
    // A request or its answer that came when the session had closed already and was not gone yet.
    for (const exchange of this.#exchanges.values()) exchange.passOn();
  }
}

function exchangeOf(leg: LegId, request: SipRequest): ExchangeId {
  return `${leg.slice(-1)}-${request.method.toLowerCase()}-${request.cseq?.number}`;
}

/** One forwarded INVITE (16.6, 16.7). */
class ProxyBranch implements ClientUser {
  sending: Sending | undefined;
  readonly #proxy: ProxyContext;
  readonly #id: LegId;
  readonly #server: ServerTransaction;
  readonly #session: ProxiedSession;
  readonly #ringing: RingingLimit;
  /** The response the session was told of, until it is forwarded. */
  #last: SipResponse | undefined;
  #later: SipResponse[] = [];
  #status = 0;
  #request: SipRequest | undefined;

  constructor(proxy: ProxyContext, id: LegId, server: ServerTransaction, session: ProxiedSession) {
    this.#proxy = proxy;
    this.#id = id;
    this.#server = server;
    this.#request = server.request;
    this.#session = session;
    this.#ringing = new RingingLimit(proxy.clock, proxy.timers, () => this.sending?.cancel([]));
  }

  onResponse(response: SipResponse): void {
    if (response.status === 100) return;
    this.#ringing.heard(response.status);
    // 16.7 step 5: every 2xx goes upstream at once, whatever the session does.
    if (this.#status >= 200 || this.#session.released) {
      if (response.status >= 200 && response.status < 300) this.#forwardLater(response);
      return;
    }
    this.#last = response;
    const leg = this.#id;
    if (response.status < 200) {
      this.#proxy.emit({ type: 'provisional', leg, fork: 0, response, reliable: response.lists('require', '100rel') });
    } else {
      this.#status = response.status;
      if (response.status < 300) {
        this.#session.state.calleeTag = detached(response.toTag ?? '');
        this.#proxy.emit({ type: 'answered', leg, fork: 0, response });
      } else this.#proxy.emit({ type: 'failed', leg, status: response.status, response, cause: 'response' });
    }
  }

  onTimeout(): void {
    this.#end(408, 'timeout');
  }

  onTransportError(): void {
    // 16.9: a transport failure counts as a 503, and 16.7 step 6 makes a 500 of it upstream.
    this.#end(500, 'transport');
  }

  #end(status: number, cause: FailureCause): void {
    this.#ringing.stop();
    if (this.#status >= 200) return;
    this.#status = status;
    this.#last =
      this.#request === undefined ? undefined : asReceived(responseTo(this.#request, status, { toTag: this.#id }));
    if (!this.#session.released) this.#proxy.emit({ type: 'failed', leg: this.#id, status, cause });
  }

  /** A copy of the 2xx, or one of another fork: at once, but not before the session's own. */
  #forwardLater(response: SipResponse): void {
    if (this.#last === undefined) forwardBack(this.#server, this.#session.forwarded(response));
    else if (this.#later.length < MAX_LATER) this.#later.push(response);
  }

  forward(): void {
    if (this.#last !== undefined) this.#server.respond(this.#session.forwarded(this.#last));
    if (this.#status >= 200) this.release();
  }

  release(): void {
    this.#ringing.stop();
    this.#last = undefined;
    this.#request = undefined;
    for (const response of this.#later) forwardBack(this.#server, this.#session.forwarded(response));
    this.#later = [];
  }
}

/** 2xx of other forks that may wait for the first one to be forwarded. */
const MAX_LATER = 16;

/** A response of our own has no Via of ours on top; this puts one there so that forwarding may take it off. */
function asReceived(response: SipResponse): SipResponse {
  response.prepend('Via', 'SIP/2.0/UDP own.invalid');
  return response;
}

/** A request inside the dialog on its way through. */
class ProxyExchange implements ClientUser {
  readonly #server: ServerTransaction;
  readonly #proxy: ProxyContext;
  readonly #leg: LegId;
  readonly #id: ExchangeId;
  readonly #session: ProxiedSession;
  readonly #request: SipRequest;
  #sending: Sending | undefined;
  #response: SipResponse | undefined;
  #status = 0;
  #ringing: RingingLimit | undefined;

  constructor(
    proxy: ProxyContext,
    leg: LegId,
    id: ExchangeId,
    request: SipRequest,
    server: ServerTransaction,
    session: ProxiedSession,
  ) {
    this.#proxy = proxy;
    this.#leg = leg;
    this.#id = id;
    this.#request = request;
    this.#server = server;
    this.#session = session;
    // RFC 3326 2: with the Reason of the CANCEL that came.
    server.onCancel = (cancel) => this.#sending?.cancel(cancel.lines('reason'));
    if (request.method === 'INVITE') {
      this.#ringing = new RingingLimit(proxy.clock, proxy.timers, () => this.#sending?.cancel([]));
    }
  }

  get toTag(): string | undefined {
    return this.#request.toTag;
  }

  /** The request, where it is a re-INVITE. */
  get offer(): string | undefined {
    return this.#request.method === 'INVITE' ? wireOfMessage(this.#request) : undefined;
  }

  forward(): void {
    // A restart has said it again already.
    if (this.#sending !== undefined) return;
    const forward = forwardBy(this.#request, this.#request.list('route'));
    const branch = `${this.#leg}-${this.#request.cseq?.number}${this.#request.method}-l${loopToken(this.#request)}`;
    this.#sending = this.#proxy.sender.send([forward], branch, this);
  }

  get answered(): boolean {
    return this.#status >= 200;
  }

  /** Nobody orders it any more. */
  passOn(): void {
    if (this.#sending === undefined) this.forward();
    else if (this.answered) this.reply();
  }

  reply(): void {
    const response = this.#response ?? asReceived(responseTo(this.#request, this.#status));
    this.#server.respond(responseForward(response));
  }

  onResponse(response: SipResponse): void {
    if (response.status === 100) return;
    this.#ringing?.heard(response.status);
    if (response.status < 200 || this.#status >= 200) {
      forwardBack(this.#server, responseForward(response));
      return;
    }
    this.#response = response;
    this.#finish(response.status, 'response');
  }

  onTimeout(): void {
    this.#finish(408, 'timeout');
  }

  onTransportError(): void {
    this.#finish(500, 'transport');
  }

  #finish(status: number, cause: FailureCause): void {
    this.#ringing?.stop();
    if (this.#status >= 200) return;
    this.#status = status;
    if (this.#session.released) {
      this.reply();
      return;
    }
    const event = { type: 'response', leg: this.#leg, exchange: this.#id, status, cause } as const;
    this.#proxy.emit(this.#response === undefined ? event : { response: this.#response, ...event });
  }
}
