/** `cpm-engine history`: what a running server has recorded for a user. */
import { type AdminOptions, ask } from './admin-client.ts';
import { print, table, UsageError } from './output.ts';

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
    `${conversationId}/${contributionId}`,
    String(objects),
  ]);
  print(table(['FOLDER', 'OBJECTS'], rows));
}

/** `folder` as `history list` prints it: `<Conversation-ID>/<Contribution-ID>`. */
export async function showHistory(user: string, folder: string, options: HistoryOptions): Promise<void> {
  const slash = folder.indexOf('/');
  if (slash < 0)
    throw new UsageError(`${folder}: a folder is <Conversation-ID>/<Contribution-ID>, as "history list" prints it`);
  const path = [user, folder.slice(0, slash), folder.slice(slash + 1)].map(encodeURIComponent).join('/');
  const content = await ask<FolderContent>(options, 'GET', `/api/history/${path}`);
  if (options.json) return print(JSON.stringify(content, null, 2));
  const rows = content.objects.map(({ uid, type, date, bytes }) => [String(uid), type, date, String(bytes)]);
  print(table(['UID', 'TYPE', 'DATE', 'BYTES'], rows));
  for (const [name, uid] of Object.entries(content.pointers)) print(`${name} = ${uid}`);
}
