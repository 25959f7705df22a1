/** Captured sessions as ladders: the entries that every ladder of the project is made of, and a sequence of all parties. */
import type { LadderEntry } from '../inspect/ladder.ts';
import type { Sequence, SequenceRow } from '../inspect/sequence.ts';
import { headerIn } from '../msrp/message/head.ts';
import { labelOf } from '../trace/wire.ts';
import type { Parties } from './call/parties.ts';
import type { CapturedSession, Sighting } from './call/session.ts';
import type { ChatSaid } from './dissector.ts';
import { msrpLabel } from './network/speech.ts';

/** A line of a ladder: a message with its copies, the chunks of a message together, a gap. */
export interface Drawn {
  readonly first: Sighting;
  readonly label: string;
  readonly times: number;
}

export function drawnOf(session: CapturedSession): Drawn[] {
  const drawn: { first: Sighting; label: string; times: number; bytes: number }[] = [];
  const known = new Map<string, (typeof drawn)[number]>();
  for (const sighting of session.sightings) {
    const name = nameOf(sighting);
    if (name === undefined) continue;
    const before = known.get(name);
    const bytes = sighting.heard.kind === 'msrp' ? sighting.heard.said.bytes : 0;
    if (before === undefined) {
      const line = { first: sighting, label: '', times: 1, bytes };
      known.set(name, line);
      drawn.push(line);
    } else {
      before.times++;
      before.bytes += bytes;
    }
  }
  return drawn.map(({ first, times, bytes }) => ({
    first,
    times: isChat(first) ? 1 : times,
    label: labelFor(first, times, bytes),
  }));
}

const isChat = ({ heard }: Sighting): boolean => heard.kind === 'msrp';

/** What makes two sightings one line; undefined for what is left out: that a chunk arrived is what is expected. */
function nameOf({ heard, way, leg }: Sighting): string | undefined {
  if (heard.kind === 'sip') return `${way} ${leg} ${heard.from} ${heard.to} ${heard.text}`;
  if (heard.kind === 'gap') return `gap ${heard.from} ${heard.to} ${heard.at}`;
  const { head } = heard.said;
  if (head.status === 200) return undefined;
  const message = head.method === 'SEND' ? headerIn(head.lines, 'message-id') : undefined;
  return `${way} ${leg} ${head.method}${head.status} ${message ?? head.id}`;
}

function labelFor({ heard }: Sighting, times: number, bytes: number): string {
  if (heard.kind === 'sip') return labelOf(heard.text);
  if (heard.kind === 'gap') return heard.bytes === 0 ? 'capture lost' : `capture lost ${heard.bytes} B`;
  return chatLabel(heard, times, bytes);
}

function chatLabel({ said }: ChatSaid, times: number, bytes: number): string {
  const label = msrpLabel({ ...said, bytes, flag: times > 1 ? '$' : said.flag });
  return times > 1 ? `${label} in ${times}` : label;
}

export function entriesOf(drawn: readonly Drawn[]): LadderEntry[] {
  return drawn.map(({ first, label, times }) => ({
    at: first.heard.at,
    leg: first.leg,
    direction: first.way,
    label: times > 1 ? `${label} x${times}` : label,
  }));
}

/** All that was said in these sessions, between all who said it, each message once. */
export function sequenceOf(title: string, sessions: readonly CapturedSession[], parties: Parties): Sequence {
  const order: string[] = [];
  const seen = new Set<unknown>();
  const rows: SequenceRow[] = [];
  const ladders = sessions.map((session) => ({ session, drawn: drawnOf(session) }));
  const all = ladders.flatMap(({ session, drawn }) => drawn.map((each) => ({ session, ...each })));
  all.sort((one, other) => one.first.heard.at - other.first.heard.at);
  for (const { session, first, label, times } of all) {
    if (seen.has(first.heard)) continue;
    seen.add(first.heard);
    const { heard, way, leg } = first;
    const peer = session.leg(leg)?.peer ?? parties.of(way === 'in' ? heard.from : heard.to);
    const [from, to] = way === 'in' ? [peer, session.node] : [session.node, peer];
    place(order, from, to);
    const uid = heard.kind === 'sip' ? heard.message.header('message-uid') : undefined;
    const details = uid === undefined ? [] : [`Message-UID: ${uid}`];
    rows.push({ kind: 'message', at: heard.at, from, to, label, details, times });
  }
  return { title, parties: order, rows };
}

/** Whoever is invited stands right of whoever invites. */
function place(order: string[], from: string, to: string): void {
  if (!order.includes(from)) order.push(from);
  if (!order.includes(to)) order.splice(order.indexOf(from) + 1, 0, to);
}
