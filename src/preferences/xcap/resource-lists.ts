/** Lists of identities (RFC 4826 3): entries, lists inside lists, and links to lists and entries elsewhere. */
import { identityKey } from '../../sip/message/uri.ts';
import { type Element, parseXml } from '../../xml/xml.ts';
import type { Step } from './links.ts';

export interface ContactList {
  readonly name: string | null;
  /** Identity keys. */
  readonly entries: ReadonlySet<string>;
  readonly lists: readonly ContactList[];
  /** Links as they stand there: `external` anchors and `entry-ref` references. */
  readonly links: readonly string[];
}

/** Throws, saying what is wrong, where the document holds no lists. */
export function readResourceLists(text: string): ContactList {
  const root = parseXml(text);
  if (root.name !== 'resource-lists') throw new Error(`expected resource-lists, found ${root.name.slice(0, 40)}`);
  return listOf(root);
}

function listOf(element: Element): ContactList {
  const entries = new Set<string>();
  const lists: ContactList[] = [];
  const links: string[] = [];
  for (const { name, attributes, ...child } of element.children) {
    if (name === 'list') lists.push(listOf({ name, attributes, ...child }));
    else if (name === 'entry') entries.add(identityKey(attributes.get('uri') ?? ''));
    else if (name === 'external') links.push(attributes.get('anchor') ?? '');
    else if (name === 'entry-ref') links.push(attributes.get('ref') ?? '');
  }
  return { name: element.attributes.get('name') ?? null, entries, lists, links };
}

/** What the steps of a link lead to; undefined where there is nothing. An entry is a list of that entry alone. */
export function selected(root: ContactList, steps: readonly Step[]): ContactList | undefined {
  let at: ContactList = root;
  for (const step of steps) {
    const next = step.name === 'entry' ? entryAt(at, step) : listAt(at, step);
    if (next === undefined) return undefined;
    at = next;
  }
  return at;
}

function listAt({ lists }: ContactList, { name, attribute, position }: Step): ContactList | undefined {
  if (name !== 'list' && name !== '*') return undefined;
  const placed = position === null ? lists : lists.slice(position - 1, position);
  if (attribute === null) return placed[0];
  return attribute.name === 'name' ? placed.find((list) => list.name === attribute.value) : undefined;
}

function entryAt({ entries }: ContactList, { attribute }: Step): ContactList | undefined {
  if (attribute?.name !== 'uri') return undefined;
  const key = identityKey(attribute.value);
  return entries.has(key) ? { name: null, entries: new Set([key]), lists: [], links: [] } : undefined;
}
