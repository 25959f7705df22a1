/** One call of a sip.js phone. It answers what a phone answers by itself: ACK, BYE, INFO, re-INVITE with its last SDP. */
import type {
  Body,
  IncomingInviteRequest,
  IncomingRequest,
  IncomingResponse,
  OutgoingInviteRequest,
  OutgoingInviteRequestDelegate,
  OutgoingRequestDelegate,
  RequestOptions,
  ResponseOptions,
  Session,
} from 'sip.js/lib/core/index.js';
import type { SipRequest, SipResponse } from '../sip/message/message.ts';
import { Happenings } from './happenings.ts';
import { requestOf, responseOf } from './messages.ts';

/** Header lines a call adds: `[name, value]`. */
export type HeaderLines = readonly (readonly [string, string])[];

export type CallEvent =
  | { readonly type: 'progress'; readonly response: SipResponse }
  | { readonly type: 'answered'; readonly response: SipResponse }
  /** `response` is absent where nobody answered or nothing could be sent; `status` is then sip.js's own. */
  | { readonly type: 'refused'; readonly status: number; readonly response?: SipResponse }
  | { readonly type: 'acknowledged'; readonly request: SipRequest }
  | { readonly type: 'cancelled'; readonly request: SipRequest }
  /** A request inside the dialog, answered already. */
  | { readonly type: 'request'; readonly request: SipRequest }
  /** The peer's BYE, answered already. */
  | { readonly type: 'ended'; readonly request: SipRequest };

export type CallEventOf<T extends CallEvent['type']> = Extract<CallEvent, { type: T }>;

function nameOf(event: CallEvent): string {
  if (event.type === 'refused') return `refused ${event.status}`;
  return 'response' in event ? `${event.type} ${event.response.status}` : `${event.type} ${event.request.method}`;
}

/** What a call needs of its phone. */
export interface CallHost {
  /** Value of its Contact. */
  readonly contact: string;
  /** How long a call waits for what it is told to wait for. */
  readonly timeoutMs: number;
  onEvent(call: PhoneCall, event: CallEvent): void;
}

export class PhoneCall {
  /** The INVITE of an incoming call, as it came; undefined for one of ours. */
  readonly request: SipRequest | undefined;
  readonly #happenings = new Happenings<CallEvent>(nameOf);
  readonly #host: CallHost;
  #incoming: IncomingInviteRequest | undefined;
  #outgoing: OutgoingInviteRequest | undefined;
  #session: Session | undefined;
  /** The last description sent to the peer. */
  #sdp: string;

  constructor(host: CallHost, sdp = '', request?: SipRequest) {
    this.#host = host;
    this.#sdp = sdp;
    this.request = request;
  }

  /** Everything that happened so far. */
  get events(): readonly CallEvent[] {
    return this.#happenings.all;
  }

  /** The next event of this type nobody has waited for yet; rejects where there is none within the phone's time. */
  async next<T extends CallEvent['type']>(type: T): Promise<CallEventOf<T>> {
    const event = await this.#happenings.next(type, (happened) => happened.type === type, this.#host.timeoutMs);
    return event as CallEventOf<T>;
  }

  #happened(event: CallEvent): void {
    this.#happenings.add(event);
    this.#host.onEvent(this, event);
  }

  // --- an outgoing call --------------------------------------------------------------------------------------

  /** What the INVITE's transaction tells; for the phone that sends it. */
  get inviteDelegate(): OutgoingInviteRequestDelegate {
    return {
      onProgress: ({ message }) => this.#responded(message, 'progress'),
      onAccept: ({ message, session, ack }) => {
        this.#keep(session);
        ack();
        this.#responded(message, 'answered');
      },
      onRedirect: ({ message }) => this.#refused(message),
      onReject: ({ message }) => this.#refused(message),
    };
  }

  /** The INVITE has left. */
  sent(invite: OutgoingInviteRequest): void {
    this.#outgoing = invite;
  }

  #responded(message: IncomingResponse['message'], type: 'progress' | 'answered'): void {
    const response = responseOf(message);
    if (response !== undefined) this.#happened({ type, response });
  }

  #refused(message: IncomingResponse['message']): void {
    const response = responseOf(message);
    const status = message.statusCode ?? 0;
    this.#happened({ type: 'refused', status, ...(response === undefined ? {} : { response }) });
  }

  /** Takes the call back before it is answered. */
  cancel(headers: HeaderLines = []): void {
    this.#outgoing?.cancel(undefined, { extraHeaders: lines(headers) });
  }

  // --- an incoming call ----------------------------------------------------------------------------------------

  /** The INVITE has come. */
  arrived(invite: IncomingInviteRequest): void {
    this.#incoming = invite;
    invite.delegate = {
      onCancel: (message) => {
        invite.reject({ statusCode: 487 });
        this.#happened({ type: 'cancelled', request: requestOf(message) });
      },
    };
    invite.trying();
  }

  /** 180, or another provisional response, with or without a description. */
  ring(options: { readonly status?: number; readonly sdp?: string; readonly headers?: HeaderLines } = {}): void {
    const { status = 180, sdp, headers = [] } = options;
    const answer: ResponseOptions = { statusCode: status, extraHeaders: lines(headers) };
    this.#invitation.progress(sdp === undefined ? answer : { ...answer, body: description(sdp) });
  }

  accept(sdp: string, headers: HeaderLines = []): void {
    this.#sdp = sdp;
    const options = { statusCode: 200, extraHeaders: lines(headers), body: description(sdp) };
    this.#keep(this.#invitation.accept(options).session);
  }

  refuse(status: number, headers: HeaderLines = []): void {
    this.#invitation.reject({ statusCode: status, extraHeaders: lines(headers) });
  }

  get #invitation(): IncomingInviteRequest {
    if (this.#incoming === undefined) throw new Error('not an incoming call');
    return this.#incoming;
  }

  // --- inside the dialog -----------------------------------------------------------------------------------------

  #keep(session: Session): void {
    this.#session = session;
    const take = (request: IncomingRequest): void => this.#answer(request, {});
    session.delegate = {
      onAck: ({ message }) => this.#happened({ type: 'acknowledged', request: requestOf(message) }),
      onInvite: (request) => this.#answer(request, { extraHeaders: this.#contact, body: description(this.#sdp) }),
      onBye: (request) => {
        request.accept();
        this.#happened({ type: 'ended', request: requestOf(request.message) });
      },
      onInfo: take,
      onMessage: take,
      onNotify: take,
      onRefer: take,
    };
  }

  #answer(request: IncomingRequest, options: RequestOptions): void {
    request.accept({ statusCode: 200, ...options });
    this.#happened({ type: 'request', request: requestOf(request.message) });
  }

  /** A new offer; the answer is acknowledged. */
  reinvite(sdp: string, headers: HeaderLines = []): Promise<SipResponse> {
    this.#sdp = sdp;
    const options = { extraHeaders: [...this.#contact, ...lines(headers)], body: description(sdp) };
    return answerTo((delegate) => {
      const { onAccept, ...others } = delegate;
      const acknowledging: OutgoingInviteRequestDelegate = {
        ...others,
        onAccept: (response) => {
          response.ack();
          onAccept?.(response);
        },
      };
      this.#live.invite(acknowledging, options);
    });
  }

  info(content: string, contentType: string): Promise<SipResponse> {
    const body = { content, contentType, contentDisposition: 'render' };
    return answerTo((delegate) => this.#live.info(delegate, { body }));
  }

  bye(headers: HeaderLines = []): Promise<SipResponse> {
    const options: RequestOptions = { extraHeaders: lines(headers) };
    return answerTo((delegate) => this.#live.bye(delegate, options));
  }

  /** sip.js writes it into the INVITE's answers only. */
  get #contact(): string[] {
    return [`Contact: ${this.#host.contact}`];
  }

  get #live(): Session {
    if (this.#session === undefined) throw new Error('the call has not been answered');
    return this.#session;
  }
}

export function description(sdp: string): Body {
  return { content: sdp, contentType: 'application/sdp', contentDisposition: 'session' };
}

export function lines(headers: HeaderLines): string[] {
  return headers.map(([name, value]) => `${name}: ${value}`);
}

/** The final response to a request; rejects where nobody answered or nothing could be sent. */
function answerTo(send: (delegate: OutgoingRequestDelegate) => unknown): Promise<SipResponse> {
  return new Promise((resolve, reject) => {
    const done = ({ message }: IncomingResponse): void => {
      const response = responseOf(message);
      if (response === undefined) reject(new Error(`no answer: ${message.statusCode} ${message.reasonPhrase}`));
      else resolve(response);
    };
    send({ onAccept: done, onRedirect: done, onReject: done });
  });
}
