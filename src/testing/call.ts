/** One side of a call, played by hand: keeps the dialog, so that a test says only what matters to it. */
import { parseNameAddress } from '../sip/message/address.ts';
import { bytesOfWire, NO_BYTES, wireOfBytes } from '../sip/message/bytes.ts';
import { type HeaderField, headerField } from '../sip/message/header.ts';
import { SipRequest, type SipResponse } from '../sip/message/message.ts';
import { responseTo } from '../sip/message/respond.ts';
import type { Peer } from './peer.ts';

/** Header lines as a test writes them: `['Subject', 'hello']`. */
export type Lines = readonly (readonly [string, string])[];

export interface Extra {
  readonly headers?: Lines;
  readonly sdp?: string;
  readonly body?: string;
  readonly type?: string;
}

function payload(extra: Extra): { headers: HeaderField[]; body: Uint8Array } {
  const headers = (extra.headers ?? []).map(([name, value]) => headerField(name, value));
  const body = extra.body ?? extra.sdp;
  if (body === undefined) return { headers, body: NO_BYTES };
  return {
    headers: [...headers, headerField('Content-Type', extra.type ?? 'application/sdp')],
    body: bytesOfWire(body),
  };
}

export class Call {
  readonly peer: Peer;
  /** The INVITE that began it. */
  readonly invite: SipRequest;
  readonly callId: string;
  localTag: string;
  remoteTag: string | undefined;
  cseq: number;
  target: string;
  routes: string[];
  readonly #localAddress: string;
  readonly #remoteAddress: string;
  readonly #outgoing: boolean;

  constructor(peer: Peer, invite: SipRequest, outgoing: boolean, localTag: string) {
    this.peer = peer;
    this.invite = invite;
    this.#outgoing = outgoing;
    this.callId = invite.callId;
    this.localTag = localTag;
    this.remoteTag = outgoing ? undefined : invite.fromTag;
    this.cseq = outgoing ? (invite.cseq?.number ?? 1) : 0;
    this.target = outgoing ? invite.uri : (invite.contact?.uri ?? '');
    this.routes = outgoing ? [] : invite.list('record-route');
    const [from, to] = [invite.header('from') ?? '', invite.header('to') ?? ''].map((value) =>
      value.replace(/;tag=[^;>]*/, ''),
    );
    this.#localAddress = (outgoing ? from : to) ?? '';
    this.#remoteAddress = (outgoing ? to : from) ?? '';
  }

  // --- receiving -------------------------------------------------------------------------------------------

  /** The next response with this status to a request of ours with this method. Throws where none has come. */
  response(status: number, method = 'INVITE'): SipResponse {
    const found = this.peer.take(
      `response ${status} to ${method}`,
      (message) =>
        message.kind === 'response' &&
        message.callId === this.callId &&
        message.status === status &&
        message.cseq?.method === method,
    ) as SipResponse;
    if (this.#outgoing && found.status > 100 && method === 'INVITE' && status < 300) this.#learn(found);
    return found;
  }

  #learn(response: SipResponse): void {
    this.remoteTag = response.toTag ?? this.remoteTag;
    this.target = response.contact?.uri ?? this.target;
    if (response.has('record-route')) this.routes = response.list('record-route').reverse();
  }

  /** The next request in this dialog with this method. Throws where none has come. */
  expect(method: string): SipRequest {
    const request = this.peer.take(
      `${method} in the call`,
      (message) => message.kind === 'request' && message.callId === this.callId && message.method === method,
    ) as SipRequest;
    this.remoteTag ??= request.fromTag;
    return request;
  }

  /** True where a request with this method waits to be taken. */
  has(method: string): boolean {
    return this.peer.inbox.some(
      (message) => message.kind === 'request' && message.callId === this.callId && message.method === method,
    );
  }

  // --- answering -------------------------------------------------------------------------------------------

  /** Answers a request of the other side. Without a request, the INVITE. */
  respond(
    status: number,
    extra: Extra & { readonly to?: SipRequest; readonly reason?: string; readonly tag?: string } = {},
  ): void {
    const request = extra.to ?? this.invite;
    const { headers, body } = payload(extra);
    const contact =
      status < 400 && request.method === 'INVITE' && status > 100 ? [headerField('Contact', `<${this.peer.uri}>`)] : [];
    const given = headers.some((field) => field.name === 'contact') ? [] : contact;
    const parts = {
      reason: extra.reason,
      toTag: status === 100 ? undefined : (extra.tag ?? this.localTag),
      headers: [...given, ...headers],
      body,
      recordRoute: true,
    };
    this.peer.send(responseTo(request, status, parts));
  }

  // --- asking ------------------------------------------------------------------------------------------------

  /** A request in the dialog; the number is the next one unless it is given. */
  request(method: string, extra: Extra & { readonly cseq?: number; readonly branch?: string } = {}): SipRequest {
    const number = extra.cseq ?? ++this.cseq;
    const { headers, body } = payload(extra);
    const contact = method === 'INVITE' || method === 'UPDATE' ? [headerField('Contact', `<${this.peer.uri}>`)] : [];
    const lines = [
      ...this.routes.map((route) => headerField('Route', route)),
      headerField('Max-Forwards', '70'),
      headerField('From', `${this.#localAddress};tag=${this.localTag}`),
      headerField(
        'To',
        this.remoteTag === undefined ? this.#remoteAddress : `${this.#remoteAddress};tag=${this.remoteTag}`,
      ),
      headerField('Call-ID', this.callId),
      headerField('CSeq', `${number} ${method}`),
      ...contact,
      ...headers,
    ];
    const request = new SipRequest(method, this.target, lines, body);
    this.peer.send(request, extra.branch === undefined ? {} : { branch: extra.branch });
    return request;
  }

  ack(extra: Extra & { readonly cseq?: number } = {}): void {
    this.request('ACK', { ...extra, cseq: extra.cseq ?? this.cseq });
  }

  bye(extra: Extra = {}): SipRequest {
    return this.request('BYE', extra);
  }

  /** CANCELs the INVITE of ours, or a re-INVITE. */
  cancel(extra: Extra = {}, { uri, headers: sent, cseq } = this.invite): void {
    const { headers } = payload(extra);
    const kept = sent.filter((field) => ['via', 'from', 'to', 'call-id', 'route'].includes(field.name));
    const lines = [
      ...kept,
      headerField('CSeq', `${cseq?.number} CANCEL`),
      headerField('Max-Forwards', '70'),
      ...headers,
    ];
    this.peer.sendRaw(new SipRequest('CANCEL', uri, lines), this.peer.pf);
  }
}

/** A body as text. */
export function bodyOf(message: { readonly body: Uint8Array }): string {
  return wireOfBytes(message.body);
}

/** URI in a From, To or Contact value. */
export function uriIn(value: string | undefined): string | undefined {
  return value === undefined ? undefined : parseNameAddress(value)?.uri;
}
