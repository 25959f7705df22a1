/**
 * Who is in a conference, by what its focus says (RFC 4575): whole states, and changes to them. What is no such document
 * throws; a document has at most so many users, and each of them so much to say.
 */
import { type Element, named, parseXml } from '../xml/xml.ts';

/** JSON: it is stored with the session. */
export interface Conference {
  /** Version of the last document. */
  readonly version: number;
  /** True once a whole state has come, so that whoever is not in it is not there. */
  readonly whole: boolean;
  readonly users: readonly ConferenceUser[];
  /** Users that were there and have left. */
  readonly gone: readonly string[];
}

export interface ConferenceUser {
  /** `sip:carol@elsewhere.example` */
  readonly entity: string;
  readonly name: string;
  /** Endpoints that take part; null where the focus tells of none. */
  readonly endpoints: readonly string[] | null;
}

export const CONFERENCE_INFO = 'application/conference-info+xml';

/** A focus allows fewer users; more are not listed. */
const MOST_USERS = 1000;
/** Devices of one user. */
const MOST_ENDPOINTS = 16;
const MOST_LETTERS = 512;
const MOST_BYTES = 524_288;

/** RFC 4575 5.7.1: an endpoint in one of these takes part; one that is being called does not yet. */
const TAKING_PART = ['connected', 'on-hold', 'muted-via-focus'];

const UNKNOWN: Conference = { version: -1, whole: false, users: [], gone: [] };

/**
 * The conference after this document. The same object where it says nothing new: a change that is older than what is
 * known (RFC 4575 4.4), or that is not of users. Throws for what is no conference-info document.
 */
export function conferenceAfter(known: Conference | null, body: Uint8Array): Conference | null {
  if (body.length > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES} bytes`);
  const root = parseXml(new TextDecoder('utf-8', { fatal: true }).decode(body));
  if (root.name !== 'conference-info') throw new Error('it is no conference-info document');
  const version = Number(root.attributes.get('version') ?? Number.NaN);
  if (!Number.isSafeInteger(version) || version < 0) throw new Error('its version is no number');
  // Whole states begin a count anew where a subscription did; within one, SIP keeps them in order.
  const isWhole = stateOf(root) === 'full';
  if (!isWhole && known !== null && version <= known.version) return known;
  const [users] = named(root, 'users');
  if (stateOf(root) === 'deleted' || users === undefined) return known === null ? null : { ...known, version };
  return merged(known ?? UNKNOWN, users, version, isWhole);
}

/** A change keeps who it does not name; a whole list does not. */
function merged(known: Conference, list: Element, version: number, isWhole: boolean): Conference {
  const replaces = isWhole || stateOf(list) !== 'partial';
  const before = new Map(known.users.map((user) => [user.entity, user]));
  const after = new Map(replaces ? [] : before);
  for (const element of named(list, 'user')) {
    const entity = short(element.attributes.get('entity') ?? '');
    if (entity === '') continue;
    const user = stateOf(element) === 'deleted' ? undefined : userAfter(before.get(entity), entity, element);
    if (user !== undefined && (after.has(entity) || after.size < MOST_USERS)) after.set(entity, user);
    else after.delete(entity);
  }
  const left = [...known.gone, ...before.keys()].filter((entity) => !after.has(entity));
  return {
    version,
    whole: known.whole || replaces,
    users: [...after.values()],
    gone: [...new Set(left)].slice(-MOST_USERS),
  };
}

/** Undefined for one who does not take part, or no longer. */
function userAfter(known: ConferenceUser | undefined, entity: string, element: Element): ConferenceUser | undefined {
  const text = named(element, 'display-text')[0]?.text;
  const name = text === undefined ? (known?.name ?? '') : short(text);
  const told = named(element, 'endpoint');
  const before = stateOf(element) === 'partial' ? (known?.endpoints ?? null) : null;
  if (told.length === 0) return { entity, name, endpoints: before };
  const endpoints = new Set(before ?? []);
  for (const endpoint of told) {
    const address = short(endpoint.attributes.get('entity') ?? '');
    if (takesPart(endpoint, endpoints.has(address)) && endpoints.size < MOST_ENDPOINTS) endpoints.add(address);
    else endpoints.delete(address);
  }
  return endpoints.size === 0 ? undefined : { entity, name, endpoints: [...endpoints] };
}

function takesPart(endpoint: Element, before: boolean): boolean {
  if (stateOf(endpoint) === 'deleted') return false;
  const status = named(endpoint, 'status')[0]?.text;
  // A change that is silent about it changes nothing of it; a whole endpoint without a status is there.
  if (status === undefined) return before || stateOf(endpoint) === 'full';
  return TAKING_PART.includes(status);
}

/** RFC 4575 5.2 and others: `full` where nothing is said. */
function stateOf(element: Element): string {
  return element.attributes.get('state') ?? 'full';
}

function short(text: string): string {
  return text.slice(0, MOST_LETTERS);
}
