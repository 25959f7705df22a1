/** Which CPM service a request is for, and whose Participating Function we are for it (digest 3.2). */

import type { Role } from '../../machines/session/policy.ts';
import { addressParam, parseNameAddress } from '../sip/message/address.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { isSipUri, parseUri, uriParam } from '../sip/message/uri.ts';
import { topRoute } from '../sip/proxy/rules.ts';

const CPM = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.';

/**
 * Name of the CPM service behind its common prefix: `session`, `session.group`, `msg`, `largemsg`, `filetransfer`;
 * undefined for anything else. P-Asserted-Service decides, then Accept-Contact, then Contact.
 */
export function serviceOf(request: SipRequest): string | undefined {
  for (const asserted of request.list('p-asserted-service')) {
    const service = cpmService(asserted);
    if (service !== undefined) return service;
  }
  for (const name of ['accept-contact', 'contact'] as const) {
    for (const field of request.headers) {
      if (field.name !== name) continue;
      const service = cpmService(featureOf(field.value));
      if (service !== undefined) return service;
    }
  }
  return undefined;
}

function cpmService(urn: string): string | undefined {
  return urn.startsWith(CPM) ? urn.slice(CPM.length) : undefined;
}

const ICSI_REF = /;\s*\+?g\.3gpp\.icsi-ref\s*=\s*"?<?([^",;>]+)/i;

/** The service identifier in a `g.3gpp.icsi-ref` feature tag, escapes resolved (RFC 6809, TS 24.229 7.9.2). */
function featureOf(value: string): string {
  const escaped = ICSI_REF.exec(value)?.[1];
  if (escaped === undefined) return '';
  return escaped.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** True for the services whose sessions the clauses describe. */
export function isSession(service: string | undefined): service is string {
  return service === 'session' || service === 'session.group';
}

export interface ServedUser {
  readonly role: Role;
  /** The user's address, as it stands in the request. */
  readonly address: string;
}

/**
 * Whose function we are: P-Served-User of a trusted peer (RFC 5502), else `orig` on our Route, else the
 * terminating side.
 */
export function servedUserOf(request: SipRequest, trusted: boolean, originator: string | undefined): ServedUser {
  const served = trusted ? parseNameAddress(request.header('p-served-user') ?? '') : undefined;
  if (served !== undefined) {
    const role = addressParam(served, 'sescase') === 'orig' ? 'orig' : 'term';
    return { role, address: served.uri };
  }
  const route = parseUri(topRoute(request) ?? '');
  const originating = route !== undefined && isSipUri(route) && uriParam(route, 'orig') !== undefined;
  if (originating) return { role: 'orig', address: originator ?? request.from?.uri ?? '' };
  return { role: 'term', address: request.uri };
}
