/**
 * Preferences in an XCAP server (8.4.1): user access rules, and lists of blocked contacts. A call waits for them no
 * longer than `timeoutMs`; then what was known last counts, and where nothing was known, the safe default.
 */
import type { ProfileQuery } from '../../engine/ports.ts';
import { identityKey } from '../../sip/message/uri.ts';
import type { Clock } from '../../time/clock.ts';
import { blacklistedBy, type Preferences, type PreferencesSource } from '../preferences.ts';
import { type Asked, holds } from '../rules.ts';
import { type AccessRule, type RuleActions, readAccessRules } from './access-rules.ts';
import { type Credentials, type CredentialsOptions, credentialsOf } from './credentials.ts';
import { Documents } from './documents.ts';
import { type Link, linkOf } from './links.ts';
import { type Gathering, gather, Sight } from './lists.ts';
import { request } from './request.ts';

export interface XcapOptions {
  readonly clock: Clock;
  /** Random text for digest authentication. */
  readonly cnonce: () => string;
  /** XCAP root, an http or https URL. */
  readonly root: string;
  readonly timeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Paths below the root; `{user}` is the user's address. */
  readonly rulesDocument: string;
  readonly listsDocument: string;
  /** Names of the lists that are the blacklist. */
  readonly blacklistNames: readonly string[];
  /** X-3GPP-Asserted-Identity: the user's address, this address, or no such header. */
  readonly assertedIdentity: 'user' | 'none' | string;
  readonly credentials?: CredentialsOptions | undefined;
  readonly maxAgeMs: number;
  readonly staleMs: number;
  readonly pauseMs: number;
  readonly cacheBytes: number;
  readonly maxDocumentBytes: number;
  readonly maxLinks: number;
  readonly maxRequests: number;
  /** Asked anew each time, since a reload may change them. */
  readonly defaults: () => { readonly allowOfflineStorage: boolean; readonly dndIgnoresConditions: boolean };
  /** Told when the server begins to fail, and when it answers again (null). */
  readonly onFailing?: (error: string | null) => void;
}

/** Questions by how they were answered. */
export interface XcapAnswers {
  /** All was at hand. */
  cached: number;
  /** The server was asked. */
  asked: number;
  /** Something was as last known. */
  stale: number;
  /** Something was not known at all. */
  assumed: number;
}

/** Documents that link to documents: rounds of asking for one question. */
const MAX_ROUNDS = 6;

export class XcapPreferences implements PreferencesSource {
  readonly answers: XcapAnswers = { cached: 0, asked: 0, stale: 0, assumed: 0 };
  readonly documents: Documents;
  /** Links in lists that were not followed: too many, or to another server. */
  unfollowedLinks = 0;
  readonly #options: XcapOptions;
  readonly #credentials: Credentials;
  readonly #closing = new AbortController();
  #failing = false;

  constructor(options: XcapOptions) {
    this.#options = options;
    this.#credentials = credentialsOf(options.credentials, options.cnonce);
    this.documents = new Documents({
      ...options,
      request: (question) => request(question, { ...options, credentials: this.#credentials }, this.#closing.signal),
    });
  }

  ask(user: string, query: ProfileQuery, done: (preferences: Preferences) => void): void {
    const since = this.#options.clock.now();
    const first = this.#look(user, query, since);
    if (first.sight.due.size === 0) return this.#answer(first, 'cached', done);
    let answered = false;
    const answer = (look: Look): void => {
      if (answered) return;
      answered = true;
      timer.cancel();
      this.#answer(look, 'asked', done);
    };
    const { clock, timeoutMs } = this.#options;
    const timer = clock.schedule(
      timeoutMs,
      { onTimer: () => answer(this.#look(user, query, since)) },
      'preferencesOverdue',
    );
    void this.#asked(first, user, query, since).then(answer);
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.abort();
  }

  async #asked(first: Look, user: string, query: ProfileQuery, since: number): Promise<Look> {
    let look = first;
    const asked = new Set<string>();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const due = [...look.sight.due.values()].filter(({ url }) => !asked.has(url));
      if (due.length === 0) break;
      for (const { url } of due) asked.add(url);
      await Promise.all(due.map((place) => this.documents.load(place)));
      this.#tellFailing();
      look = this.#look(user, query, since);
    }
    return look;
  }

  #answer({ sight, preferences }: Look, how: 'cached' | 'asked', done: (preferences: Preferences) => void): void {
    this.answers[sight.unknown ? 'assumed' : sight.stale ? 'stale' : how]++;
    this.unfollowedLinks += sight.unfollowed;
    done(preferences);
  }

  #tellFailing(): void {
    const { lastError } = this.documents;
    if ((lastError !== null) === this.#failing) return;
    this.#failing = lastError !== null;
    this.#options.onFailing?.(lastError);
  }

  /** What is known now, and what is worth asking for. */
  #look(user: string, query: ProfileQuery, since: number): Look {
    const { root, rulesDocument, listsDocument, blacklistNames, maxLinks, assertedIdentity } = this.#options;
    const sight = new Sight(this.documents, since);
    const identity =
      assertedIdentity === 'none' ? undefined : assertedIdentity === 'user' ? xui(user) : assertedIdentity;
    const gathering: Gathering = { sight, root, identity, maxLinks };
    const rules = sight.content({ url: this.#url(rulesDocument, user), identity, read: readAccessRules });
    const withoutRules = sight.unknown;
    const document = this.#url(listsDocument, user);
    const blacklist = gather(
      blacklistNames.map((name): Link => ({ document, steps: [listNamed(name)] })),
      gathering,
    );
    const wishes = withoutRules ? this.#unknown(query) : wishesOf(rules ?? [], this.#asking(query, gathering));
    const blacklisted = blacklistedBy(query).some((asking) => blacklist.has(asking));
    return { sight, preferences: { ...wishes, blacklisted } };
  }

  /** where the rules can not be had. */
  #unknown(query: ProfileQuery): Omit<Preferences, 'blacklisted'> {
    const allowOfflineStorage = query.allowOfflineStorage ?? this.#options.defaults().allowOfflineStorage;
    return { allowOfflineStorage, doNotDisturb: false, interworking: null };
  }

  #asking(query: ProfileQuery, gathering: Gathering): Asking {
    const { root } = this.#options;
    return {
      ...query,
      isListed: (anchor, identity) => gather([linkOf(anchor, root)], gathering).has(identity),
      dndIgnoresConditions: this.#options.defaults().dndIgnoresConditions,
    };
  }

  #url(path: string, user: string): string {
    const root = this.#options.root.replace(/\/$/, '');
    return `${root}/${path.replace('{user}', () => segment(xui(user)))}`;
  }
}

interface Look {
  readonly sight: Sight;
  readonly preferences: Preferences;
}

interface Asking extends Asked {
  readonly dndIgnoresConditions: boolean;
}

function wishesOf(rules: readonly AccessRule[], asked: Asking): Omit<Preferences, 'blacklisted'> {
  const inForce = rules.filter((rule) => holds(rule, rules, asked)).map(({ actions }) => actions);
  const disturbing = asked.dndIgnoresConditions ? rules.map(({ actions }) => actions) : inForce;
  return {
    allowOfflineStorage: combined(inForce, 'allowOfflineStorage') ?? false,
    doNotDisturb: combined(disturbing, 'doNotDisturb') ?? false,
    interworking: combined(inForce, 'interworking'),
  };
}

/** RFC 4745 10.2: of all rules in force, one that says yes is enough; null where none says anything. */
function combined(rules: readonly RuleActions[], action: keyof RuleActions): boolean | null {
  const said = rules.map((actions) => actions[action]).filter((value) => value !== undefined);
  return said.length === 0 ? null : said.includes(true);
}

function listNamed(name: string): Link['steps'][number] {
  return { name: 'list', attribute: { name: 'name', value: name }, position: null };
}

/** The user's address as XCAP knows it (RFC 4825 6.2): without parameters, in one spelling. */
function xui(user: string): string {
  return identityKey(user);
}

/** One step of a path. Colon, at and plus may stand there as they are (RFC 3986 3.3), and servers expect them so. */
function segment(text: string): string {
  return encodeURIComponent(text).replace(/%3A/g, ':').replace(/%40/g, '@').replace(/%2B/g, '+');
}
