/**
 * Recorded conversations on their own: the SQLite driver that the server uses, written to, closed, opened again and
 * read. A driver of your own implements the same few operations; each one may be repeated and must then change nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type FolderRef, type HistoryDriver, type HistoryReader, sqliteHistory } from 'cpm-engine/history';

const folder: FolderRef = {
  user: 'sip:alice@home.example',
  conversationId: 'f00dfeed-1111-4d3e-9f4a-000000000001',
  contributionId: 'c0ffee00-1111-4a1b-8c2d-000000000001',
};

const object = ['From: <sip:alice@home.example>', 'Content-Type: text/plain', '', 'A note'].join('\r\n');

/** What the outbox does when a session begins: folder, object, pointer. Then all of it again, as after a crash. */
async function write(history: HistoryDriver, print: (line: string) => void): Promise<void> {
  const openFolder = promisify(history.openFolder.bind(history));
  const append = promisify(history.append.bind(history));
  const setPointer = promisify(history.setPointer.bind(history));
  for (const attempt of ['first', 'again']) {
    await openFolder(folder);
    const uid = await append(folder, 'session.example', object);
    await setPointer(folder, 'SessionInfoObjectID', uid ?? 0);
    print(`${attempt}: stored under UID ${uid}`);
  }
  print(`another key: stored under UID ${await append(folder, 'group-state.example', object)}`);
}

async function read(history: HistoryReader, print: (line: string) => void): Promise<void> {
  for (const { contributionId, objects } of (await promisify(history.folders.bind(history))(folder.user)) ?? []) {
    print(`folder ${contributionId} has ${objects} objects`);
  }
  for (const { uid, content } of (await promisify(history.objects.bind(history))(folder)) ?? []) {
    print(`UID ${uid}: ${content.split('\r\n')[1]}`);
  }
  print(`pointers: ${JSON.stringify(await promisify(history.pointers.bind(history))(folder))}`);
}

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'cpm-engine-history-'));
  const path = join(place, 'history.sqlite');

  const writing = sqliteHistory({ path, synchronous: 'full' });
  await write(writing, print);
  writing.close();

  const reading = sqliteHistory({ path });
  await read(reading, print);
  reading.close();
  rmSync(place, { recursive: true });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
