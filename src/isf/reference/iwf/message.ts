/** A message of a CPM user as it came over MSRP, and what became of it. */
import { type CpimHead, isComposing, isNotification, parseCpimHead } from '../../../cpim/cpim.ts';

export interface ChatMessage {
  /** IMDN Message-ID; the one of MSRP where it has none. */
  readonly id: string;
  readonly msrpId: string;
  /** Bytes as they came over MSRP. */
  readonly size: number;
  /** Lower case, without parameters. */
  readonly contentType: string;
  /** All of it, as it came; undefined where it is not CPIM. */
  readonly cpim: Buffer | undefined;
  readonly content: Buffer;
  /** Of text; what the charset has no letters for is marked. */
  readonly text: string | undefined;
  /** RFC 3339, as its sender wrote it. */
  readonly dateTime: string | undefined;
  readonly wantsDelivery: boolean;
  readonly wantsFailure: boolean;
  /** RFC 4975 7.1.2: a REPORT of failure is welcome. */
  readonly wantsReport: boolean;
}

/** What a message is: one for people, or one that software says to software. */
export type MessageKind = 'message' | 'notification' | 'composing';

export interface Read {
  readonly kind: MessageKind;
  readonly message: ChatMessage;
}

/** Undefined where it is said to be CPIM and is not. */
export function readMessage(
  msrp: { readonly id: string; readonly contentType: string; readonly wantsReport: boolean },
  bytes: Buffer,
): Read | undefined {
  const base = { msrpId: msrp.id, size: bytes.length, wantsReport: msrp.wantsReport };
  const type = msrp.contentType.replace(/;.*$/, '').trim().toLowerCase();
  if (type !== 'message/cpim') {
    const charset = /;\s*charset="?([^";\s]+)/i.exec(msrp.contentType)?.[1]?.toLowerCase() ?? null;
    const wishes = { wantsDelivery: false, wantsFailure: false, dateTime: undefined };
    const message = { ...base, ...wishes, id: msrp.id, contentType: type, cpim: undefined, content: bytes };
    const kind = type === 'application/im-iscomposing+xml' ? 'composing' : 'message';
    return { kind, message: { ...message, text: textOf(type, charset, bytes) } };
  }
  const head = parseCpimHead(bytes.toString('latin1'));
  if (head === undefined) return undefined;
  const content = bytes.subarray(head.contentAt);
  const { contentType, charset, wishes } = head;
  const message = {
    ...base,
    id: head.imdnMessageId ?? msrp.id,
    contentType,
    cpim: bytes,
    content,
    text: textOf(contentType, charset, content),
    dateTime: head.dateTime ?? undefined,
    wantsDelivery: wishes.includes('positive-delivery'),
    wantsFailure: wishes.includes('negative-delivery'),
  };
  return { kind: kindOf(head), message };
}

function kindOf(head: CpimHead): MessageKind {
  if (isNotification(head)) return 'notification';
  return isComposing(head) ? 'composing' : 'message';
}

function textOf(contentType: string, charset: string | null, content: Buffer): string | undefined {
  if (contentType !== 'text/plain') return undefined;
  try {
    return new TextDecoder(charset ?? 'utf-8').decode(content);
  } catch {
    // A charset nobody here knows.
    return content.toString('utf8');
  }
}
