/** The message store of an operator: an IMAP server with METADATA (digest 3.3, RFC 3501, RFC 4315, RFC 5464). */
import {
  type Done,
  type FolderSummary,
  type HistoryDriver,
  type HistoryReader,
  type KeyedObject,
  NoFolder,
  type Pointer,
  StoreAway,
  type StoredObject,
} from '../driver.ts';
import type { FolderRef } from '../intent.ts';
import { ImapConnection } from './connection.ts';
import { folderName } from './folder-name.ts';
import { type KnownFolder, KnownFolders } from './known-folders.ts';
import { listFolders } from './list.ts';
import { Mailbox } from './mailbox.ts';
import { asGiven, KEY_HEADER, keyToken, stored } from './object-form.ts';
import {
  addressOf,
  DEFAULT_CONNECTIONS,
  DEFAULT_METADATA_PREFIX,
  DEFAULT_ROOT,
  type ImapHistoryOptions,
  loginOf,
} from './options.ts';
import { ImapPool } from './pool.ts';

/** What the objects are that the pointers point to. */
const TYPES: Readonly<Record<Pointer, string>> = {
  SessionInfoObjectID: 'application/x-cpm-session',
  GroupStateObjectID: 'application/group-state-object+xml',
};

const POINTERS = Object.keys(TYPES) as Pointer[];

/** Throws a TypeError where the options can't be right. Connects when there is something to do. */
export function imapHistory(options: ImapHistoryOptions): ImapHistory {
  addressOf(options.url);
  const { root = DEFAULT_ROOT } = options;
  if (/[\p{Cc}%*"\\]|^\/|\/\/|\/$|^$/u.test(root)) throw new TypeError(`root: ${JSON.stringify(root)} is no folder`);
  return new ImapHistory(options);
}

export class ImapHistory implements HistoryDriver, HistoryReader {
  readonly #options: ImapHistoryOptions;
  readonly #root: readonly string[];
  readonly #prefix: string;
  readonly #pool: ImapPool;
  readonly #known = new KnownFolders();

  constructor(options: ImapHistoryOptions) {
    this.#options = options;
    this.#root = (options.root ?? DEFAULT_ROOT).split('/');
    this.#prefix = options.metadataPrefix ?? DEFAULT_METADATA_PREFIX;
    this.#pool = new ImapPool({
      size: options.connections ?? DEFAULT_CONNECTIONS,
      open: async (login) => {
        const connection = await ImapConnection.open(options, login);
        connection.onLost = () => this.#known.clear();
        return connection;
      },
    });
  }

  /** Connections with and without work. */
  get connections(): { readonly busy: number; readonly idle: number } {
    return this.#pool.connections;
  }

  openFolder(folder: FolderRef, done: Done<void>): void {
    const name = nameOf(folder);
    if (this.#known.get(name) !== undefined) return done(null);
    this.#do(folder, done, async (mailbox) => {
      this.#known.add(name, await mailbox.create());
    });
  }

  append(folder: FolderRef, key: string, object: string, done: Done<number>): void {
    this.#do(folder, done, async (mailbox) => {
      const known = await this.#looked(folder, mailbox);
      return this.#once(folder, known, mailbox, { key, object });
    });
  }

  /** RFC 3502 MULTIAPPEND: one command and one answer for all of them; without it one after the other. */
  appendAll(folder: FolderRef, objects: readonly KeyedObject[], done: Done<readonly number[]>): void {
    this.#do(folder, done, async (mailbox, connection) => {
      const known = await this.#looked(folder, mailbox);
      const fresh = objects.filter(({ key }) => !known.uids.has(keyToken(key)));
      if (fresh.length > 1 && connection.can('MULTIAPPEND')) await this.#storeAll(folder, known, mailbox, fresh);
      const uids: number[] = [];
      for (const object of objects) uids.push(await this.#once(folder, this.#folder(folder), mailbox, object));
      return uids;
    });
  }

  /** The folder with every key that is in it. */
  async #looked(folder: FolderRef, mailbox: Mailbox): Promise<KnownFolder> {
    const known = this.#folder(folder);
    if (!known.complete) await this.#learn(folder, known, mailbox);
    return known;
  }

  #folder(folder: FolderRef): KnownFolder {
    return this.#known.get(nameOf(folder)) ?? this.#known.add(nameOf(folder), false);
  }

  async #once(folder: FolderRef, known: KnownFolder, mailbox: Mailbox, { key, object }: KeyedObject): Promise<number> {
    const token = keyToken(key);
    const uid = known.uids.get(token) ?? (await this.#store(folder, known, mailbox, token, stored(key, object)));
    known.uids.set(token, uid);
    return uid;
  }

  async #storeAll(
    folder: FolderRef,
    known: KnownFolder,
    mailbox: Mailbox,
    objects: readonly KeyedObject[],
  ): Promise<void> {
    const answer = await mailbox.appendAll(objects.map(({ key, object }) => stored(key, object)));
    if (answer === null) throw this.#missing(folder);
    const { uids, uidValidity } = answer;
    if (uids?.length !== objects.length) {
      // RFC 4315 is not there: they are found by their keys.
      known.complete = false;
      return this.#learn(folder, known, mailbox);
    }
    this.#known.note(known, uidValidity);
    for (const [at, { key }] of objects.entries()) known.uids.set(keyToken(key), uids[at] as number);
  }

  setPointer(folder: FolderRef, pointer: Pointer, uid: number, done: Done<void>): void {
    this.#do(folder, done, async (mailbox, connection) => {
      // Without METADATA nothing can be set; there the objects are found by their types.
      if (!connection.can('METADATA')) return;
      if ((await mailbox.setMetadata(this.#prefix + pointer, String(uid))) === null) throw this.#missing(folder);
    });
  }

  getPointer(folder: FolderRef, pointer: Pointer, done: Done<number | null>): void {
    this.#do(folder, done, (mailbox, connection) => this.#pointer(folder, pointer, mailbox, connection));
  }

  remove(folder: FolderRef, uid: number, done: Done<void>): void {
    this.#do(folder, done, async (mailbox) => {
      this.#known.forget(nameOf(folder));
      if ((await mailbox.select()) !== null) await mailbox.remove(uid);
    });
  }

  folders(user: string, done: Done<readonly FolderSummary[]>): void {
    this.#on(user, done, (connection) => listFolders(connection, this.#root, user));
  }

  objects(folder: FolderRef, done: Done<readonly StoredObject[]>): void {
    this.#do(folder, done, async (mailbox) => {
      if ((await mailbox.select()) === null) return [];
      return (await mailbox.fetch()).map(({ uid, content }) => ({ uid, content: asGiven(content).object }));
    });
  }

  pointers(folder: FolderRef, done: Done<Readonly<Partial<Record<Pointer, number>>>>): void {
    this.#do(folder, done, async (mailbox, connection) => {
      const found: Partial<Record<Pointer, number>> = {};
      for (const pointer of POINTERS) {
        const uid = await this.#pointer(folder, pointer, mailbox, connection);
        if (uid !== null) found[pointer] = uid;
      }
      return found;
    });
  }

  close(): void {
    this.#pool.close();
  }

  /** Every key in the folder, so that from here on no object need be looked for. */
  async #learn(folder: FolderRef, known: KnownFolder, mailbox: Mailbox): Promise<void> {
    const uidValidity = await mailbox.select();
    if (uidValidity === null) throw this.#missing(folder);
    this.#known.note(known, uidValidity);
    for (const { uid, content } of await mailbox.fetch(KEY_HEADER)) {
      const { token } = asGiven(content);
      if (token !== undefined && !known.uids.has(token)) known.uids.set(token, uid);
    }
    known.complete = true;
  }

  async #store(
    folder: FolderRef,
    known: KnownFolder,
    mailbox: Mailbox,
    token: string,
    object: Buffer,
  ): Promise<number> {
    const answer = await mailbox.append(object);
    if (answer === null) throw this.#missing(folder);
    if (answer.uid !== undefined) {
      this.#known.note(known, answer.uidValidity);
      return answer.uid;
    }
    // RFC 4315 is not there: the object is found by its key, as the newest that has it.
    this.#known.note(known, (await mailbox.select()) ?? undefined);
    const uid = (await mailbox.search(KEY_HEADER, token)).at(-1);
    if (uid === undefined) throw new Error('the server does not find what it has stored');
    return uid;
  }

  async #pointer(
    folder: FolderRef,
    pointer: Pointer,
    mailbox: Mailbox,
    connection: ImapConnection,
  ): Promise<number | null> {
    const entry = this.#prefix + pointer;
    const entries = connection.can('METADATA') ? await mailbox.metadata([entry]) : new Map<string, string>();
    if (entries === null) return null;
    const value = Number(entries.get(entry.toLowerCase()) ?? Number.NaN);
    const uid = Number.isSafeInteger(value) && value > 0 ? value : null;
    if (this.#known.get(nameOf(folder))?.pointersSeen === true && connection.can('METADATA')) return uid;
    return this.#checked(pointer, uid, mailbox, connection);
  }

  /**
   * A pointer that is not known to be right: a crash may have come before it was set, or UIDVALIDITY changed since. If
   * it does not point to an object of its type and there is one, it is set to that: the first Session Info Object
   * the last Group State Object.
   */
  async #checked(
    pointer: Pointer,
    uid: number | null,
    mailbox: Mailbox,
    connection: ImapConnection,
  ): Promise<number | null> {
    if ((await mailbox.select()) === null) return null;
    const uids = await mailbox.search('Content-Type', TYPES[pointer]);
    const right = pointer === 'SessionInfoObjectID' ? uids[0] : uids.at(-1);
    if (right === undefined || (uid !== null && uids.includes(uid))) return uid;
    if (connection.can('METADATA')) await mailbox.setMetadata(this.#prefix + pointer, String(right));
    return right;
  }

  #missing(folder: FolderRef): NoFolder {
    this.#known.forget(nameOf(folder));
    return new NoFolder(folder);
  }

  #do<T>(folder: FolderRef, done: Done<T>, work: (mailbox: Mailbox, connection: ImapConnection) => Promise<T>): void {
    const { conversationId, contributionId } = folder;
    const levels = [...this.#root, folderName(conversationId), folderName(contributionId)];
    this.#on(folder.user, done, (connection) => work(new Mailbox(connection, levels), connection));
  }

  #on<T>(user: string, done: Done<T>, work: (connection: ImapConnection) => Promise<T>): void {
    let login: string;
    try {
      login = loginOf(user, this.#options.user);
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#pool.run(login, work).then(
      (value) => done(null, value),
      (error: Error) => {
        // Whether the server has done what was under way, nobody knows.
        if (error instanceof StoreAway) this.#known.clear();
        done(error);
      },
    );
  }
}

function nameOf({ user, conversationId, contributionId }: FolderRef): string {
  return `${user}\n${conversationId}\n${contributionId}`;
}
