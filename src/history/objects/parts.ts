/** Reading stored objects back: an RFC 5322 message, and the CPIM message that may be inside (RFC 3862). */

/** A message, or a part of one: headers and body. Everything is a wire string. */
export interface Part {
  /** Values by name in lower case; of a name that is there twice, the first. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A chat message: who wrote it to whom and when, and what it says. */
export interface CpimMessage {
  readonly headers: ReadonlyMap<string, string>;
  /** Type of what it carries, in lower case, without parameters. */
  readonly type: string;
  readonly content: string;
}

/** A whole object. Its body is decoded from base64 where it was stored so. */
export function partOf(object: string): Part {
  const part = split(object);
  if (part.headers.get('content-transfer-encoding')?.toLowerCase() !== 'base64') return part;
  try {
    return { headers: part.headers, body: atob(part.body.replace(/\s/g, '')) };
  } catch {
    return part;
  }
}

/** Type of a part in lower case, without parameters; empty where it says none. */
export function typeOf({ headers }: Part): string {
  return (headers.get('content-type') ?? '').replace(/;.*$/s, '').trim().toLowerCase();
}

/** RFC 3862 2: message headers, then the MIME headers and content of what it carries. */
export function cpimOf(body: string): CpimMessage {
  const outer = split(body);
  const inner = split(outer.body);
  return { headers: outer.headers, type: typeOf(inner), content: partOf(outer.body).body };
}

/** Header lines to the first empty one, those that are folded joined (RFC 5322 2.2.3), and the rest. */
function split(text: string): Part {
  const end = /\r?\n\r?\n/.exec(text);
  const head = end === null ? text : text.slice(0, end.index);
  const headers = new Map<string, string>();
  for (const line of head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const [, name, value = ''] = /^([^\s:]+)\s*:\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined && !headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), value.trim());
  }
  return { headers, body: end === null ? '' : text.slice(end.index + end[0].length) };
}
