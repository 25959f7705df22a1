/** One folder on one connection: what the store does with it, command by command (RFC 3501, 4315, 5464). */
import type { ImapAttribute, ImapResponse } from 'imapflow';
import { type Argument, type ImapConnection, Refused, tokenText } from './connection.ts';

/** Codes that say there is no such mailbox (RFC 3501 6.3.11, RFC 5530). */
const MISSING = new Set(['TRYCREATE', 'NONEXISTENT']);

export class Mailbox {
  readonly #connection: ImapConnection;
  readonly #path: string;

  /** `levels` are the folder's names from the root down. */
  constructor(connection: ImapConnection, levels: readonly string[]) {
    this.#connection = connection;
    this.#path = connection.prefix + levels.join(connection.delimiter);
  }

  /** True where it was not there before. */
  async create(): Promise<boolean> {
    try {
      await this.#connection.command('CREATE', [this.#name]);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // Servers older than RFC 5530 have no code for it.
      if (error.code === 'ALREADYEXISTS' || (error.code === '' && (await this.exists()))) return false;
      throw error;
    }
  }

  async exists(): Promise<boolean> {
    const status = await this.#unlessMissing(async () => {
      await this.#connection.command('STATUS', [this.#name, [atom('UIDNEXT')]]);
      return true;
    });
    return status !== null;
  }

  /** Null where the folder is not there. The UID is undefined where the server does not tell it. */
  append(message: Buffer): Promise<{ readonly uid?: number; readonly uidValidity?: string } | null> {
    return this.#unlessMissing(() => this.#connection.append(this.#path, message));
  }

  /** Several in one command (RFC 3502). Null where the folder is not there. */
  appendAll(
    messages: readonly Buffer[],
  ): Promise<{ readonly uids?: readonly number[]; readonly uidValidity?: string } | null> {
    return this.#unlessMissing(() => this.#connection.appendAll(this.#path, messages));
  }

  /** Makes it the current one; its UIDVALIDITY, or null where it is not there. */
  async select(): Promise<string | null> {
    let uidValidity = '';
    const take = (response: ImapResponse): void => {
      const section = response.attributes?.[0]?.section ?? [];
      if (tokenText(section[0]).toUpperCase() === 'UIDVALIDITY') uidValidity = tokenText(section[1]);
    };
    const selected = await this.#unlessMissing(async () => {
      await this.#connection.command('SELECT', [this.#name], { OK: take });
      return true;
    });
    return selected === null ? null : uidValidity;
  }

  /** UIDs of the objects in the selected folder whose header holds the text, in ascending order. */
  async search(header: string, text: string): Promise<number[]> {
    const uids: number[] = [];
    await this.#connection.command('UID SEARCH', [atom('UNDELETED'), atom('HEADER'), header, text], {
      SEARCH: ({ numbers, attributes }) =>
        uids.push(...(numbers ?? (attributes ?? []).map((token) => Number(tokenText(token))))),
    });
    return uids.sort((left, right) => left - right);
  }

  /** Every object of the selected folder, in the order of UIDs; or of each one header alone. */
  async fetch(header?: string): Promise<{ uid: number; content: Buffer }[]> {
    const found: { uid: number; content: Buffer }[] = [];
    const section = header === undefined ? [] : [atom('HEADER.FIELDS'), [atom(header)]];
    const body = { atom: 'BODY.PEEK', section };
    await this.#connection.command('UID FETCH', [{ sequence: '1:*' }, [atom('UID'), atom('FLAGS'), body]], {
      FETCH: ({ attributes }) => {
        const items = itemsOf(attributes?.[1]);
        const content = items.get('BODY')?.value;
        const deleted = listOf(items.get('FLAGS')).some((flag) => tokenText(flag).toLowerCase() === '\\deleted');
        const uid = Number(tokenText(items.get('UID')));
        if (!deleted && uid > 0)
          found.push({ uid, content: Buffer.isBuffer(content) ? content : Buffer.from(String(content ?? '')) });
      },
    });
    return found.sort((left, right) => left.uid - right.uid);
  }

  /** Removes one object for good; without UIDPLUS it is only marked, since an EXPUNGE would take its user's with it. */
  async remove(uid: number): Promise<void> {
    await this.#connection.command('UID STORE', [
      { sequence: String(uid) },
      atom('+FLAGS.SILENT'),
      [atom('\\Deleted')],
    ]);
    if (this.#connection.can('UIDPLUS')) await this.#connection.command('UID EXPUNGE', [{ sequence: String(uid) }]);
  }

  /** Metadata entries by name, in lower case; null where the folder is not there. */
  async metadata(entries: readonly string[]): Promise<Map<string, string> | null> {
    const found = new Map<string, string>();
    const take = ({ attributes }: ImapResponse): void => {
      for (const [entry, value] of itemsOf(attributes?.[1])) {
        if (value !== null) found.set(entry.toLowerCase(), tokenText(value));
      }
    };
    return this.#unlessMissing(async () => {
      await this.#connection.command('GETMETADATA', [this.#name, entries.map(atom)], { METADATA: take });
      return found;
    });
  }

  /** Null where the folder is not there. */
  setMetadata(entry: string, value: string): Promise<boolean | null> {
    return this.#unlessMissing(async () => {
      await this.#connection.command('SETMETADATA', [this.#name, [atom(entry), value]]);
      return true;
    });
  }

  get #name(): Argument {
    return this.#connection.encoded(this.#path);
  }

  async #unlessMissing<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refused && MISSING.has(error.code)) return null;
      // Servers that give no code, and Dovecot for SELECT and the metadata commands of some releases.
      if (error instanceof Refused && /(doesn't|does not) exist|no such mailbox|unknown mailbox/i.test(error.message)) {
        return null;
      }
      throw error;
    }
  }
}

export function atom(text: string): { readonly atom: string } {
  return { atom: text };
}

/** A list of names and values, as FETCH, STATUS and METADATA have it. */
export function itemsOf(list: ImapAttribute | undefined): Map<string, ImapAttribute> {
  const items = new Map<string, ImapAttribute>();
  const tokens = listOf(list);
  for (let at = 0; at + 1 < tokens.length; at += 2)
    items.set(tokenText(tokens[at]).toUpperCase(), tokens[at + 1] ?? null);
  return items;
}

export function listOf(token: ImapAttribute | undefined): readonly ImapAttribute[] {
  return Array.isArray(token) ? token : [];
}
