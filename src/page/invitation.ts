/** An INVITE to begin with in the policy lab: what a CPM client sends, as it reaches its user's function. */

export interface Invited {
  /** Address of the user whose function is asked. */
  readonly served: string;
  readonly other: string;
  readonly side: 'orig' | 'term';
  readonly kind: 'session' | 'group';
}

const ICSI = 'urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session';

export function inviteText({ served, other, side, kind }: Invited): string {
  const [from, to] = side === 'orig' ? [served, other] : [other, served];
  const service = `urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session${kind === 'group' ? '.group' : ''}`;
  const tag = `+g.3gpp.icsi-ref="${ICSI}${kind === 'group' ? '.group' : ''}"`;
  const body = [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.10',
    's=-',
    'c=IN IP4 192.0.2.10',
    't=0 0',
    'm=message 2855 TCP/MSRP *',
    'a=accept-types:message/cpim',
    'a=path:msrp://192.0.2.10:2855/lab1;tcp',
    'a=setup:active',
    '',
  ];
  return [
    `INVITE ${to} SIP/2.0`,
    'Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKlab1',
    'Max-Forwards: 70',
    `From: <${from}>;tag=lab1`,
    `To: <${to}>`,
    'Call-ID: lab1',
    'CSeq: 1 INVITE',
    `Contact: <sip:192.0.2.10:5060>;${tag}`,
    `P-Asserted-Identity: <${from}>`,
    `P-Served-User: <${served}>;sescase=${side};regstate=reg`,
    `P-Asserted-Service: ${service}`,
    `Accept-Contact: *;${tag}`,
    'Conversation-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'Contribution-ID: abcdef-1234-5678-90ab-cdef01234567',
    'User-Agent: CPM-client/OMA2.0 Lab/1.0',
    'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE',
    'Supported: timer',
    'Content-Type: application/sdp',
    `Content-Length: ${body.join('\r\n').length}`,
    '',
    ...body,
  ].join('\n');
}

/** The text with its Content-Length made true again: whoever edits a body does not count its bytes. */
export function withTrueLength(text: string): string {
  const lines = text.replace(/\r\n/g, '\n').split('\n');
  const blank = lines.indexOf('');
  if (blank === -1) return `${lines.join('\n')}\n\n`;
  const bytes = new TextEncoder().encode(lines.slice(blank + 1).join('\r\n')).length;
  const head = lines.slice(0, blank).map((line) => line.replace(/^((?:content-length|l)[ \t]*:).*$/i, `$1 ${bytes}`));
  return [...head, ...lines.slice(blank)].join('\n');
}

/** What leaves, as the server tells it: where it goes in one line, the message in the others. */
export function sentMessage(told: string): { readonly way: string | null; readonly message: string } {
  const lines = told.replace(/\r\n/g, '\n').split('\n');
  const [first = ''] = lines;
  if (first.startsWith('SIP/2.0 ')) return { way: null, message: lines.join('\n') };
  return { way: first, message: lines.slice(1).join('\n') };
}

/** Asked of the recording, or while a session that was refused is put away: they decide nothing about the invitation. */
const ASIDE = ['historySettled', 'historyWanted', 'sessionEnding', 'farLegsEnded', 'everyLegClosed'];

interface Asked {
  readonly guard: string;
  readonly holds: boolean;
}

/** The questions that were asked about the invitation. */
export function questions<S extends Asked>(steps: readonly S[]): S[] {
  return steps.filter(({ guard }) => !ASIDE.includes(guard));
}

/** The one whose answer decided; undefined where none of them stopped the invitation. */
export function decisive<S extends Asked>(steps: readonly S[]): S | undefined {
  return questions(steps).findLast(({ holds }) => holds);
}
