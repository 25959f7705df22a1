/** The users this function serves, their preferences and lists, by any of their addresses. */
import { identityKey } from '../sip/message/uri.ts';
import type { Rule } from './rules.ts';

export interface User {
  /** The user's own address; names the mailbox. */
  readonly address: string;
  /** Class by which policy rules know the user; absent leaves it to the address. */
  readonly userClass?: string | undefined;
  /** Services the user may use; null means all. */
  readonly services: readonly string[] | null;
  /** Absent in the preferences means no. */
  readonly allowOfflineStorage: boolean;
  /** Always, never, or by rules. */
  readonly doNotDisturb: boolean | readonly Rule[];
  readonly interworking: boolean | null;
  /** Identity keys. */
  readonly blacklist: ReadonlySet<string>;
  readonly clients: readonly StaticClient[];
}

export interface StaticClient {
  readonly contact: string;
  readonly instance: string;
  readonly services: readonly string[];
  readonly media: readonly string[];
}

/** Look-up by any address or alias of a user, in any spelling. */
export class UserDirectory {
  readonly #byKey = new Map<string, User>();
  readonly users: readonly User[];

  constructor(users: Iterable<{ readonly user: User; readonly aliases: readonly string[] }>) {
    const all: User[] = [];
    for (const { user, aliases } of users) {
      all.push(user);
      for (const address of [user.address, ...aliases]) this.#byKey.set(identityKey(address), user);
    }
    this.users = all;
  }

  find(address: string): User | undefined {
    return this.#byKey.get(identityKey(address));
  }

  /** Addresses and aliases known. */
  get size(): number {
    return this.#byKey.size;
  }
}
