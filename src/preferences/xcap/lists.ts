/** Lists and what they link to, gathered within bounds (RFC 4826 3; A-36). Nothing here waits. */
import type { Documents, Known, Place } from './documents.ts';
import { type Link, linkOf } from './links.ts';
import { type ContactList, readResourceLists, selected } from './resource-lists.ts';

/** Every entry that can be reached. */
export interface Gathered {
  has(identity: string): boolean;
}

/** What looking at documents showed: how good it is, and what is worth asking for. */
export class Sight {
  readonly due = new Map<string, Place<unknown>>();
  /** Something was served as last known. */
  stale = false;
  /** Something is not known at all. */
  unknown = false;
  /** Links that were not followed: out of bounds, or to where we do not go. */
  unfollowed = 0;
  readonly #documents: Documents;
  /** When the question was asked, ms since the epoch. */
  readonly #since: number;

  constructor(documents: Documents, since: number) {
    this.#documents = documents;
    this.#since = since;
  }

  /** The document; undefined where it is not there or not known. */
  content<T>(place: Place<T>): T | undefined {
    const known: Known<T> = this.#documents.at(place, this.#since);
    if (known.state === 'due') this.due.set(place.url, place);
    if (known.state !== 'current') {
      if (known.content === undefined) this.unknown = true;
      else this.stale = true;
    }
    return known.content ?? undefined;
  }
}

export interface Gathering {
  readonly sight: Sight;
  readonly root: string;
  readonly identity: string | undefined;
  /** Links followed for one question. */
  readonly maxLinks: number;
}

/** The lists at these links, with the lists inside them and those they link to, each once. */
export function gather(links: readonly (Link | undefined)[], { sight, root, identity, maxLinks }: Gathering): Gathered {
  const sets: ReadonlySet<string>[] = [];
  const followed = new Set<string>();
  const waiting = [...links];
  while (waiting.length > 0) {
    const link = waiting.shift();
    if (link === undefined) {
      sight.unfollowed++;
      continue;
    }
    const name = JSON.stringify(link);
    if (followed.has(name)) continue;
    if (followed.size >= maxLinks) {
      sight.unfollowed += 1 + waiting.length;
      break;
    }
    followed.add(name);
    const lists = sight.content({ url: link.document, identity, read: readResourceLists });
    const list = lists === undefined ? undefined : selected(lists, link.steps);
    if (list !== undefined) waiting.push(...entered(list, sets).map((anchor) => linkOf(anchor, root)));
  }
  return { has: (identityKey) => sets.some((entries) => entries.has(identityKey)) };
}

/** Notes the entries of a list and of those inside it; the links that stand there. */
function entered(list: ContactList, sets: ReadonlySet<string>[]): string[] {
  sets.push(list.entries);
  return [...list.links, ...list.lists.flatMap((inner) => entered(inner, sets))];
}
