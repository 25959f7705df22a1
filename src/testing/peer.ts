/** A SIP element played by hand: sends what it is told, keeps what it gets. It has no transactions and no timers. */

import { type TransportName, transportParam } from '../sip/flow.ts';
import type { IdentifierSource } from '../sip/identifiers.ts';
import { parseNameAddress } from '../sip/message/address.ts';
import { headerField } from '../sip/message/header.ts';
import { type AnyMessage, SipRequest, type SipResponse } from '../sip/message/message.ts';
import { paramOf } from '../sip/message/params.ts';
import { parseMessage } from '../sip/message/parse.ts';
import { serialize } from '../sip/message/serialize.ts';
import { isSipUri, parseUri } from '../sip/message/uri.ts';
import { Call, type Lines } from './call.ts';

export const SESSION_SERVICE = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session';
const ICSI = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"';

/** An offer or answer with one MSRP chat stream for each path. */
export function chatSdp(owner: string, ports: readonly number[] = [2855], media: readonly string[] = []): string {
  const lines = ports.map((port, at) =>
    [
      `m=${media[at] ?? 'message'} ${port} TCP/MSRP *`,
      'a=accept-types:message/cpim',
      'a=accept-wrapped-types:*',
      `a=path:msrp://10.9.9.9:${port === 0 ? 9 : port}/${owner}${at};tcp`,
      'a=setup:actpass',
    ].join('\r\n'),
  );
  return ['v=0', `o=${owner} 1 1 IN IP4 10.9.9.9`, 's=-', 'c=IN IP4 10.9.9.9', 't=0 0', ...lines, ''].join('\r\n');
}

export interface InviteOptions {
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly sdp?: string | null;
  readonly body?: string;
  readonly type?: string;
  /** Added to, or with the same name put in place of, the usual headers; null takes one away. */
  readonly headers?: readonly (readonly [string, string | null])[];
  readonly callId?: string;
  readonly transport?: TransportName;
}

/** What carries a peer's messages: the virtual network, or sockets. Addresses are `host:port`. */
export interface PeerNetwork {
  attach(address: string, receive: (bytes: Uint8Array) => void): unknown;
  transmit(from: string, to: string, transport: TransportName, bytes: Uint8Array): void;
}

export class Peer {
  readonly name: string;
  /** `10.0.0.1:5060` */
  readonly address: string;
  /** Address of the Participating Function it speaks to. */
  pf: string;
  readonly inbox: AnyMessage[] = [];
  /** Every message received, also those taken. */
  readonly received: AnyMessage[] = [];
  readonly transport: TransportName;
  readonly #network: PeerNetwork;
  readonly #random: IdentifierSource;
  /** Sees each message first; true takes it away from the inbox. */
  onMessage: (message: AnyMessage) => boolean = () => false;

  constructor(
    network: PeerNetwork,
    random: IdentifierSource,
    name: string,
    address: string,
    pf: string,
    transport: TransportName = 'UDP',
  ) {
    this.name = name;
    this.address = address;
    this.pf = pf;
    this.transport = transport;
    this.#network = network;
    this.#random = random;
    network.attach(address, (bytes) => {
      const { message } = parseMessage(bytes);
      if (message === undefined) return;
      this.received.push(message);
      if (!this.onMessage(message)) this.inbox.push(message);
    });
  }

  get uri(): string {
    return `sip:${this.name}@${this.address}${transportParam(this.transport)}`;
  }

  /** A Via of its own. */
  via(branch: string): string {
    return `SIP/2.0/${this.transport} ${this.address};branch=${branch}`;
  }

  token(): string {
    return this.#random.token();
  }

  // --- sending -------------------------------------------------------------------------------------------------

  /** Sends a request with a fresh Via on top, or a response, to the function. */
  send(message: SipRequest | SipResponse, options: { readonly branch?: string; readonly to?: string } = {}): void {
    if (message.kind === 'response') {
      const via = message.via;
      const port = via?.port ?? 5060;
      this.sendRaw(message, options.to ?? `${paramOf(via?.params ?? '', 'received') || via?.host}:${port}`);
      return;
    }
    const branch = options.branch ?? this.token();
    message.prepend('Via', this.via(`z9hG4bK${branch}`));
    this.sendRaw(message, options.to ?? this.#nextHop(message));
  }

  /** Sends a message, or any text at all, as it stands. */
  sendRaw(message: AnyMessage | Uint8Array, to: string = this.pf, transport = this.transport): void {
    const bytes = message instanceof Uint8Array ? message : serialize(message);
    this.#network.transmit(this.address, to, transport, bytes);
  }

  #nextHop(request: SipRequest): string {
    const route = request.list('route')[0];
    const text = route === undefined ? request.uri : (parseNameAddress(route)?.uri ?? request.uri);
    const uri = parseUri(text);
    if (uri === undefined || !isSipUri(uri) || !/^\d/.test(uri.host)) return this.pf;
    return `${uri.host}:${uri.port ?? 5060}`;
  }

  /** Begins a CPM session. */
  invite(options: InviteOptions = {}): Call {
    const request = this.request(options);
    const call = new Call(this, request, true, request.fromTag ?? '');
    this.send(request, { to: this.pf });
    return call;
  }

  /** An INVITE that begins a CPM session, not sent yet and without a Via. */
  request(options: InviteOptions = {}): SipRequest {
    const tag = this.token();
    const from = options.from ?? `<sip:${this.name}@home.example>`;
    const sdp = options.sdp === undefined ? chatSdp(this.name) : options.sdp;
    const body = options.body ?? sdp ?? undefined;
    const usual: Lines = [
      ['Max-Forwards', '70'],
      ['From', `${from};tag=${tag}`],
      ['To', options.to ?? `<${options.uri ?? 'sip:bob@home.example'}>`],
      ['Call-ID', options.callId ?? `call-${this.token()}`],
      ['CSeq', '1 INVITE'],
      ['Contact', `<${this.uri}>;${ICSI}`],
      ['P-Asserted-Identity', from],
      ['P-Served-User', `${from};sescase=orig;regstate=reg`],
      ['P-Asserted-Service', SESSION_SERVICE],
      ['Accept-Contact', `*;${ICSI}`],
      ['Contribution-ID', 'c0ffee00-1111-4a1b-8c2d-000000000001'],
      ['Conversation-ID', 'f00dfeed-1111-4d3e-9f4a-000000000001'],
      ['User-Agent', 'CPM-client/OMA2.0 Phone/1.0'],
      ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO'],
      ['Supported', 'timer'],
      ...(body === undefined ? [] : ([['Content-Type', options.type ?? 'application/sdp']] as const)),
    ];
    const request = new SipRequest('INVITE', options.uri ?? 'sip:bob@home.example', []);
    const changed = new Map((options.headers ?? []).map(([name, value]) => [name.toLowerCase(), value]));
    for (const [name, value] of usual)
      if (!changed.has(name.toLowerCase())) request.headers.push(headerField(name, value));
    for (const [name, value] of options.headers ?? [])
      if (value !== null) request.headers.push(headerField(name, value));
    if (body !== undefined) request.body = Uint8Array.from(body, (letter) => letter.charCodeAt(0));
    return request;
  }

  // --- receiving -----------------------------------------------------------------------------------------------

  /** Takes the first message that fits out of the inbox. Throws, with what is there, where none does. */
  take(what: string, fits: (message: AnyMessage) => boolean): AnyMessage {
    const at = this.inbox.findIndex(fits);
    if (at < 0)
      throw new Error(`${this.name} has no ${what}; it has: ${this.inbox.map(firstLine).join(', ') || 'nothing'}`);
    return this.inbox.splice(at, 1)[0] as AnyMessage;
  }

  /** The next INVITE that begins a call here. */
  incoming(): Call {
    const invite = this.take(
      'INVITE',
      (message) => message.kind === 'request' && message.method === 'INVITE' && message.toTag === undefined,
    ) as SipRequest;
    return new Call(this, invite, false, this.token());
  }

  /** What waits in the inbox, one short line each. */
  get waiting(): string[] {
    return this.inbox.map(firstLine);
  }
}

/** `INVITE` or `200 INVITE`. */
export function firstLine(message: AnyMessage): string {
  return message.kind === 'request' ? message.method : `${message.status} ${message.cseq?.method}`;
}
