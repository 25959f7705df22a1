/** What there is to judge a session by: its messages in their order, and how they belong together. */
import { DEFAULT_POLICY } from '../policy/defaults.ts';
import { wireOfText } from '../sip/message/bytes.ts';
import { Chronicle, type ChronicleEntry } from '../testing/chronicle.ts';
import type { Attribution } from '../testing/invariants/index.ts';
import type { SessionFile } from '../trace/session-file.ts';
import type { CapturedSession } from './call/session.ts';

export interface Evidence {
  readonly chronicle: Chronicle;
  readonly attribution: Attribution | undefined;
  /** True where the states of the session are known. */
  readonly states: boolean;
  /** Addresses behind which IWFs are reached. */
  readonly iwfs: readonly string[];
  /** The function's limits. */
  readonly timers: typeof DEFAULT_POLICY.timers;
  /** True where the session was known to live at the end. */
  readonly live: boolean;
  /** Until when messages would have been seen; ms since the epoch. */
  readonly ended: number;
}

/** A session of a capture. Its limits are taken for the defaults: nobody says them on the wire. */
export function capturedEvidence(session: CapturedSession, iwfs: readonly string[], ended: number): Evidence {
  const chronicle = new Chronicle();
  const { id, mode, node } = session;
  const legs = new Map<string, string>();
  /** Tags that came from elsewhere: an answer that has one was passed on. */
  const foreign = new Set<string>();
  for (const { heard, way, leg } of session.messages) {
    const { at, transport, text, message } = heard;
    const peer = session.leg(leg)?.peer ?? '';
    const [from, to] = way === 'in' ? [peer, node] : [node, peer];
    chronicle.note({ kind: way, at, passage: { at, from, to, transport, message: text } });
    if (message.kind === 'response' && way === 'in') foreign.add(message.toTag ?? '');
    if (message.kind === 'request') legs.set(`${way} ${message.callId} ${message.branch ?? ''}`, leg);
  }
  // The invariants know of sessions by their states. Of this one only the mode is known, and that nothing follows.
  const at = session.sightings.at(-1)?.heard.at ?? 0;
  chronicle.note({ kind: 'state', at, session: id, state: 'closed', role: '', mode, reason: null, restored: false });
  const attribution: Attribution = {
    legOf: ({ callId, branch }, way, localTag) => ({
      session: way === 'in' && foreign.has(localTag) ? '' : id,
      leg: `${id}.${legs.get(`${way} ${callId} ${branch ?? ''}`)}`,
    }),
    proxiedBy: () => id,
  };
  return { chronicle, attribution, states: false, iwfs, timers: DEFAULT_POLICY.timers, live: false, ended };
}

/** A session that a server has exported: its messages, and its states between them. */
export function exportedEvidence({ trace, config }: SessionFile, iwfs: readonly string[]): Evidence {
  const { id, steps, messages, details, live, now } = trace;
  const entries: { readonly n: number; readonly entry: ChronicleEntry }[] = [];
  for (const { n, at, call, mode, ending } of steps) {
    const reason = ending?.reason ?? null;
    entries.push({
      n,
      entry: { kind: 'state', at, session: id, state: call, role: details.role, mode, reason, restored: false },
    });
  }
  for (const { n, at, direction, peer, text } of messages) {
    const [transport = '', address = ''] = peer.split(' ');
    const [from, to] = direction === 'in' ? [address, OWN] : [OWN, address];
    const passage = { at, from, to, transport: transport as 'UDP', message: wireOfText(text) };
    entries.push({ n, entry: { kind: direction, at, passage } });
  }
  entries.sort((one, other) => one.n - other.n);
  const chronicle = new Chronicle();
  for (const { entry } of entries) chronicle.note(entry);
  const policy = config?.policy as Partial<typeof DEFAULT_POLICY> | undefined;
  const timers = { ...DEFAULT_POLICY.timers, ...policy?.timers };
  const ended = live ? now : Number.POSITIVE_INFINITY;
  return { chronicle, attribution: undefined, states: steps.length > 0, iwfs, timers, live, ended };
}

/** Where the function itself is heard does not stand in its own trace. */
const OWN = 'the function';
