/**
 * Processes that write a session store and are killed with SIGKILL one after the other, wherever they are: what one had
 * heard is stored is there in the next (digest 2.3, invariant 15). On files of this machine, with segments so small that
 * the database is written all the time.
 */
import { cpSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { sqliteSessions } from '../../src/store/sqlite.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

const WRITER = join(import.meta.dirname, '..', 'support', 'store-writer.mjs');
const KILLS = 6;

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

it.each(['normal', 'full'] as const)('synchronous: %s', async (synchronous) => {
  const path = join(scene.folder, 'written', 'sessions.sqlite');
  /** What the writers have heard. */
  const stored = new Map<string, string>();
  for (let round = 0; round < KILLS; round++) {
    const writer = scene.start(process.execPath, [WRITER, path, synchronous, `${round}`]);
    const gone = new Promise((resolve) => writer.child.once('exit', resolve));
    // A different moment each time; the first one within the first segment.
    await until(
      'it writes',
      async () => writer.stdout.length > 3_000 + round * 41_777 || writer.child.exitCode !== null,
    );
    writer.child.kill('SIGKILL');
    await gone;
    expect(writer.stderr).toBe('');
    const lines = writer.stdout.split('\n').slice(0, -1);
    for (const line of lines) if (line.startsWith('did ')) note(stored, line);
    const last = lines.at(-1) ?? '';
    if (!last.startsWith('try ')) {
      expect(contentsOf(path)).toEqual(Object.fromEntries(stored));
      continue;
    }
    // It may have been killed before the store had the last one, or before it could say so.
    const more = note(new Map(stored), last);
    const found = contentsOf(path);
    expect([Object.fromEntries(stored), Object.fromEntries(more)]).toContainEqual(found);
    stored.clear();
    for (const [id, version] of Object.entries(found)) stored.set(id, version);
  }
  expect(stored.size).toBeGreaterThan(20);
});

function note(stored: Map<string, string>, line: string): Map<string, string> {
  const [, id, version] = line.split(' ') as [string, string, string];
  if (version === 'over') stored.delete(id);
  else stored.set(id, version);
  return stored;
}

/** What a next process finds. In a copy, so that the next writer finds all as it was left. */
function contentsOf(path: string): Record<string, string> {
  const copy = join(scene.folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  cpSync(dirname(path), copy, { recursive: true });
  const store = sqliteSessions({ path: join(copy, basename(path)) });
  const found: Record<string, string> = {};
  store.load((id, origin, state) => {
    expect(origin).toBe(`origin of ${id}`);
    found[id] = state.split(' ')[0] as string;
  });
  store.close();
  return found;
}
