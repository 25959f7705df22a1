/** `cpm-engine history`: what a running server has recorded for a user, and taking it away as files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AdminOptions, ask, askText } from './admin-client.ts';
import { CommandFailed, print, table, UsageError } from './output.ts';

interface HistoryOptions extends AdminOptions {
  readonly json?: boolean;
}

interface Folder {
  readonly conversationId: string;
  readonly contributionId: string;
  readonly objects: number;
}

interface FolderContent {
  readonly pointers: Readonly<Record<string, number>>;
  readonly objects: readonly { uid: number; type: string; date: string; bytes: number }[];
}

export async function listHistory(user: string, options: HistoryOptions): Promise<void> {
  const { folders } = await ask<{ folders: Folder[] }>(options, 'GET', `/api/history/${encodeURIComponent(user)}`);
  if (options.json) return print(JSON.stringify({ folders }, null, 2));
  if (folders.length === 0) return print(`nothing is recorded for ${user}`);
  const rows = folders.map(({ conversationId, contributionId, objects }) => [
    folderName(conversationId, contributionId),
    String(objects),
  ]);
  print(table(['FOLDER', 'OBJECTS'], rows));
}

/** `folder` as `history list` prints it: `<Conversation-ID>/<Contribution-ID>`. */
export async function showHistory(user: string, folder: string, options: HistoryOptions): Promise<void> {
  const content = await ask<FolderContent>(options, 'GET', pathOf(user, folder));
  if (options.json) return print(JSON.stringify(content, null, 2));
  const rows = content.objects.map(({ uid, type, date, bytes }) => [String(uid), type, date, String(bytes)]);
  print(table(['UID', 'TYPE', 'DATE', 'BYTES'], rows));
  for (const [name, uid] of Object.entries(content.pointers)) print(`${name} = ${uid}`);
}

interface ExportOptions extends HistoryOptions {
  readonly to: string;
  readonly html?: string;
}

interface ExportedFolder extends FolderContent {
  readonly objects: readonly { uid: number; type: string; date: string; bytes: number; base64: string }[];
}

/** Writes each object as a file that mail programs open, and where it is asked for all of them as one page. */
export async function exportHistory(user: string, folder: string, options: ExportOptions): Promise<void> {
  const path = pathOf(user, folder);
  const { pointers, objects } = await ask<ExportedFolder>(options, 'GET', `${path}/export`);
  if (objects.length === 0) throw new CommandFailed(`nothing is recorded in ${folder} ("history list" prints folders)`);
  const page = options.html === undefined ? undefined : await askText(options, `${path}/page`);
  const files = objects.map(({ base64, ...object }) => {
    const file = join(options.to, `${String(Number(object.uid)).padStart(6, '0')}.eml`);
    write(file, Buffer.from(base64, 'base64'));
    return { file, ...object };
  });
  if (options.html !== undefined && page !== undefined) write(options.html, page);
  const html = options.html === undefined ? {} : { html: options.html };
  if (options.json) return print(JSON.stringify({ pointers, files, ...html }, null, 2));
  for (const { file, type } of files) print(`${file}  ${type}`);
  if (options.html !== undefined) print(options.html);
}

function write(file: string, content: string | Buffer): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  } catch (error) {
    throw new CommandFailed((error as Error).message);
  }
}

/** Both come from strangers, and either may have a slash in it. */
function folderName(conversationId: string, contributionId: string): string {
  return [conversationId, contributionId].map((id) => id.replace(/[%/]/g, encodeURIComponent)).join('/');
}

/** Path of a folder on the admin side. */
function pathOf(user: string, folder: string): string {
  const [conversationId, contributionId, ...rest] = folder
    .split('/')
    .map((id) => id.replace(/%(25|2F)/gi, decodeURIComponent));
  if (conversationId === undefined || contributionId === undefined || rest.length > 0) {
    throw new UsageError(`${folder}: a folder is <Conversation-ID>/<Contribution-ID>, as "history list" prints it`);
  }
  return `/api/history/${[user, conversationId, contributionId].map(encodeURIComponent).join('/')}`;
}
