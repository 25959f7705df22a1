/** Delivery notifications: `message/imdn+xml` (RFC 5438 7.2, 11.1). */
import { named, parseXml } from '../xml/xml.ts';

export type DeliveryOutcome = 'delivered' | 'failed';

export interface NotificationDetails {
  /** Who has it, or should have had it. */
  readonly recipient?: string;
  /** RFC 3339; when the message it is about was sent. */
  readonly dateTime?: string;
}

export function deliveryNotification(
  messageId: string,
  outcome: DeliveryOutcome,
  { recipient, dateTime }: NotificationDetails = {},
): string {
  const element = (name: string, text: string | undefined): string =>
    text === undefined ? '' : `<${name}>${escaped(text)}</${name}>`;
  return (
    `<?xml version="1.0"?><imdn xmlns="urn:ietf:params:xml:ns:imdn">${element('message-id', messageId)}` +
    `${element('datetime', dateTime)}${element('recipient-uri', recipient)}` +
    `<delivery-notification><status><${outcome}/></status></delivery-notification></imdn>`
  );
}

/** What a delivery notification says; undefined for anything else. */
export function readDelivery(text: string): { messageId: string; outcome: DeliveryOutcome } | undefined {
  try {
    const root = parseXml(text);
    const messageId = named(root, 'message-id')[0]?.text;
    const status = named(root, 'delivery-notification').flatMap((each) => named(each, 'status'))[0];
    const outcome = status?.children[0]?.name;
    if (messageId === undefined || (outcome !== 'delivered' && outcome !== 'failed')) return undefined;
    return { messageId, outcome };
  } catch {
    return undefined;
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
