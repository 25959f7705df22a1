/** What a function has kept of a conversation: the user's folder with its objects and pointers. */
import { promisify } from 'node:util';
import { type CpimHead, isNotification, parseCpimHead } from '../../cpim/cpim.ts';
import type { HistoryReader, Pointer } from '../../history/driver.ts';
import type { FolderRef } from '../../history/intent.ts';
import type { Paint } from './paint.ts';

export interface KeptObject {
  readonly uid: number;
  /** Content-Type, which tells what the object is. */
  readonly type: string;
  /** Metadata entries of the folder that name this object. */
  readonly pointers: readonly Pointer[];
  /** The whole RFC 5322 message. */
  readonly content: string;
}

export interface KeptFolder extends FolderRef {
  readonly pointers: Readonly<Partial<Record<Pointer, number>>>;
  readonly objects: readonly KeptObject[];
}

/** Every folder of a user. Rejects where the store can't be read. */
export async function keptOf(history: HistoryReader, user: string): Promise<KeptFolder[]> {
  const folders = (await promisify(history.folders.bind(history))(user)) ?? [];
  return Promise.all(
    folders.map(async ({ conversationId, contributionId }) => {
      const ref = { user, conversationId, contributionId };
      const pointers = (await promisify(history.pointers.bind(history))(ref)) ?? {};
      const objects = (await promisify(history.objects.bind(history))(ref)) ?? [];
      return {
        ...ref,
        pointers,
        objects: objects.map(({ uid, content }) => ({
          uid,
          type: headerOf(content, 'Content-Type'),
          pointers: (Object.keys(pointers) as Pointer[]).filter((name) => pointers[name] === uid),
          content,
        })),
      };
    }),
  );
}

function headerOf(content: string, name: string): string {
  const head = content.slice(0, content.indexOf('\r\n\r\n'));
  return new RegExp(`^${name}: (.*)$`, 'mi').exec(head)?.[1]?.trim() ?? '';
}

// --- as text -------------------------------------------------------------------------------------------------

const LABEL = 20;
const WIDTH = 98;

/** What the objects are called in the text, and which of their headers say something new. */
const KINDS: Readonly<Record<string, { readonly name: string; readonly headers: readonly string[] }>> = {
  'Application/X-CPM-Session': {
    name: 'Session Info',
    headers: ['From', 'To', 'Subject', 'Date', 'Message-Direction'],
  },
  'message/cpim': { name: 'Message', headers: ['From', 'Message-Direction', 'IMDN-Message-ID'] },
  'Application/group-state-object+xml': { name: 'Group State', headers: [] },
};

export function keptText(folder: KeptFolder, paint: Paint): string[] {
  return [
    `  folder ${folder.conversationId}/${folder.contributionId}`,
    ...folder.objects.flatMap((object, at) => objectText(object, at === folder.objects.length - 1, paint)),
  ];
}

function objectText(object: KeptObject, last: boolean, paint: Paint): string[] {
  const kind = KINDS[object.type] ?? { name: 'Object', headers: [] };
  const pointers = object.pointers.map((name) => `  ◀ ${name}`).join('');
  const title = `${paint.dim(last ? '└─' : '├─')} ${paint.message(`UID ${object.uid}  ${kind.name}`.padEnd(LABEL + 2))}`;
  const headers = kind.headers.map((name): Fact => [name, headerOf(object.content, name)]);
  const stem = `  ${paint.dim(last ? ' ' : '│')}    `;
  return [
    `  ${title} ${object.type}${paint.good(pointers)}`,
    ...[...headers, ...factsOf(object.content)].map(([name, value]) => stem + factLine(name, value, paint)),
  ];
}

type Fact = readonly [name: string, value: string];

function factLine(name: string, value: string, paint: Paint): string {
  const room = WIDTH - 7 - LABEL;
  const shown = value.length > room ? `${value.slice(0, room - 1)}…` : value;
  return `${paint.dim(name.padEnd(LABEL))}${shown}`;
}

/** What stands in the object itself: elements with text, attributes, and of a description its media lines. */
function factsOf(content: string): Fact[] {
  const facts: Fact[] = [];
  const stored = content.slice(content.indexOf('\r\n\r\n') + 4);
  const head = parseCpimHead(stored);
  if (head !== undefined) return messageFacts(head, stored);
  const body = stored.replace(/^<\?xml[^>]*\?>/, '');
  for (const [, name = '', text = ''] of body.matchAll(/<([\w-]+)>([^<]+)<\/\1>/g)) {
    if (name === 'sdp') facts.push([name, (text.match(/^m=.*$/gm) ?? []).map((line) => line.trim()).join(', ')]);
    else facts.push([name, unescaped(text)]);
  }
  for (const [, name = '', value = ''] of body.matchAll(/([\w-]+)="([^"]+)"/g)) {
    facts.push([ATTRIBUTES[name] ?? name, unescaped(value)]);
  }
  return facts;
}

/** A text as it is, of a notification what it says, of anything else what it is. */
function messageFacts(head: CpimHead, stored: string): Fact[] {
  const content = stored.slice(stored.indexOf('\r\n\r\n', stored.indexOf('\r\n\r\n') + 4) + 4);
  if (isNotification(head)) {
    const [, id = ''] = /<message-id>([^<]*)</.exec(content) ?? [];
    return [[/<(delivered|displayed)\/>/.exec(content)?.[1] ?? head.contentType, id]];
  }
  if (head.contentType.startsWith('text/')) return [['text', Buffer.from(content, 'latin1').toString('utf8')]];
  return [['content', `${head.contentType}, ${content.length} bytes`]];
}

/** Attribute names that say little without their element. */
const ATTRIBUTES: Readonly<Record<string, string>> = { 'comm-addr': 'participant' };

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
