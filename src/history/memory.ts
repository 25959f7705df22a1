/** A message store in memory: for the virtual world, and for trying things out. It forgets everything at its end. */
import {
  type Done,
  type FolderSummary,
  type HistoryDriver,
  type HistoryReader,
  NoFolder,
  type Pointer,
  type StoredObject,
} from './driver.ts';
import type { FolderRef } from './intent.ts';

interface Folder {
  readonly ref: FolderRef;
  readonly objects: { readonly uid: number; readonly key: string; readonly content: string }[];
  readonly pointers: Partial<Record<Pointer, number>>;
  nextUid: number;
}

export class MemoryHistory implements HistoryDriver, HistoryReader {
  readonly #folders = new Map<string, Folder>();

  openFolder(folder: FolderRef, done: Done<void>): void {
    const key = keyOf(folder);
    if (!this.#folders.has(key)) this.#folders.set(key, { ref: folder, objects: [], pointers: {}, nextUid: 1 });
    done(null);
  }

  append(folder: FolderRef, key: string, object: string, done: Done<number>): void {
    const found = this.#folders.get(keyOf(folder));
    if (found === undefined) return done(new NoFolder(folder));
    const known = found.objects.find((stored) => stored.key === key);
    const uid = known?.uid ?? found.nextUid++;
    if (known === undefined) found.objects.push({ uid, key, content: object });
    done(null, uid);
  }

  setPointer(folder: FolderRef, pointer: Pointer, uid: number, done: Done<void>): void {
    const found = this.#folders.get(keyOf(folder));
    if (found === undefined) return done(new NoFolder(folder));
    found.pointers[pointer] = uid;
    done(null);
  }

  getPointer(folder: FolderRef, pointer: Pointer, done: Done<number | null>): void {
    done(null, this.#folders.get(keyOf(folder))?.pointers[pointer] ?? null);
  }

  remove(folder: FolderRef, uid: number, done: Done<void>): void {
    const objects = this.#folders.get(keyOf(folder))?.objects;
    const at = objects?.findIndex((stored) => stored.uid === uid) ?? -1;
    if (at >= 0) objects?.splice(at, 1);
    done(null);
  }

  folders(user: string, done: Done<readonly FolderSummary[]>): void {
    const all = [...this.#folders.values()].filter((folder) => folder.ref.user === user);
    done(
      null,
      all.map((folder) => ({ ...folder.ref, objects: folder.objects.length })),
    );
  }

  objects(folder: FolderRef, done: Done<readonly StoredObject[]>): void {
    const objects = this.#folders.get(keyOf(folder))?.objects ?? [];
    done(
      null,
      objects.map(({ uid, content }) => ({ uid, content })),
    );
  }

  pointers(folder: FolderRef, done: Done<Readonly<Partial<Record<Pointer, number>>>>): void {
    done(null, { ...this.#folders.get(keyOf(folder))?.pointers });
  }

  close(): void {}
}

function keyOf(folder: FolderRef): string {
  return `${folder.user}\n${folder.conversationId}\n${folder.contributionId}`;
}
