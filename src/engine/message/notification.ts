/** A delivery notification (RFC 5438) that the function makes itself: a message it had promised was given up. */
import { rfc3339, xmlEscaped } from '../../history/objects/stored-message.ts';
import { bytesOfWire } from '../../sip/message/bytes.ts';
import { headerField } from '../../sip/message/header.ts';
import { SipRequest } from '../../sip/message/message.ts';
import type { Identity } from '../identity.ts';
import type { MessagePapers } from './papers.ts';

const ICSI = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg"';

/** `id` names the message that was given up. */
export function composeNotification(message: MessagePapers, id: string, now: number, identity: Identity): SipRequest {
  const { request, asked } = message;
  const user = `<${asked.served}>`;
  // Whom the core vouched for; an anonymous From leads nowhere.
  const sender = asked.originators[0] ?? request.from?.uri ?? '';
  const kept = ['conversation-id', 'contribution-id'].flatMap((name) => request.lines(name));
  return new SipRequest(
    'MESSAGE',
    sender,
    [
      headerField('Max-Forwards', '70'),
      headerField('From', `${user};tag=${id}`),
      headerField('To', request.fromAddress),
      headerField('Call-ID', `${id}.n`),
      headerField('CSeq', '1 MESSAGE'),
      headerField('User-Agent', identity.products),
      headerField('P-Asserted-Identity', user),
      headerField('P-Asserted-Service', 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg'),
      headerField('Accept-Contact', `*;${ICSI}`),
      ...kept,
      headerField('Content-Type', 'message/cpim'),
    ],
    bytesOfWire(cpimOf(message, id, now)),
  );
}

function cpimOf({ cpim, papers, asked }: MessagePapers, id: string, now: number): string {
  const content = failedNotification({
    messageId: cpim?.imdnMessageId ?? '',
    dateTime: cpim?.dateTime ?? rfc3339(papers.date),
    recipient: asked.served,
    originalRecipient: cpim?.to?.replace(/^.*<([^>]*)>.*$/, '$1') ?? asked.destination,
  });
  return [
    `From: <${asked.served}>`,
    `To: ${cpim?.from ?? papers.from}`,
    `DateTime: ${rfc3339(now)}`,
    'NS: imdn <urn:ietf:params:imdn>',
    `imdn.Message-ID: ${id}-failed`,
    '',
    'Content-Type: message/imdn+xml',
    'Content-Disposition: notification',
    `Content-Length: ${content.length}`,
    '',
    content,
  ].join('\r\n');
}

interface Failed {
  readonly messageId: string;
  readonly dateTime: string;
  readonly recipient: string;
  readonly originalRecipient: string;
}

/** Elements in the order of the schema. Values are wire text of strangers. */
function failedNotification({ messageId, dateTime, recipient, originalRecipient }: Failed): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<imdn xmlns="urn:ietf:params:xml:ns:imdn">',
    `<message-id>${xmlEscaped(messageId)}</message-id>`,
    `<datetime>${xmlEscaped(dateTime)}</datetime>`,
    `<recipient-uri>${xmlEscaped(recipient)}</recipient-uri>`,
    `<original-recipient-uri>${xmlEscaped(originalRecipient)}</original-recipient-uri>`,
    '<delivery-notification><status><failed/></status></delivery-notification>',
    '</imdn>',
  ].join('\r\n');
}
