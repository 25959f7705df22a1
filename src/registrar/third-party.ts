/**
 * Reading a third-party REGISTER (TS 24.229 5.4.1.7): the S-CSCF registers its user with us. It may bring the
 * client's own REGISTER and its 200 in the body; from them we learn instances and features, which the forking of the
 * terminating side needs. Without a body all we know is that somebody is there.
 */
import type { RegisteredClient } from '../../machines/session/policy.ts';
import { addressParam, type NameAddress, parseNameAddress } from '../sip/message/address.ts';
import { mediaType, partsOf } from '../sip/message/body.ts';
import { bytesOfWire, wireOfBytes } from '../sip/message/bytes.ts';
import type { AnyMessage, SipRequest } from '../sip/message/message.ts';
import { paramOf } from '../sip/message/params.ts';
import { parseMessage } from '../sip/message/parse.ts';
import type { Registration } from './registrations.ts';

/** What a client can do of which nothing is known: the core sent it here, so it is a CPM client. */
const UNKNOWN_CLIENT: RegisteredClient = {
  instance: '',
  services: ['session', 'session.group', 'msg', 'largemsg', 'filetransfer'],
  media: ['message', 'audio', 'video'],
};

/** RFC 3261 10.2.1.1: a registration without an interval lasts an hour. */
const DEFAULT_EXPIRES = 3600;
const LONGEST_EXPIRES = 7 * 86_400;

export function readRegister(request: SipRequest): Registration | undefined {
  const user = request.to?.uri;
  if (user === undefined) return undefined;
  const expiresSeconds = expiresOf(request);
  const embedded = embeddedMessages(request);
  const response = embedded.find((message) => message.kind === 'response' && message.status < 300);
  const associated = response?.list('p-associated-uri').flatMap((value) => parseNameAddress(value)?.uri ?? []) ?? [];
  const source = response ?? embedded.find((message) => message.kind === 'request' && message.method === 'REGISTER');
  const clients = source === undefined ? [UNKNOWN_CLIENT] : source.list('contact').flatMap(clientOf);
  return { addresses: [user, ...associated], clients, expiresSeconds };
}

function expiresOf(request: SipRequest): number {
  const contact = request.contact;
  const value = (contact === undefined ? undefined : addressParam(contact, 'expires')) ?? request.header('expires');
  const seconds = value === undefined ? DEFAULT_EXPIRES : Number(value);
  return Number.isInteger(seconds) && seconds >= 0 ? Math.min(seconds, LONGEST_EXPIRES) : DEFAULT_EXPIRES;
}

function embeddedMessages(request: SipRequest): AnyMessage[] {
  const type = request.header('content-type');
  if (type === undefined) return [];
  if (mediaType(type) === 'message/sip') return parsed(wireOfBytes(request.body));
  return partsOf(type, request.body).flatMap((part) =>
    mediaType(part.headers.get('content-type') ?? '') === 'message/sip' ? parsed(part.content) : [],
  );
}

function parsed(text: string): AnyMessage[] {
  // A part that was cut at its boundary has lost the blank line behind its headers.
  const { message } = parseMessage(bytesOfWire(text.includes('\r\n\r\n') ? text : `${text}\r\n\r\n`));
  return message === undefined ? [] : [message];
}

function clientOf(contact: string): RegisteredClient[] {
  const address = parseNameAddress(contact);
  if (address === undefined || addressParam(address, 'expires') === '0') return [];
  const services = servicesOf(address);
  return [{ instance: addressParam(address, '+sip.instance') ?? '', services, media: mediaOf(address, services) }];
}

const CPM = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.';

/** CPM services among the ICSI values of a Contact. */
function servicesOf(address: NameAddress): string[] {
  const tag = paramOf(address.params, '+g.3gpp.icsi-ref') ?? paramOf(address.params, 'g.3gpp.icsi-ref') ?? '';
  return tag
    .split(',')
    .map((value) => value.replace(/%3A/gi, ':').replace(/[<>\s]/g, ''))
    .flatMap((value) => (value.startsWith(CPM) ? [value.slice(CPM.length)] : []));
}

/** RFC 3840 media feature tags; a CPM session client takes messages whether it says so or not. */
function mediaOf(address: NameAddress, services: readonly string[]): string[] {
  const media = ['audio', 'video', 'application'].filter((name) => paramOf(address.params, name) !== undefined);
  const chats =
    services.some((service) => service.startsWith('session')) || paramOf(address.params, 'message') !== undefined;
  return chats ? ['message', ...media] : media;
}
