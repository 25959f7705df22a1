/** Headers an IWF writes and reads beside what the stack does by itself. */
import { type HeaderField, headerField, parseNameAddress, type SipRequest } from '../../../sip/index.ts';
import { SDP_TYPE } from '../../../sip/message/body.ts';
import { quote } from '../../../sip/message/params.ts';
import type { Refusal } from '../selection.ts';
import type { Contact } from './correspondence.ts';

export const SESSION_SERVICE = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session';
const ICSI = `+g.3gpp.icsi-ref="${encodeURIComponent(SESSION_SERVICE)}"`;
const PRODUCT = 'CPM-serv/OMA2.0 cpm-engine-iwf/0.1';

export const ALLOW = headerField('Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO');

export function answerHeaders(contact: string): HeaderField[] {
  return [
    headerField('Contact', `<sip:iwf@${contact}>;${ICSI}`),
    ALLOW,
    headerField('Server', PRODUCT),
    headerField('Content-Type', SDP_TYPE),
  ];
}

export function refusalHeaders({ status, why }: Refusal, contact: string): HeaderField[] {
  const warning = headerField('Warning', `399 ${contact.replace(/;.*$/, '')} ${quote(why)}`);
  if (status === 503) return [warning, headerField('Retry-After', '5')];
  if (status === 415) return [warning, headerField('Accept', SDP_TYPE)];
  return status === 405 ? [warning, ALLOW] : [warning];
}

/** Who invites (RFC 3325): each identity that is asserted, the SIP one first; From where none is. */
export function identitiesOf(request: SipRequest): readonly string[] {
  const asserted = request.list('p-asserted-identity').flatMap((value) => parseNameAddress(value)?.uri ?? []);
  const sip = asserted.filter((uri) => /^sips?:/i.test(uri));
  const others = asserted.filter((uri) => !sip.includes(uri));
  if (asserted.length > 0) return [...sip, ...others];
  return request.from === undefined ? [] : [request.from.uri];
}

/** Of an INVITE toward a CPM user (appendix C). */
export function invitationHeaders({ peer, conversationId }: Contact, contributionId: string, contact: string) {
  return [
    headerField('Contact', `<sip:iwf@${contact}>;${ICSI}`),
    headerField('P-Asserted-Identity', `<${peer}>`),
    headerField('P-Asserted-Service', SESSION_SERVICE),
    headerField('Accept-Contact', `*;${ICSI}`),
    headerField('Conversation-ID', conversationId),
    headerField('Contribution-ID', contributionId),
    headerField('User-Agent', PRODUCT),
    ALLOW,
    headerField('Content-Type', SDP_TYPE),
  ];
}
