/**
 * A message store as the outbox uses it: folders, objects with UIDs, pointers. Every operation is harmless when it is
 * repeated with the same arguments, since a restart may repeat any of them.
 */
import type { FolderRef } from './intent.ts';

export type Done<T> = (error: Error | null, value?: T) => void;

/** Folder metadata entries of the CPM message store, by the last part of their names. */
export type Pointer = 'SessionInfoObjectID' | 'GroupStateObjectID';

/** The folder to be written to is not there; in an IMAP store its user may delete it at any time. */
export class NoFolder extends Error {
  constructor({ conversationId, contributionId }: FolderRef) {
    super(`no folder ${conversationId}/${contributionId}`);
    this.name = 'NoFolder';
  }
}

/** The store can't be reached at all, so whatever else is asked of it now would fail as well. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
}

/** An object and its key, as `append` takes them. */
export interface KeyedObject {
  readonly key: string;
  readonly object: string;
}

export interface HistoryDriver {
  /** Makes the folder if it is not there. */
  openFolder(folder: FolderRef, done: Done<void>): void;
  /**
   * Stores an object, a wire string: an RFC 5322 message, whose body may hold any bytes. The same key gives the same UID
   * and no second object.
   */
  append(folder: FolderRef, key: string, object: string, done: Done<number>): void;
  /** Stores several, in their order, in one go: all of them or none. Absent where that costs as much as one by one. */
  appendAll?(folder: FolderRef, objects: readonly KeyedObject[], done: Done<readonly number[]>): void;
  setPointer(folder: FolderRef, pointer: Pointer, uid: number, done: Done<void>): void;
  /** Null where it was never set. */
  getPointer(folder: FolderRef, pointer: Pointer, done: Done<number | null>): void;
  /** Removes an object for good; one that is not there is fine. */
  remove(folder: FolderRef, uid: number, done: Done<void>): void;
  /**
   * Does several operations as one write, where the store can; `work` must not wait. What it throws undoes all of it, and
   * it does where one of them fails.
   */
  together?(work: () => void): void;
  close(): void;
}

/** Reading back what was recorded. The embedded drivers answer at once. */
export interface HistoryReader {
  /** Folders of a user, newest last. */
  folders(user: string, done: Done<readonly FolderSummary[]>): void;
  objects(folder: FolderRef, done: Done<readonly StoredObject[]>): void;
  pointers(folder: FolderRef, done: Done<Readonly<Partial<Record<Pointer, number>>>>): void;
}

export interface FolderSummary extends FolderRef {
  readonly objects: number;
}

export interface StoredObject {
  readonly uid: number;
  /** The whole RFC 5322 message, a wire string. */
  readonly content: string;
}
