/**
 * The head of a `message/cpim` body (RFC 3862): who says what to whom, and what kind of content follows. Text here is
 * wire text, one character a byte. The content itself is not looked at.
 */

export interface CpimHead {
  /** Value of From, as it came; null where there is none. */
  readonly from: string | null;
  /** Value of the first To. */
  readonly to: string | null;
  /** Value of DateTime (RFC 3339), as it came. */
  readonly dateTime: string | null;
  /** IMDN Message-ID (RFC 5438 6.3), whichever prefix its name space has. */
  readonly imdnMessageId: string | null;
  /** Media type of the content, lower case, without parameters; `text/plain` where none is given (RFC 2045 5.2). */
  readonly contentType: string;
  /** Its charset parameter, lower case; null where none is given. */
  readonly charset: string | null;
  /** What its sender wants to be told (RFC 5438 6.3): `positive-delivery`, `negative-delivery`, `display` …; lower case. */
  readonly wishes: readonly string[];
  /** Where the content begins in the text. */
  readonly contentAt: number;
}

const IMDN = 'urn:ietf:params:imdn';

/** A head that is longer is not looked for: no chat message needs as much. */
export const CPIM_HEAD_LIMIT = 16_384;

/** Undefined where the text does not begin with a CPIM head, or with more of it than {@link CPIM_HEAD_LIMIT}. */
export function parseCpimHead(text: string): CpimHead | undefined {
  const message = section(text, 0);
  if (message === undefined) return undefined;
  const content = section(text, message.end);
  if (content === undefined) return undefined;
  const headers = fieldsOf(message.text);
  if (headers === undefined) return undefined;
  // RFC 3862 3.1: names of message headers are case-sensitive; those of the content are MIME's and are not.
  const first = (name: string): string | null => headers.find(([other]) => other === name)?.[1] ?? null;
  const type = fieldsOf(content.text)?.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  return {
    from: first('From'),
    to: first('To'),
    dateTime: first('DateTime'),
    imdnMessageId: imdnHeader(headers, 'Message-ID'),
    contentType: (type ?? 'text/plain').replace(/;.*$/, '').trim().toLowerCase(),
    charset: /;\s*charset="?([^";\s]+)/i.exec(type ?? '')?.[1]?.toLowerCase() ?? null,
    wishes: (imdnHeader(headers, 'Disposition-Notification') ?? '')
      .toLowerCase()
      .split(/[\s,]+/)
      .filter(Boolean),
    contentAt: content.end,
  };
}

/** Whether the content tells what became of another message (RFC 5438). */
export function isNotification(head: Pick<CpimHead, 'contentType'>): boolean {
  return head.contentType === 'message/imdn+xml';
}

/** Whether the content only says that somebody is typing (RFC 3994). */
export function isComposing(head: Pick<CpimHead, 'contentType'>): boolean {
  return head.contentType === 'application/im-iscomposing+xml';
}

type Field = readonly [name: string, value: string];

/** The lines up to a blank one, which may be the first. */
function section(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  if (text.startsWith('\r\n', start)) return { text: '', end: start + 2 };
  const end = text.indexOf('\r\n\r\n', start);
  if (end < 0 || end > CPIM_HEAD_LIMIT) return undefined;
  return { text: text.slice(start, end), end: end + 4 };
}

/** Undefined where a line is no header. */
function fieldsOf(text: string): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (const line of text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    fields.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return fields;
}

/** RFC 3862 3.4.1: `NS: imdn <urn:ietf:params:imdn>` gives the prefix its meaning; without it the usual one counts. */
function imdnHeader(headers: readonly Field[], header: string): string | null {
  const spaces = headers.filter(([name]) => name === 'NS').map(([, value]) => /^(\S*)\s*<([^>]*)>$/.exec(value));
  const prefix = spaces.find((space) => space?.[2]?.toLowerCase() === IMDN)?.[1] ?? 'imdn';
  const name = prefix === '' ? header : `${prefix}.${header}`;
  return headers.find(([other]) => other === name)?.[1] ?? null;
}
