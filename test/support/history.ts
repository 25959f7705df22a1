/** What is in the message store, read back through its own interface. */

import type { HistoryDriver, HistoryReader, Pointer, StoredObject } from '../../src/history/driver.ts';
import type { FolderRef } from '../../src/history/intent.ts';
import type { World } from '../../src/testing/index.ts';

function now<T>(ask: (done: (error: Error | null, value?: T) => void) => void): T {
  let result: T | undefined;
  ask((error, value) => {
    if (error !== null) throw error;
    result = value;
  });
  return result as T;
}

const reader = (world: World): HistoryReader => world.pf.history as HistoryDriver & HistoryReader;

export function objects(world: World, folder: FolderRef): readonly StoredObject[] {
  return now((done) => reader(world).objects(folder, done));
}

export function pointers(world: World, folder: FolderRef): Partial<Record<Pointer, number>> {
  return now((done) => reader(world).pointers(folder, done));
}

export function folders(world: World, user: string) {
  return now<readonly (FolderRef & { objects: number })[]>((done) => reader(world).folders(user, done));
}

/** Content types of the objects in a folder, by UID. */
export function types(world: World, folder: FolderRef): Record<number, string> {
  return Object.fromEntries(
    objects(world, folder).map(({ uid, content }) => [uid, /^Content-Type: (.*)$/m.exec(content)?.[1]?.trim() ?? '']),
  );
}
