/** Pager-mode messages at the SIP surface: as the core hands them in, and as whoever gets them answers. */
import type { Profile } from '../../machines/session/policy.ts';
import { bytesOfWire, wireOfBytes } from '../../src/sip/message/bytes.ts';
import { headerField } from '../../src/sip/message/header.ts';
import { SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { responseTo } from '../../src/sip/message/respond.ts';
import { type Peer, World, type WorldOptions } from '../../src/testing/index.ts';
import { CONTRIBUTION, CONVERSATION, type Role } from './session.ts';

export const MSG = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg';
const ICSI = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg"';

/** A client that is registered for pager-mode messages. */
export const CLIENT = {
  instance: '<urn:uuid:00000000-0000-1000-8000-000000000001>',
  services: ['session', 'session.group', 'msg'],
  media: ['message'],
};

export interface CpimOptions {
  readonly id?: string;
  readonly text?: string;
  readonly type?: string;
  /** Value of the Disposition-Notification header; null for none. */
  readonly asks?: string | null;
  readonly from?: string;
  readonly to?: string;
}

export function cpim({
  id = 'm1',
  text = 'Hello',
  type = 'text/plain;charset=UTF-8',
  asks = 'positive-delivery, negative-delivery',
  from = '<sip:alice@home.example>',
  to = '<sip:bob@home.example>',
}: CpimOptions = {}): string {
  return [
    `From: ${from}`,
    `To: ${to}`,
    'DateTime: 2026-01-01T00:00:00Z',
    'NS: imdn <urn:ietf:params:imdn>',
    `imdn.Message-ID: ${id}`,
    ...(asks === null ? [] : [`imdn.Disposition-Notification: ${asks}`]),
    '',
    `Content-Type: ${type}`,
    '',
    text,
  ].join('\r\n');
}

export interface MessageOptions extends CpimOptions {
  readonly uri?: string;
  readonly body?: string;
  readonly contentType?: string;
  /** Added to, or with the same name put in place of, the usual headers; null takes one away. */
  readonly headers?: readonly (readonly [string, string | null])[];
}

/** A MESSAGE for the function of this role, without a Via. */
export function messageRequest(sender: Peer, role: Role, options: MessageOptions = {}): SipRequest {
  const from = role === 'orig' ? '<sip:alice@home.example>' : '<sip:alice@away.example>';
  const usual: [string, string][] = [
    ['Max-Forwards', '70'],
    ['From', `${from};tag=${sender.token()}`],
    ['To', '<sip:bob@home.example>'],
    ['Call-ID', `msg-${sender.token()}`],
    ['CSeq', '1 MESSAGE'],
    ['P-Asserted-Identity', from],
    [
      'P-Served-User',
      role === 'orig' ? `${from};sescase=orig;regstate=reg` : '<sip:bob@home.example>;sescase=term;regstate=reg',
    ],
    ['P-Asserted-Service', MSG],
    ['Accept-Contact', `*;${ICSI}`],
    ['Conversation-ID', CONVERSATION],
    ['Contribution-ID', CONTRIBUTION],
    ['User-Agent', 'CPM-client/OMA2.0 Phone/1.0'],
    ['Content-Type', options.contentType ?? 'message/cpim'],
  ];
  const changed = new Map((options.headers ?? []).map(([name, value]) => [name.toLowerCase(), value]));
  const headers = [
    ...usual.filter(([name]) => !changed.has(name.toLowerCase())),
    ...(options.headers ?? []).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
  ].map(([name, value]) => headerField(name, value));
  const body = bytesOfWire(options.body ?? cpim({ from, ...options }));
  return new SipRequest('MESSAGE', options.uri ?? 'sip:bob@home.example', headers, body);
}

/** What one message's sender sees. */
export class Sent {
  readonly sender: Peer;
  readonly request: SipRequest;
  readonly #branch: string;

  constructor(sender: Peer, request: SipRequest) {
    this.sender = sender;
    this.request = request;
    this.#branch = sender.token();
    this.repeat();
  }

  /** A copy of the request, as UDP needs it. */
  repeat(): void {
    this.sender.send(this.request.copy(), { branch: this.#branch, to: this.sender.pf });
  }

  /** The final answers that came, oldest first; they stay. */
  get answers(): number[] {
    return this.responses.map(({ status }) => status);
  }

  get responses(): SipResponse[] {
    return this.sender.received.filter(
      (message): message is SipResponse => message.kind === 'response' && message.callId === this.request.callId,
    );
  }
}

export function send(world: Pick<World, 'peer'>, role: Role, options: MessageOptions = {}): Sent {
  const sender = world.peer(role === 'orig' ? 'alice' : 'entity');
  return new Sent(sender, messageRequest(sender, role, options));
}

/** Takes the next MESSAGE this peer has. */
export function incoming(peer: Peer): SipRequest {
  return peer.take('MESSAGE', (message) => message.kind === 'request' && message.method === 'MESSAGE') as SipRequest;
}

/** MESSAGEs that wait at this peer. */
export function waitingAt(peer: Peer): number {
  return peer.inbox.filter((message) => message.kind === 'request' && message.method === 'MESSAGE').length;
}

export function respond(
  peer: Peer,
  request: SipRequest,
  status: number,
  headers: readonly [string, string][] = [],
): void {
  const fields = headers.map(([name, value]) => headerField(name, value));
  peer.send(responseTo(request, status, { toTag: peer.token(), headers: fields }));
}

export const textOf = (message: SipRequest | SipResponse): string => wireOfBytes(message.body);

/** A world whose served user has no client, and whose messages are kept. */
export function deferring(options: WorldOptions = {}): World {
  return new World({
    ...options,
    policy: { noClient: 'defer', ...options.policy },
    profile: { clients: [], ...(options.profile as Partial<Profile> | undefined) },
  });
}

/** The user's client registers, and the function hears of it. */
export function register(world: World, address = 'sip:bob@home.example'): void {
  world.pf.profile = { ...(world.pf.profile as Partial<Profile>), clients: [CLIENT] };
  world.pf.engine.messages.registered([address]);
  world.settle();
}

/** `kill -9` and a new start, some time later. */
export function restart(world: World, downMs = 100): void {
  world.pf.crash();
  world.advance(downMs);
  world.pf.start();
  world.settle();
}
