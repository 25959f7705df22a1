/**
 * Mails of one conversation as one thread (RFC 5322 3.6.4). Their Message-IDs hold the Conversation-ID, so an answer
 * finds its conversation whatever has been forgotten since.
 */
import { createHash } from 'node:crypto';

/** A longer Conversation-ID is told by its hash: RFC 5322 2.1.1 has 998 characters for the line that names several. */
const LONGEST = 120;

/** Of the conversation itself; no mail has it, but all refer to it, so that they stand together in any order. */
export function rootId(conversationId: string, domain: string): string {
  return `<${local(conversationId)}@${domain}>`;
}

/** Of one mail; `unique` is letters and digits. */
export function mailId(conversationId: string, unique: string, domain: string): string {
  return `<${local(conversationId)}.${unique}@${domain}>`;
}

/** The conversation that one of these Message-IDs belongs to; undefined where none is ours. */
export function conversationIn(ids: string, domain: string): string | undefined {
  for (const [, name = '', host = ''] of ids.matchAll(/<([^<>@\s]{1,300})@([^<>@\s]{1,255})>/g)) {
    const encoded =
      host.toLowerCase() === domain ? /^cpm-([A-Za-z0-9_-]+)(?:\.[A-Za-z0-9]+)?$/.exec(name)?.[1] : undefined;
    if (encoded === undefined) continue;
    const decoded = Buffer.from(encoded, 'base64url').toString();
    // A stranger may write any: only what can stand in a header is one.
    if (/^[\x21-\x7e]{1,160}$/.test(decoded)) return decoded;
  }
  return undefined;
}

function local(conversationId: string): string {
  const told = conversationId.length <= LONGEST ? conversationId : hashOf(conversationId);
  return `cpm-${Buffer.from(told).toString('base64url')}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
