/**
 * What is known of folders without asking the server: which objects are in them, under which key and UID. It saves a
 * search before each object. Nothing here outlives a lost connection, since the server may have come back otherwise.
 */

export interface KnownFolder {
  /** UID of each object by its key: of all objects of the folder, where `complete`. */
  readonly uids: Map<string, number>;
  complete: boolean;
  /** Its pointers were looked at since it became known. */
  pointersSeen: boolean;
  uidValidity: string | undefined;
}

/** Folders that may be written to again soon; an older one is looked at anew. */
const MOST_FOLDERS = 5_000;

export class KnownFolders {
  readonly #folders = new Map<string, KnownFolder>();

  get(name: string): KnownFolder | undefined {
    return this.#folders.get(name);
  }

  /** `isNew`: just made, so that nothing is in it. */
  add(name: string, isNew: boolean): KnownFolder {
    const folder = { uids: new Map(), complete: isNew, pointersSeen: isNew, uidValidity: undefined };
    this.#folders.set(name, folder);
    if (this.#folders.size > MOST_FOLDERS) this.#folders.delete(this.#folders.keys().next().value as string);
    return folder;
  }

  /** RFC 3501 2.3.1.1: with another UIDVALIDITY every UID means another object. */
  note(folder: KnownFolder, uidValidity: string | undefined): void {
    if (folder.uidValidity !== undefined && folder.uidValidity !== uidValidity) {
      folder.uids.clear();
      folder.complete = false;
      folder.pointersSeen = false;
    }
    folder.uidValidity = uidValidity;
  }

  forget(name: string): void {
    this.#folders.delete(name);
  }

  clear(): void {
    this.#folders.clear();
  }
}
