/** A mail that arrived: an answer of a person, a delivery status, or what a machine says. */
import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { type DeliveryStatus, readDeliveryStatus } from './delivery-status.ts';
import { textOfHtml } from './html-text.ts';
import { ownText } from './own-text.ts';

export type Incoming =
  | { readonly kind: 'status'; readonly status: DeliveryStatus }
  | {
      readonly kind: 'message';
      /** Lower case. */
      readonly from: string;
      /** Without what it quotes; with a line for each attachment that is left out. */
      readonly text: string;
      readonly messageId: string | undefined;
      /** In-Reply-To and References, as they stand. */
      readonly refersTo: string;
    }
  /** RFC 3834: said by a machine, such as an absence notice; nobody's answer. */
  | { readonly kind: 'automatic' };

/** Parts inside parts; a mail of a person has four levels, a forwarded one a few more. */
const LIMITS = { maxNestingDepth: 32, maxRfc822NestingDepth: 2, maxHeadersSize: 131_072 } as const;
/** Attachments that are named; more are only counted. */
const NAMED = 10;

/** Throws where it is no mail, or nested beyond measure. */
export async function readMail(bytes: Uint8Array): Promise<Incoming> {
  const mail = await PostalMime.parse(bytes, LIMITS);
  const report = mail.attachments.find(({ mimeType }) => mimeType === 'message/delivery-status');
  if (report !== undefined) {
    const status = readDeliveryStatus(textOf(report));
    if (status !== undefined) return { kind: 'status', status };
  }
  const submitted = header(mail, 'auto-submitted')?.replace(/;.*$/, '').trim().toLowerCase();
  const from = mail.from?.address?.toLowerCase();
  if (report !== undefined || from === undefined || (submitted !== undefined && submitted !== 'no')) {
    return { kind: 'automatic' };
  }
  const own = ownText(mail.text ?? textOfHtml(mail.html ?? ''));
  const text = [own, ...leftOut(mail.attachments)].filter((line) => line !== '').join('\n');
  return { kind: 'message', from, text, messageId: mail.messageId, refersTo: refersTo(mail) };
}

function refersTo(mail: Email): string {
  return `${mail.inReplyTo ?? ''} ${mail.references ?? ''}`;
}

function header(mail: Email, name: string): string | undefined {
  return mail.headers.find(({ key }) => key === name)?.value;
}

function textOf({ content }: Attachment): string {
  return typeof content === 'string' ? content : Buffer.from(content as Uint8Array).toString('latin1');
}

function leftOut(attachments: readonly Attachment[]): string[] {
  const named = attachments.slice(0, NAMED).map(({ filename, mimeType, content }) => {
    const size = typeof content === 'string' ? content.length : content.byteLength;
    return `[${filename ?? mimeType}, ${size} bytes, left out]`;
  });
  const more = attachments.length - named.length;
  return more > 0 ? [...named, `[${more} more attachments left out]`] : named;
}
