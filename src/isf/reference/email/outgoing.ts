/** A chat message as a mail (RFC 5322, RFC 3461). */
import type { SendMailOptions } from 'nodemailer';
import type { ChatMessage } from '../iwf/message.ts';
import { mailId, rootId } from './thread.ts';

export interface Writing {
  readonly message: ChatMessage;
  readonly conversationId: string;
  /** Mail addresses of the user and of whom the user writes to. */
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  /** Message-ID of the mail before, either way; undefined for the first. */
  readonly last: string | undefined;
  /** Hexadecimal; of this mail alone. */
  readonly token: string;
  readonly domain: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Where delivery status notifications for a mail go: the envelope's sender, so that servers without RFC 3461 fit too. */
export function statusAddress(token: string, domain: string): string {
  return `d-${token}@${domain}`;
}

export function tokenIn(localPart: string): string | undefined {
  return /^d-([0-9a-f]{24})$/i.exec(localPart)?.[1]?.toLowerCase();
}

export function mailOf(writing: Writing): SendMailOptions & { readonly messageId: string } {
  const { message, conversationId, from, to, domain, token, last } = writing;
  const root = rootId(conversationId, domain);
  return {
    envelope: { from: statusAddress(token, domain), to: [to] },
    from,
    to,
    subject: `${last === undefined ? '' : 'Re: '}${writing.subject}`,
    messageId: mailId(conversationId, token, domain),
    inReplyTo: last ?? root,
    references: last === undefined ? [root] : [root, last],
    date: new Date(writing.now),
    dsn: {
      ret: 'HDRS',
      envid: token,
      notify: ['SUCCESS', 'FAILURE', 'DELAY'],
      orcpt: `rfc822;${to}`,
    },
    // What a user writes is data, never the name of something to be fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...contentOf(message),
  } as SendMailOptions & { readonly messageId: string };
}

function contentOf({ text, content, contentType }: ChatMessage): Pick<SendMailOptions, 'text' | 'attachments'> {
  if (text !== undefined) return { text };
  const extension = /^[a-z]+\/(?:x-)?([a-z0-9]{1,8})$/.exec(contentType)?.[1] ?? 'bin';
  return { text: '', attachments: [{ filename: `attachment.${extension}`, content, contentType }] };
}
