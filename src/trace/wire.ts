/** What a message tells by its own words: whose it is, which leg it is on, what it is called. */

const CALL_ID = /\r\n(?:call-id|i)[ \t]*:[ \t]*(\S+)/i;
const FROM = /\r\n(?:from|f)[ \t]*:([^\r]*)/i;
const TO = /\r\n(?:to|t)[ \t]*:([^\r]*)/i;
const CSEQ = /\r\ncseq[ \t]*:[ \t]*\d+[ \t]+(\S+)/i;

export function callIdOf(text: string): string {
  return CALL_ID.exec(text)?.[1] ?? '';
}

export function isResponse(text: string): boolean {
  return text.startsWith('SIP/2.0 ');
}

function tagIn(text: string, header: RegExp): string | undefined {
  const value = header.exec(text)?.[1] ?? '';
  // Behind the angle brackets: a parameter of the URI is not one of the header.
  return /;[ \t]*tag=([^;\s]+)/i.exec(value.slice(value.lastIndexOf('>') + 1))?.[1];
}

/** The tag of our side of the dialog, where we have one: what we send a request from, what we answer as. */
export function ownTagOf(text: string, direction: 'in' | 'out'): string | undefined {
  return isResponse(text) === (direction === 'in') ? tagIn(text, FROM) : tagIn(text, TO);
}

/** Side of the session, as its ladder draws it. */
export interface Sides {
  /** Key of the session; its legs' tags begin with it and a dot. */
  readonly session: string;
  /** From tag of the INVITE: in a dialog that is only passed on, it tells the two sides apart. */
  readonly inviterTag: string | undefined;
}

/** `a` toward whoever invited, `b`, `b2` … toward whom was invited. */
export function legOf(text: string, direction: 'in' | 'out', { session, inviterTag }: Sides): string {
  const own = ownTagOf(text, direction);
  if (own?.startsWith(`${session}.`)) return own.slice(session.length + 1);
  // Both sides of a proxied dialog have the same tags: whoever sent the request is told by its From.
  const byInviter = tagIn(text, FROM) === inviterTag;
  const towardUs = direction === 'in';
  return (isResponse(text) ? !towardUs : towardUs) === byInviter ? 'a' : 'b';
}

export function fromTagOf(text: string): string | undefined {
  return tagIn(text, FROM);
}

/** `INVITE`, `180 Ringing`, `200 OK (BYE)`. */
export function labelOf(text: string): string {
  const line = text.slice(0, Math.max(0, text.indexOf('\r\n')));
  if (!isResponse(text)) return line.split(' ')[0] ?? '';
  const method = CSEQ.exec(text)?.[1] ?? '';
  const said = line.slice('SIP/2.0 '.length).trimEnd();
  return method === 'INVITE' || method === '' ? said : `${said} (${method})`;
}
