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
import { parseMessage } from '../sip/message/parse.ts';
import { named, parseXml } from '../xml/xml.ts';
import { CPM, clientOf, UNKNOWN_CLIENT } from './client.ts';
import type { Registration } from './registrations.ts';

/** RFC 3261 10.2.1.1: a registration without an interval lasts an hour. */
const DEFAULT_EXPIRES = 3600;
const LONGEST_EXPIRES = 7 * 86_400;

/** Undefined where it names nobody. */
export function readRegister(request: SipRequest): Registration | undefined {
  const user = request.to?.uri;
  if (user === undefined) return undefined;
  const expiresSeconds = expiresOf(request);
  const bodies = bodiesOf(request);
  const embedded = bodies.flatMap(({ type, content }) => (type === 'message/sip' ? parsed(content) : []));
  const response = embedded.find((message) => message.kind === 'response' && message.status < 300);
  const associated = response?.list('p-associated-uri').flatMap((value) => parseNameAddress(value)?.uri ?? []) ?? [];
  const source = response ?? embedded.find((message) => message.kind === 'request' && message.method === 'REGISTER');
  const addresses = [user, ...associated];
  if (source === undefined) return { addresses, clients: [unknownClient(bodies)], expiresSeconds };
  const contacts = source.list('contact').flatMap((value) => parseNameAddress(value) ?? []);
  return {
    addresses,
    clients: contacts.map(({ params }) => clientOf(params)),
    lifetimes: contacts.map((contact) => lifetimeOf(contact, source)),
    // RFC 3261 10.3: the 200 lists every contact of the user; the REGISTER only those its client speaks of.
    partial: response === undefined,
    expiresSeconds,
  };
}

/** Seconds; null where neither the contact nor its message says. */
function lifetimeOf(contact: NameAddress, message: AnyMessage): number | null {
  const value = addressParam(contact, 'expires') ?? message.header('expires');
  const seconds = Number(value);
  return value !== undefined && Number.isInteger(seconds) && seconds >= 0 ? seconds : null;
}

/**
 * TS 24.229 5.4.1.7 and 7.6: what the provider has put down in the user's filter criteria for this server. CPM services
 * that stand there are those the client is taken to have of which nothing else is known.
 */
function unknownClient(bodies: readonly Body[]): RegisteredClient {
  const info = bodies.find(({ type }) => type === 'application/3gpp-ims+xml');
  const services = info === undefined ? [] : serviceInfo(info.content).match(CPM_SERVICES);
  if (services === null || services.length === 0) return UNKNOWN_CLIENT;
  return { ...UNKNOWN_CLIENT, services: services.map((service) => service.slice(CPM.length)) };
}

const CPM_SERVICES = /urn:urn-7:3gpp-service\.ims\.icsi\.oma\.cpm\.[\w]+(?:\.[\w]+)*/g;

function serviceInfo(text: string): string {
  try {
    return named(parseXml(text), 'service-info')[0]?.text ?? '';
  } catch {
    return '';
  }
}

function expiresOf(request: SipRequest): number {
  const contact = request.contact;
  const value = (contact === undefined ? undefined : addressParam(contact, 'expires')) ?? request.header('expires');
  const seconds = value === undefined ? DEFAULT_EXPIRES : Number(value);
  return Number.isInteger(seconds) && seconds >= 0 ? Math.min(seconds, LONGEST_EXPIRES) : DEFAULT_EXPIRES;
}

interface Body {
  /** Media type, without parameters. */
  readonly type: string;
  readonly content: string;
}

function bodiesOf(request: SipRequest): Body[] {
  const type = request.header('content-type');
  if (type === undefined) return [];
  if (!mediaType(type).startsWith('multipart/')) {
    return [{ type: mediaType(type), content: wireOfBytes(request.body) }];
  }
  return partsOf(type, request.body).map(({ headers, content }) => ({
    type: mediaType(headers.get('content-type') ?? ''),
    content,
  }));
}

function parsed(text: string): AnyMessage[] {
  // A part that was cut at its boundary has lost the blank line behind its headers.
  const { message } = parseMessage(bytesOfWire(text.includes('\r\n\r\n') ? text : `${text}\r\n\r\n`));
  return message === undefined ? [] : [message];
}
