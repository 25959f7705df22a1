/**
 * What the messages of a run say: transactions each way, and the dialogs of which the function itself was an end. Read
 * from the wire alone; only the mode of a session comes from its recorded states.
 */
import { parseNameAddress } from '../../sip/message/address.ts';
import { bytesOfWire } from '../../sip/message/bytes.ts';
import type { AnyMessage, SipRequest, SipResponse } from '../../sip/message/message.ts';
import { parseMessage } from '../../sip/message/parse.ts';
import { isSipUri, parseUri } from '../../sip/message/uri.ts';
import type { Chronicle, StateEntry } from '../chronicle.ts';

export interface Sighting<M extends AnyMessage = AnyMessage> {
  /** Place in the chronicle. */
  readonly order: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly way: 'in' | 'out';
  /** Address of the other side, `host:port`. */
  readonly peer: string;
  readonly message: M;
}

/** A request with its copies, and the responses to it. */
export interface TransactionSeen {
  readonly way: 'in' | 'out';
  readonly method: string;
  readonly request: SipRequest;
  /** The first sighting and its copies. */
  readonly sightings: Sighting<SipRequest>[];
  readonly responses: Sighting<SipResponse>[];
}

/** A dialog in which the function was the user agent; of {@link Wire.dialogs}, one that a 2xx confirmed. */
export interface DialogSeen {
  /** Session and leg, `<key>.b`. */
  readonly leg: string;
  readonly session: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly invite: TransactionSeen;
  /** The responses that made it, copies included. */
  readonly answers: Sighting<SipResponse>[];
  /** True where the function sent the INVITE. */
  readonly outgoing: boolean;
}

export interface SessionSeen {
  readonly id: string;
  readonly states: { readonly order: number; readonly entry: StateEntry }[];
  mode: string | null;
}

/** How it is told whose a dialog or an INVITE is. */
export interface Attribution {
  /** Of a dialog that this INVITE began, with our tag in it. A session that is not known counts as none of ours. */
  legOf(invite: SipRequest, way: 'in' | 'out', localTag: string): { readonly session: string; readonly leg: string };
  /** The session that passed this INVITE on. */
  proxiedBy(invite: SipRequest): string | undefined;
}

/** By the tags and routes that this function makes: both begin with the session's key. */
const BY_OWN_NAMES: Attribution = {
  legOf: (_invite, _way, localTag) => ({
    session: localTag.slice(0, Math.max(0, localTag.indexOf('.'))),
    leg: localTag.split('.').slice(0, 2).join('.'),
  }),
  proxiedBy: (invite) => {
    const entry = invite.list('record-route')[0];
    const uri = entry === undefined ? undefined : parseUri(parseNameAddress(entry)?.uri ?? '');
    return uri !== undefined && isSipUri(uri) ? uri.user : undefined;
  },
};

export class Wire {
  readonly chronicle: Chronicle;
  readonly #attribution: Attribution;
  readonly transactions: TransactionSeen[] = [];
  readonly dialogs: DialogSeen[] = [];
  readonly sessions = new Map<string, SessionSeen>();
  /** Sessions in proxy mode by Call-ID. */
  readonly proxied = new Map<string, Set<string>>();
  /** Times at which the process was killed, and started again; ms since the epoch. */
  readonly crashes: { readonly at: number; until: number }[] = [];
  readonly #byKey = new Map<string, TransactionSeen>();
  readonly #requests = new Map<string, TransactionSeen[]>();
  readonly #parsed = new Map<string, AnyMessage | undefined>();

  constructor(chronicle: Chronicle, attribution: Attribution = BY_OWN_NAMES) {
    this.chronicle = chronicle;
    this.#attribution = attribution;
    chronicle.entries.forEach((entry, order) => {
      if (entry.kind === 'in' || entry.kind === 'out') {
        const message = this.#parse(entry.passage.message);
        const peer = entry.kind === 'in' ? entry.passage.from : entry.passage.to;
        if (message !== undefined) this.#see({ order, at: entry.at, way: entry.kind, peer, message });
      } else if (entry.kind === 'state') this.#seeState(order, entry);
      else if (entry.kind === 'crash') this.crashes.push({ at: entry.at, until: Number.POSITIVE_INFINITY });
      else if (entry.kind === 'start') for (const crash of this.crashes) crash.until = Math.min(crash.until, entry.at);
    });
    for (const transaction of this.transactions) this.dialogs.push(...this.dialogsOf(transaction, isAnswer));
  }

  #parse(text: string): AnyMessage | undefined {
    if (!this.#parsed.has(text)) this.#parsed.set(text, parseMessage(bytesOfWire(text)).message);
    return this.#parsed.get(text);
  }

  #see(sighting: Sighting): void {
    const { message, way } = sighting;
    const via = message.via;
    const branch = `${message.branch ?? ''} ${via?.host}:${via?.port ?? 5060}`;
    if (message.kind === 'response') {
      const answered = this.#byKey.get(`${way === 'in' ? 'out' : 'in'} ${branch} ${message.cseq?.method ?? ''}`);
      answered?.responses.push(sighting as Sighting<SipResponse>);
      return;
    }
    const key = `${way} ${branch} ${message.method}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) known.sightings.push(sighting as Sighting<SipRequest>);
    else this.#open(key, sighting as Sighting<SipRequest>);
  }

  #open(key: string, sighting: Sighting<SipRequest>): void {
    const { message: request, way } = sighting;
    const transaction = { way, method: request.method, request, sightings: [sighting], responses: [] };
    this.#byKey.set(key, transaction);
    this.transactions.push(transaction);
    const place = `${way} ${request.callId} ${request.fromTag ?? ''} ${request.toTag ?? ''}`;
    const others = this.#requests.get(place);
    if (others === undefined) this.#requests.set(place, [transaction]);
    else others.push(transaction);
    if (way === 'out' && request.method === 'INVITE' && isForwarded(request)) this.#seeProxied(request);
  }

  /** The session whose leg this INVITE began, with our tag in it. */
  sessionOf(invite: SipRequest, way: 'in' | 'out', localTag: string): string {
    return this.#attribution.legOf(invite, way, localTag).session;
  }

  /** The session that passed this INVITE on. */
  proxiedBy(invite: SipRequest): string | undefined {
    return this.#attribution.proxiedBy(invite);
  }

  #seeProxied(request: SipRequest): void {
    const key = this.proxiedBy(request);
    if (key === undefined) return;
    const keys = this.proxied.get(request.callId) ?? new Set();
    this.proxied.set(request.callId, keys.add(key));
  }

  #seeState(order: number, entry: StateEntry): void {
    let session = this.sessions.get(entry.session);
    if (session === undefined) {
      session = { id: entry.session, states: [], mode: null };
      this.sessions.set(entry.session, session);
    }
    session.states.push({ order, entry });
    // A choice that was killed before it was stored is made again.
    if (entry.restored || entry.mode !== null) session.mode = entry.mode;
  }

  /** The dialogs that responses to an INVITE made, those with a status that counts. */
  dialogsOf(invite: TransactionSeen, counts: (status: number) => boolean): DialogSeen[] {
    const { request, way } = invite;
    if (invite.method !== 'INVITE' || request.toTag !== undefined || (way === 'out' && isForwarded(request))) return [];
    const dialogs = new Map<string, DialogSeen>();
    for (const response of invite.responses) {
      const { status, toTag = '' } = response.message;
      if (!counts(status)) continue;
      const localTag = way === 'out' ? (request.fromTag ?? '') : toTag;
      const { session, leg } = this.#attribution.legOf(request, way, localTag);
      if (!this.sessions.has(session)) continue;
      const known = dialogs.get(toTag);
      if (known !== undefined) known.answers.push(response);
      else {
        const remoteTag = way === 'out' ? toTag : (request.fromTag ?? '');
        const parts = { leg, session, callId: request.callId, localTag, remoteTag };
        dialogs.set(toTag, { ...parts, invite, answers: [response], outgoing: way === 'out' });
      }
    }
    return [...dialogs.values()];
  }

  // --- questions ---------------------------------------------------------------------------------------------

  /** Requests of one side inside a dialog, in order, each with its copies and responses. */
  requestsIn({ callId, localTag, remoteTag }: DialogSeen, way: 'in' | 'out'): readonly TransactionSeen[] {
    const tags = way === 'out' ? `${localTag} ${remoteTag}` : `${remoteTag} ${localTag}`;
    return this.#requests.get(`${way} ${callId} ${tags}`) ?? [];
  }

  /** The CANCEL of an INVITE, the same way. */
  cancelOf(invite: TransactionSeen): TransactionSeen | undefined {
    const { via, branch } = invite.request;
    return this.#byKey.get(`${invite.way} ${branch ?? ''} ${via?.host}:${via?.port ?? 5060} CANCEL`);
  }

  /** Whether the process was ever away for so long, ms. One that is killed again at once has not been back. */
  downFor(ms: number): boolean {
    let since = Number.NEGATIVE_INFINITY;
    let back = Number.NEGATIVE_INFINITY;
    for (const { at, until } of this.crashes) {
      if (at - back > NOTICE_MS) since = at;
      back = until;
      if (until - since >= ms) return true;
    }
    return false;
  }

  /** Whether the process was killed between two times, both included. */
  crashed(from: number, to: number): boolean {
    return this.crashes.some(({ at }) => at >= from && at <= to);
  }

  /**
   * Whether the function had time to take notice of one of these: a process that is killed while it handles a message
   * has not heard it, and relies on a copy.
   */
  noticed(sightings: readonly Sighting[]): boolean {
    return sightings.some(({ at }) => !this.crashed(at, at + NOTICE_MS));
  }

  /** The last state of a session before a place in the chronicle. */
  stateAt(session: string, order: number): StateEntry | undefined {
    const states = this.sessions.get(session)?.states ?? [];
    return states.findLast((state) => state.order <= order)?.entry;
  }

  /** Whether this request belongs to a session in proxy mode. */
  isProxied(callId: string): boolean {
    return this.proxied.has(callId);
  }
}

const isAnswer = (status: number): boolean => status >= 200 && status < 300;

/** Longer than the slowest commit of a scene. */
const NOTICE_MS = 250;

/** More than our own Via: somebody else sent it first. */
export function isForwarded(request: SipRequest): boolean {
  return request.list('via').length > 1;
}

export const first = (transaction: TransactionSeen): Sighting<SipRequest> =>
  transaction.sightings[0] as Sighting<SipRequest>;

/** Final responses, copies included. */
export function finals(transaction: TransactionSeen): readonly Sighting<SipResponse>[] {
  return transaction.responses.filter(({ message }) => message.status >= 200);
}

/**
 * The final response an INVITE was settled by: the first one, unless a kill came before it was stored, which shows in that
 * the INVITE is said again.
 */
export function settledBy(invite: TransactionSeen, wire: Wire): Sighting<SipResponse> | undefined {
  const said = invite.sightings.at(-1);
  const isLost = (final: Sighting): boolean =>
    said !== undefined && final.order < said.order && wire.crashed(final.at, said.at);
  return finals(invite).find((final) => !isLost(final));
}

/** How a message reads in a report. */
export function named(transaction: TransactionSeen): string {
  return `${transaction.method} ${transaction.request.cseq?.number ?? '?'} of ${transaction.request.callId}`;
}

/**
 * Where a dialog of ours ended, as far as the function can know: its BYE, a BYE it received, or a 481 to a request of
 * its own. Undefined where it never did.
 */
export function endOf(dialog: DialogSeen, wire: Wire): number | undefined {
  const ends: number[] = [];
  for (const request of wire.requestsIn(dialog, 'out')) {
    if (request.method === 'BYE') ends.push(first(request).order);
    for (const { message, order } of request.responses) if (message.status === 481) ends.push(order);
  }
  for (const request of wire.requestsIn(dialog, 'in')) if (request.method === 'BYE') ends.push(first(request).order);
  return ends.length === 0 ? undefined : Math.min(...ends);
}
