/** Invariant 5: in proxy mode nothing is originated, nothing answered, nothing written, no media owned. */
import type { Violation } from './violation.ts';
import { first, isForwarded, named, type TransactionSeen, type Wire } from './wire.ts';

/**
 * Final responses that RFC 3261 16 lets a proxy make itself: timeout, transport failure, too many requests, a CANCEL
 * that fits nothing, merged request, too many hops, unavailable.
 */
const OWN_RESPONSES = [408, 500, 481, 482, 483, 503];

export function invariant05ProxyIsSilent(wire: Wire): Violation[] {
  const received = new Set<string>();
  const violations: Violation[] = [];
  for (const seen of wire.transactions) {
    if (!wire.isProxied(seen.request.callId)) continue;
    // Also what began a session of its own: before a kill the same request may have passed as a proxy's.
    for (const { message } of seen.way === 'in' ? seen.sightings : []) received.add(keyOf(message.method, message));
    if (isOwn(seen, wire)) continue;
    if (seen.way === 'out') violations.push(...outgoing(seen, received));
    else violations.push(...answers(seen, wire));
  }
  return [...violations, ...possessions(wire)];
}

/** Another session under the same Call-ID, of which the function is an end. */
function isOwn({ request, responses }: TransactionSeen, wire: Wire): boolean {
  const tags = [request.toTag, request.fromTag, ...responses.map(({ message }) => message.toTag)];
  return tags.some((tag) => modeOf(tag, wire) === 'b2bua');
}

/** Mode of the session that made a tag; null before it was chosen, undefined where no session did. */
function modeOf(tag: string | undefined, wire: Wire): string | null | undefined {
  return wire.sessions.get(tag?.split('.', 1)[0] ?? '')?.mode;
}

interface Numbered {
  readonly callId: string;
  readonly fromTag: string | undefined;
  readonly toTag: string | undefined;
  readonly cseq: { readonly number: number } | undefined;
}

const keyOf = (method: string, { callId, fromTag, toTag, cseq }: Numbered): string =>
  `${method} ${callId} ${fromTag ?? ''} ${toTag ?? ''} ${cseq?.number ?? ''}`;

/** A request that leaves came in before. CANCEL, and the ACK of a refusal, a proxy makes itself (16.10, 16.7). */
function outgoing(seen: TransactionSeen, received: ReadonlySet<string>): Violation[] {
  const { request, method } = seen;
  if (method === 'CANCEL' || (method === 'ACK' && !isForwarded(request))) return [];
  if (!isForwarded(request) || !received.has(keyOf(method, request))) return [broken(seen, 'was originated')];
  const uid = request.header('message-uid');
  // What an endpoint says itself is passed on; any other UID was added here.
  return uid === undefined || uid === FOREIGN_UID ? [] : [broken(seen, 'got a Message-UID')];
}

/** Message-UID that endpoints put into their own BYEs, to see that nobody believes it. */
export const FOREIGN_UID = '4711';

function answers(seen: TransactionSeen, wire: Wire): Violation[] {
  if (seen.method === 'CANCEL') return [];
  const key = keyOf(seen.method, seen.request);
  const since = first(seen).order;
  const passed = wire.transactions.filter(
    (other) => other.way === 'out' && first(other).order > since && keyOf(other.method, other.request) === key,
  );
  const violations: Violation[] = [];
  for (const { message, order } of seen.responses) {
    // What answered it had to be asked before.
    const asked = passed.filter((other) => first(other).order < order);
    // One that was never passed on was refused, or called off, before the mode was chosen.
    const early = asked.length === 0 && seen.method === 'INVITE' && seen.request.toTag === undefined;
    const known = asked.some(({ responses }) => responses.some((heard) => heard.message.status === message.status));
    // After a kill a copy of it may begin a second session, which is called off before its mode is chosen.
    if (modeOf(message.toTag, wire) === null) continue;
    if (message.status === 100 || early || known || OWN_RESPONSES.includes(message.status)) continue;
    violations.push(broken(seen, `was answered ${message.status}`));
  }
  return violations;
}

function possessions(wire: Wire): Violation[] {
  const violations: Violation[] = [];
  const isProxy = (session: string): boolean => wire.sessions.get(session)?.mode === 'proxy';
  const all = [...wire.sessions.values()].every(({ mode }) => mode === 'proxy');
  for (const entry of wire.chronicle.entries) {
    if (entry.kind === 'media' && isProxy(entry.session)) {
      violations.push({ invariant: 5, what: `session ${entry.session} owns media`, at: entry.at });
    }
    if (entry.kind === 'history' && all) violations.push({ invariant: 5, what: 'history was written', at: entry.at });
  }
  return violations;
}

function broken(seen: TransactionSeen, what: string): Violation {
  return { invariant: 5, what: `in proxy mode ${named(seen)} ${what}`, at: first(seen).at };
}
