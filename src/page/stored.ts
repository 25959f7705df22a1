/** A stored object as it is read: an RFC 5322 message whose body is a description of the session, of its end, or a message. */

export interface Stored {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export function storedObject(text: string): Stored {
  const whole = text.replace(/\r\n/g, '\n');
  const end = whole.indexOf('\n\n');
  const head = (end === -1 ? whole : whole.slice(0, end)).replace(/\n[ \t]+/g, ' ');
  const headers = head.split('\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  return { headers, body: end === -1 ? '' : whole.slice(end + 2) };
}

/** `Session Info`, `Group State`, or what else the type says. */
export function kindOf(type: string): string {
  const name = type.toLowerCase().split(';')[0]?.trim() ?? '';
  if (name === 'application/x-cpm-session') return 'Session Info';
  if (name === 'application/group-state-object+xml') return 'Group State';
  if (name === 'message/cpim') return 'Message';
  return type === '' ? 'Object' : type;
}

/** XML with each element on a line of its own; what is no XML stays as it is. */
export function indented(body: string): string {
  if (!body.trimStart().startsWith('<')) return body;
  let depth = 0;
  const lines: string[] = [];
  for (const part of body.replace(/>\s*</g, '>\n<').split('\n')) {
    const closes = /^<\//.test(part);
    if (closes) depth = Math.max(0, depth - 1);
    lines.push('  '.repeat(depth) + part.trimEnd());
    const opens = /^<[^?!/][^>]*[^/]>$/.test(part) || /^<[^?!/]>$/.test(part);
    if (opens) depth++;
  }
  return lines.join('\n');
}
