/** Reading an INVITE that begins a session: whose it is, what it asks, and the papers it leaves. */
import type { InviteFacts } from '../../machines/session/context.ts';
import type { Role } from '../../machines/session/policy.ts';
import type { PolicyQuestion } from '../policy/rules.ts';
import { parseNameAddress } from '../sip/message/address.ts';
import { mediaType, partsOf } from '../sip/message/body.ts';
import { detached } from '../sip/message/header.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { identityKey, isSipUri, parseUri } from '../sip/message/uri.ts';
import type { Network } from '../sip/network.ts';
import type { Source } from '../sip/port.ts';
import { takeOwnRoute } from '../sip/proxy/rules.ts';
import { descriptionOf } from './compose/descriptions.ts';
import { type Dossier, kept, type SessionPapers } from './dossier.ts';
import { instanceOf, inviteFacts, originatorsOf } from './facts.ts';
import type { ContactCipher } from './identity.ts';
import type { ProfileQuery } from './ports.ts';
import { servedUserOf } from './service.ts';

/** A request for a CPM service: whose it is, and where it goes. */
export interface Asked {
  readonly role: Role;
  readonly served: string;
  readonly trusted: boolean;
  readonly destination: string;
  readonly routes: readonly string[];
  readonly service: string;
  readonly originators: readonly string[];
  readonly query: Omit<ProfileQuery, 'at' | 'allowOfflineStorage'>;
}

export interface Invitation extends Asked {
  readonly facts: InviteFacts;
  readonly sdp: string | undefined;
}

export interface Reading {
  readonly contacts: ContactCipher;
  /** Tells our own Route entries and contact tokens from others. */
  readonly isOwn: Network['isOwn'];
}

export function readInvitation(request: SipRequest, source: Source, service: string, by: Reading): Invitation {
  const asked = readAsked(request, source.trusted, service, by);
  const { originators, destination } = asked;
  const sdp = descriptionOf(request);
  return { facts: inviteFacts(request, { service, originators, sdp, destination }), sdp, ...asked };
}

export function readAsked(request: SipRequest, trusted: boolean, service: string, by: Reading): Asked {
  const originators = originatorsOf(request, trusted);
  const served = servedUserOf(request, trusted, originators[0]);
  const routed = request.copy();
  takeOwnRoute(routed, by);
  const destination = destinationOf(routed.uri, by);
  const referredBy = parseNameAddress(request.header('referred-by') ?? '')?.uri;
  // Profile and session keep it, and shall not keep the whole request.
  const address = detached(served.address);
  return {
    role: served.role,
    served: served.role === 'term' && served.address === request.uri ? detached(destination) : address,
    trusted,
    destination: detached(destination),
    routes: routed.list('route').map(detached),
    service,
    originators,
    query: {
      user: address,
      role: served.role,
      service,
      originators: originators.map(identityKey),
      referredBy: referredBy === undefined ? null : identityKey(referredBy),
      sessionReplaces: request.header('session-replaces') ?? null,
    },
  };
}

/** a contact of ours that a client kept, perhaps long after its session, resolves to the URI inside it. */
function destinationOf(uriText: string, by: Reading): string {
  const uri = parseUri(uriText);
  if (uri === undefined || !isSipUri(uri) || uri.user === undefined || !by.isOwn(uri.host, uri.port)) return uriText;
  return by.contacts.open(uri.user) ?? uriText;
}

/** What policy rules are asked about. */
export function policyQuestion({ role, service, served, destination, facts }: Invitation, at: number): PolicyQuestion {
  const media = facts.streams?.filter(({ disabled }) => !disabled).map(({ media: type }) => type) ?? null;
  return { role, service, user: served, destination, originators: facts.originators, media, at };
}

export function openDossier(invitation: Invitation, request: SipRequest, at: number): Dossier {
  const { served, trusted, destination, routes, sdp } = invitation;
  return {
    served,
    trusted,
    destination,
    routes,
    books: { a: { sent: null, received: sdp === undefined ? null : detached(sdp), contact: null } },
    papers: papersOf(invitation, request, at),
    instance: invitation.role === 'orig' ? instanceOf(request) : null,
    invite: request,
    invites: {},
    spoke: null,
    conference: null,
    answer: null,
    reason: null,
    messages: new Map(),
  };
}

export function papersOf({ role, service }: Asked, request: SipRequest, at: number): SessionPapers {
  return {
    conversationId: kept(request.header('conversation-id')) ?? '',
    contributionId: kept(request.header('contribution-id')) ?? '',
    inReplyToContributionId: kept(request.header('inreplyto-contribution-id')),
    service: detached(request.header('p-asserted-service') ?? `urn:urn-7:3gpp-service.ims.icsi.oma.cpm.${service}`),
    group: service === 'session.group',
    from: detached(request.fromAddress),
    to: detached(request.toAddress),
    subject: kept(request.header('subject')),
    referredBy: kept(request.header('referred-by')),
    callId: detached(request.callId),
    sessionId: kept(request.header('session-id')?.split(';', 1)[0]),
    date: at,
    invited: invitedParticipants(request),
    // The focus of a group session is whoever invites the client to it; else the far side, when it answers.
    farContact: isFocus(role, service, request) ? kept(request.contact?.uri) : null,
  };
}

/** RFC 4579 5.1: a focus says so in its Contact. */
function isFocus(role: Role, service: string, request: SipRequest): boolean {
  return role === 'term' && service === 'session.group' && /;\s*isfocus\b/i.test(request.header('contact') ?? '');
}

/** RFC 5366: participants of a group invitation stand in a resource list beside the description. */
const MAX_INVITED = 200;

function invitedParticipants(request: SipRequest): string[] {
  const type = request.header('content-type');
  if (type === undefined || !mediaType(type).startsWith('multipart/')) return [];
  const list = partsOf(type, request.body).find(
    (part) => mediaType(part.headers.get('content-type') ?? '') === 'application/resource-lists+xml',
  );
  if (list === undefined) return [];
  return [...list.content.matchAll(/<(?:\w+:)?entry\s[^>]*?uri\s*=\s*["']([^"'<>]{1,512})["']/g)]
    .slice(0, MAX_INVITED)
    .map((match) => detached(match[1] ?? ''));
}
