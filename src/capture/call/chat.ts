/** MSRP in sessions: whose path is whose is told by the descriptions in which they were offered. */
import type { ChatSaid, Heard } from '../dissector.ts';
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

/** Gaps in the connections of a session's messages. */
export function gapsInto(sessions: readonly CapturedSession[], heard: readonly Heard[]): void {
  const gaps = heard.filter((each) => each.kind === 'gap');
  if (gaps.length === 0) return;
  for (const session of sessions) {
    const begun = session.sightings[0]?.heard.at ?? 0;
    const ended = session.sightings.at(-1)?.heard.at ?? 0;
    const flows = new Map(
      session.sightings.map(({ heard: said, way, leg }) => [`${said.from} ${said.to}`, { way, leg }]),
    );
    for (const gap of gaps) {
      const flow = flows.get(`${gap.from} ${gap.to}`) ?? otherWay(flows.get(`${gap.to} ${gap.from}`));
      const during = gap.at >= begun && gap.at <= ended + AROUND_MS;
      if (flow !== undefined && during) session.note({ heard: gap, ...flow });
    }
    session.sightings.sort((one, other) => one.heard.at - other.heard.at);
  }
}

const AROUND_MS = 32_000;

function otherWay(
  flow: { way: 'in' | 'out'; leg: string } | undefined,
): { way: 'in' | 'out'; leg: string } | undefined {
  return flow === undefined ? undefined : { way: flow.way === 'in' ? 'out' : 'in', leg: flow.leg };
}

/** Authority and session-id tell paths apart (RFC 4975 6.1). */
function nameOf(uri: string): string {
  return uri.replace(/;.*$/, '');
}

function firstOf(path: string): string {
  return nameOf(path.split(' ')[0] ?? '');
}
