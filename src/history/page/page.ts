/**
 * A conversation as one page for people: it needs nothing from elsewhere, runs nothing, and prints. All in it that
 * came over the wire is escaped, and every piece stands apart, so that no text can turn the direction of another.
 */
import { textOfWire } from '../../sip/message/bytes.ts';
import type { StoredObject } from '../driver.ts';
import type { FolderRef } from '../intent.ts';
import { cpimOf, type Part, partOf, typeOf } from '../objects/parts.ts';
import { STYLE } from './style.ts';

/** Shown as text; of everything else the page says what and how much it is. */
const TEXT = new Set(['text/plain', '']);

/** `objects` in the order of UIDs. */
export function conversationPage(folder: FolderRef, objects: readonly StoredObject[]): string {
  const title = `${folder.user}: ${folder.conversationId}`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width">',
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    '<header>',
    `<h1>Conversation of ${shown(folder.user)}</h1>`,
    facts([
      ['Conversation-ID', folder.conversationId],
      ['Contribution-ID', folder.contributionId],
    ]),
    '</header>',
    '<main>',
    ...objects.map(article),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function article({ uid, content }: StoredObject): string {
  const part = partOf(content);
  const type = typeOf(part);
  const [kind, inside] = insideOf(type, part);
  return `<article class="${kind}" id="uid-${Number(uid)}">\n${inside}\n</article>`;
}

/** Class of the article, and what it holds. */
function insideOf(type: string, part: Part): readonly [string, string] {
  if (type === 'application/x-cpm-session') return ['session', sessionInfo(part)];
  if (type === 'application/group-state-object+xml') return ['state', groupState(part)];
  if (type === 'message/cpim') return chat(part);
  return ['other', `${line(part, part.headers)}\n${content(type, part.body)}`];
}

function sessionInfo({ headers, body }: Part): string {
  const group = /<session-type>Group<\/session-type>/i.test(body);
  return [
    `<h2>${group ? 'Group session' : 'Session'}</h2>`,
    facts([
      ['From', headers.get('from')],
      ['To', headers.get('to')],
      ['Subject', headers.get('subject')],
      ['Began', headers.get('date')],
      ['Direction', headers.get('message-direction')],
      ['Invited', unescaped(/<invited-participants>(.*?)<\/invited-participants>/s.exec(body)?.[1] ?? '')],
    ]),
  ].join('\n');
}

function groupState({ headers, body }: Part): string {
  const participants = [...body.matchAll(/<participant name="([^"]*)" comm-addr="([^"]*)"/g)].map(
    ([, name = '', address = '']) => `<li>${shown(unescaped(`${name} ${address}`.trim()))}</li>`,
  );
  return [
    '<h2>The session has ended</h2>',
    facts([['Ended', /timestamp="([^"]*)"/.exec(body)?.[1] ?? headers.get('date')]]),
    ...(participants.length === 0 ? [] : [`<ul>\n${participants.join('\n')}\n</ul>`]),
  ].join('\n');
}

/** A message in a bubble on its side; a notification (RFC 5438) as a line. */
function chat(part: Part): readonly [string, string] {
  const cpim = cpimOf(part.body);
  const side = part.headers.get('message-direction')?.toLowerCase() === 'out' ? 'out' : 'in';
  if (cpim.type === 'message/imdn+xml') {
    const status = /<(delivered|displayed|processed|stored|failed|forbidden|error)\s*\/>/i.exec(cpim.content)?.[1];
    return [
      'notification',
      `<p>${shown(cpim.headers.get('from') ?? '')}: ${shown(status?.toLowerCase() ?? 'notified')}</p>`,
    ];
  }
  return [`chat ${side}`, `${line(part, cpim.headers)}\n${content(cpim.type, cpim.content)}`];
}

/** Who, and when. */
function line(part: Part, headers: Part['headers']): string {
  const from = headers.get('from') ?? part.headers.get('from') ?? '';
  const date = headers.get('datetime') ?? part.headers.get('date') ?? '';
  return `<p class="line">${shown(from)} <time>${shown(date)}</time></p>`;
}

function content(type: string, body: string): string {
  if (TEXT.has(type)) return `<pre dir="auto">${escaped(textOfWire(body))}</pre>`;
  return `<p class="file">${shown(type)}, ${body.length} bytes</p>`;
}

function facts(all: readonly (readonly [string, string | undefined])[]): string {
  const rows = all.filter(([, value]) => value !== undefined && value !== '');
  return `<dl>\n${rows.map(([name, value = '']) => `<dt>${name}</dt><dd>${shown(value)}</dd>`).join('\n')}\n</dl>`;
}

/** Wire text in a piece of its own. */
function shown(wire: string): string {
  return `<bdi>${escaped(textOfWire(wire))}</bdi>`;
}

/** Text as content or attribute of HTML; control characters, which no HTML may hold, become a mark. */
function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
    .replace(/\r\n/g, '\n')
    .replace(/(?![\n\t])\p{Cc}/gu, '�');
}

/** What our own objects escaped. */
function unescaped(xml: string): string {
  return xml.replace(/&#(\d{1,7});/g, (_entity, code: string) => String.fromCharCode(Number(code)));
}
