/** Reads out of SIP messages what the session's guards ask about. */
import type { InviteFacts, TimerFacts } from '../../machines/session/context.ts';
import { offeredStreams } from '../sdp/streams.ts';
import { addressParam, parseNameAddress } from '../sip/message/address.ts';
import { DIGITS, decimal, runEnd } from '../sip/message/bytes.ts';
import { detached } from '../sip/message/header.ts';
import type { SipRequest, SipResponse } from '../sip/message/message.ts';
import { paramOf } from '../sip/message/params.ts';
import { identityKey, parseUri } from '../sip/message/uri.ts';

/** Option tags a B2BUA here understands, alone or by passing them on end to end. */
export const SUPPORTED_OPTIONS = [
  '100rel',
  'timer',
  'gruu',
  'path',
  'outbound',
  'replaces',
  'norefersub',
  'tdialog',
].concat(['multiple-refer', 'resource-priority', 'histinfo', 'recipient-list-invite']);

/** Authenticated originator: identities a trusted peer asserts, sip and tel alike (A-03, RFC 3325). */
export function originatorsOf(request: SipRequest, trusted: boolean): string[] {
  if (!trusted) return [];
  const asserted: string[] = [];
  for (const value of request.list('p-asserted-identity')) {
    const uri = parseNameAddress(value)?.uri;
    // RFC 3325 9.1: at most two, one of each kind; more is not believed.
    if (uri !== undefined && asserted.length < 2) asserted.push(uri);
  }
  return asserted;
}

/** `+sip.instance` of whoever sent the message; null where its Contact names none. */
export function instanceOf(message: SipRequest | SipResponse): string | null {
  const { contact } = message;
  const instance = contact === undefined ? undefined : addressParam(contact, '+sip.instance');
  return instance === undefined ? null : detached(instance);
}

const CLIENT_RELEASE = /\bCPM-client\/OMA(\d{1,3}\.\d{1,3})/i;
const SERVER_RELEASE = /\bCPM-serv\/OMA(\d{1,3}\.\d{1,3})/i;

/** CPM release in User-Agent, such as `2.0` (appendix D, A-04): the client's where it is named, else a server's. */
export function releaseOf(request: SipRequest): string | null {
  const agent = request.header('user-agent') ?? '';
  return (CLIENT_RELEASE.exec(agent) ?? SERVER_RELEASE.exec(agent))?.[1] ?? null;
}

// RFC 3323 4.2 and RFC 3325 9.3: these ask for it; `none` withdraws it, whatever else is said.
const ANONYMITY = ['id', 'user', 'header', 'session'];

function anonymityRequested(request: SipRequest): boolean {
  if (!request.has('privacy')) return false;
  const values = request
    .list('privacy')
    .join(';')
    .split(';')
    .map((value) => value.trim().toLowerCase());
  return !values.includes('none') && values.some((value) => ANONYMITY.includes(value));
}

export function timerFacts(message: SipRequest | SipResponse): TimerFacts {
  const expires = message.header('session-expires');
  if (expires === undefined) {
    return { supported: message.lists('supported', 'timer'), se: null, minSE: minSEOf(message), refresher: null };
  }
  const semicolon = expires.indexOf(';');
  const refresher = semicolon < 0 ? undefined : paramOf(expires.slice(semicolon), 'refresher')?.toLowerCase();
  return {
    supported: message.lists('supported', 'timer') || message.lists('require', 'timer'),
    se: secondsOf(expires),
    minSE: minSEOf(message),
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : null,
  };
}

/** Min-SE of a message, seconds; null where it has none. */
export function minSEOf(message: SipRequest | SipResponse): number | null {
  const value = message.header('min-se');
  return value === undefined ? null : secondsOf(value);
}

// RFC 4028 4 sets no upper bound; above a day a lost session would be found out too late to matter.
const LONGEST_INTERVAL = 86_400;

/** Digits of an interval that are read; what is behind them says nothing more. */
const MOST_DIGITS = 10;

function secondsOf(value: string): number | null {
  const seconds = decimal(value, 0, Math.min(runEnd(value, 0, DIGITS), MOST_DIGITS));
  return seconds === undefined ? null : Math.min(seconds, LONGEST_INTERVAL);
}

export interface RequestReading {
  readonly service: string;
  readonly originators: readonly string[];
  /** Destination, our own contact tokens resolved. */
  readonly destination: string;
}

export interface InviteReading extends RequestReading {
  /** The request's SDP, wherever in the body it stands; undefined for a late offer. */
  readonly sdp: string | undefined;
}

/** Who asks, and for what: the same of an invitation and of a message. */
export function requestFacts(request: SipRequest, reading: RequestReading) {
  return {
    service: reading.service,
    originators: reading.originators.map(identityKey),
    release: releaseOf(request),
    anonymityRequested: anonymityRequested(request),
    anonymousFrom: /^sips?:anonymous@/i.test(request.from?.uri ?? ''),
    scheme: parseUri(reading.destination)?.scheme ?? '',
    unsupported: { require: unsupported(request, 'require'), proxyRequire: unsupported(request, 'proxy-require') },
  };
}

export function inviteFacts(request: SipRequest, reading: InviteReading): InviteFacts {
  return {
    group: reading.service === 'session.group',
    streams: reading.sdp === undefined ? null : offeredStreams(reading.sdp),
    sessionReplaces: request.header('session-replaces') ?? null,
    timer: timerFacts(request),
    allowsUpdate: request.lists('allow', 'UPDATE'),
    ...requestFacts(request, reading),
  };
}

const NOTHING: readonly string[] = [];

/** Option tags the header asks for that nobody here understands. */
export function unsupported(request: SipRequest, name: 'require' | 'proxy-require'): readonly string[] {
  if (!request.has(name)) return NOTHING;
  return request.list(name).filter((tag) => !SUPPORTED_OPTIONS.includes(tag.toLowerCase()));
}
