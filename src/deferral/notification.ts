/** What a client says of a kept message (RFC 5438), on its way to the sender, whose session is long over. */
import type { Session } from '../isf/reference/iwf/session.ts';
import { headerField, SipRequest } from '../sip/index.ts';

const SERVICE = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg';
const ICSI = `+g.3gpp.icsi-ref="${encodeURIComponent(SERVICE)}"`;

export function composeForwarded({ contact, contributionId, leg }: Session, cpim: Buffer): SipRequest {
  const { user, peer, conversationId } = contact;
  return new SipRequest(
    'MESSAGE',
    peer,
    [
      headerField('Max-Forwards', '70'),
      headerField('From', `<${user}>;tag=${leg.replace(/\W/g, '')}`),
      headerField('To', `<${peer}>`),
      headerField('P-Asserted-Identity', `<${user}>`),
      headerField('P-Asserted-Service', SERVICE),
      headerField('Accept-Contact', `*;${ICSI}`),
      headerField('Conversation-ID', conversationId),
      headerField('Contribution-ID', contributionId),
      headerField('CSeq', '1 MESSAGE'),
      headerField('Content-Type', 'message/cpim'),
    ],
    cpim,
  );
}
