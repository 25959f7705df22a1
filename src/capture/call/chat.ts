/** MSRP in sessions: whose path is whose is told by the descriptions in which they were offered. */
import type { ChatSaid, GapSaid, Heard } from '../dissector.ts';
import type { CapturedSession } from './session.ts';

const PATH = /^a=path:(\S+)/gim;

/** Puts the MSRP that each session relays into it. What is left went from peer to peer, or is of no session seen here. */
export function chatsInto(sessions: readonly CapturedSession[], heard: readonly Heard[]): number {
  const own = new Map<string, { session: CapturedSession; leg: string }>();
  const offered = new Set<string>();
  for (const session of sessions) {
    for (const { heard: said, way, leg } of session.messages) {
      for (const [, uri = ''] of said.text.matchAll(PATH)) {
        // The first to name it is whose it is: a proxy passes it on, and so does a relay that is not used.
        const name = nameOf(uri);
        if (way === 'out' && !offered.has(name)) own.set(name, { session, leg });
        else offered.add(name);
      }
    }
  }
  let past = 0;
  const changed = new Set<CapturedSession>();
  for (const each of heard) {
    if (each.kind !== 'msrp') continue;
    const [to, from] = [own.get(firstOf(each.said.head.toPath)), own.get(firstOf(each.said.head.fromPath))];
    if (to === undefined && from === undefined) past++;
    if (to !== undefined) changed.add(noted(to, each, 'in'));
    if (from !== undefined) changed.add(noted(from, each, 'out'));
  }
  for (const session of changed) session.sightings.sort((one, other) => one.heard.at - other.heard.at);
  return past;
}

function noted(place: { session: CapturedSession; leg: string }, heard: ChatSaid, way: 'in' | 'out'): CapturedSession {
  place.session.note({ heard, way, leg: place.leg });
  return place.session;
}

type Flow = { readonly way: 'in' | 'out'; readonly leg: string };

/** Puts the gaps of a connection into the sessions that had messages on it around then. */
export function gapsInto(sessions: readonly CapturedSession[], heard: readonly Heard[]): void {
  const gaps = new Map<string, GapSaid[]>();
  for (const each of heard) {
    if (each.kind !== 'gap') continue;
    const name = `${each.from} ${each.to}`;
    gaps.set(name, [...(gaps.get(name) ?? []), each]);
  }
  if (gaps.size === 0) return;
  for (const session of sessions) {
    const begun = session.sightings[0]?.heard.at ?? 0;
    const ended = (session.sightings.at(-1)?.heard.at ?? 0) + AROUND_MS;
    for (const [name, flow] of flowsOf(session)) {
      for (const gap of gaps.get(name) ?? []) {
        if (gap.at >= begun && gap.at <= ended) session.note({ heard: gap, ...flow });
      }
    }
    session.sightings.sort((one, other) => one.heard.at - other.heard.at);
  }
}

/** A transaction may still have been under way. */
const AROUND_MS = 32_000;

/** Both directions of each connection that the session has used. */
function flowsOf({ sightings }: CapturedSession): Map<string, Flow> {
  const flows = new Map<string, Flow>();
  for (const { heard, way, leg } of sightings) {
    flows.set(`${heard.from} ${heard.to}`, { way, leg });
    const back = `${heard.to} ${heard.from}`;
    if (!flows.has(back)) flows.set(back, { way: way === 'in' ? 'out' : 'in', leg });
  }
  return flows;
}

/** Authority and session-id tell paths apart (RFC 4975 6.1). */
function nameOf(uri: string): string {
  return uri.replace(/;.*$/, '');
}

function firstOf(path: string): string {
  return nameOf(path.split(' ')[0] ?? '');
}
