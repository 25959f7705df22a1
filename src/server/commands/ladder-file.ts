/** An exported session, for `cpm-engine ladder`: beside its messages it has the states between them. */
import { exportedEvidence } from '../../capture/evidence.ts';
import { verdictsOn } from '../../capture/verdicts.ts';
import type { LadderEntry } from '../../inspect/ladder.ts';
import { type SequenceRow, sequenceSvg } from '../../inspect/sequence.ts';
import { readSessionFile, type SessionFile } from '../../trace/session-file.ts';
import type { LadderOptions } from './ladder.ts';
import type { Subject } from './ladder-report.ts';
import { UsageError } from './output.ts';

/** Throws a SessionFileError for what is none. */
export function exportedSubject(text: string, { isf = [], node, call }: LadderOptions): Subject {
  const file = readSessionFile(text);
  const { trace, by, exportedAt, source } = file;
  if (node !== undefined) throw new UsageError('--node: a session file holds what one function has seen');
  if (call !== undefined) throw new UsageError('--call: a session file holds one session');
  // Out of a capture it was judged when more of the capture was there.
  const verdicts = file.verdicts ?? verdictsOn(exportedEvidence(file, isf));
  const { id, details } = trace;
  const entries = entriesOf(file);
  const peers = peersOf(file);
  const mode = details.mode === null ? 'mode not chosen' : details.mode === 'proxy' ? 'proxy' : 'B2BUA';
  const told = {
    title: `session ${id} of ${details.user} with ${details.with}, ${mode}`,
    about: [...peers].map(([leg, peer]) => `  leg ${leg}  ${peer}`),
    left: peers.get('a') ?? 'inviter',
    right: peers.get('b') ?? 'invited',
    entries,
    verdicts,
  };
  return {
    about: [`a session from a ${source}, written by ${by} on ${new Date(exportedAt).toISOString()}`, ...notesOn(file)],
    sessions: [told],
    json: () => ({
      source,
      by,
      exportedAt,
      sessions: [{ id, mode: details.mode, legs: Object.fromEntries(peers), ladder: entries, verdicts }],
    }),
    svg: () => drawn(file, peers),
    file: () => file,
  };
}

function notesOn({ trace }: SessionFile): string[] {
  const notes: string[] = [];
  if (!trace.whole) notes.push('note: what was before somebody first looked was not kept');
  if (trace.dropped > 0) notes.push(`note: ${trace.dropped} steps and messages in the middle were not kept`);
  return notes;
}

function entriesOf({ trace }: SessionFile): LadderEntry[] {
  return trace.messages
    .filter(({ again }) => again === null)
    .map(({ at, leg, direction, label }) => ({ at, leg, direction, label }));
}

/** Address of each leg's other side, by its first message. */
function peersOf({ trace }: SessionFile): Map<string, string> {
  const peers = new Map<string, string>();
  for (const { leg, peer } of trace.messages) if (!peers.has(leg)) peers.set(leg, peer);
  return peers;
}

const FUNCTION = 'PF';

function drawn({ trace }: SessionFile, peers: ReadonlyMap<string, string>): string {
  const name = (leg: string): string => `${leg} ${peers.get(leg) ?? ''}`.trim();
  const rows: (SequenceRow & { readonly n: number })[] = [];
  for (const { n, at, leg, direction, label, again } of trace.messages) {
    const [from, to] = direction === 'in' ? [name(leg), FUNCTION] : [FUNCTION, name(leg)];
    if (again === null) rows.push({ n, kind: 'message', at, from, to, label, details: [], times: 1 });
  }
  let [call, recording] = ['', 'off'];
  for (const step of trace.steps) {
    if (step.call !== call) rows.push({ n: step.n, kind: 'state', at: step.at, of: FUNCTION, label: step.call });
    if (step.recording !== recording) {
      rows.push({ n: step.n, kind: 'stored', at: step.at, of: FUNCTION, label: `recording ${step.recording}` });
    }
    ({ call, recording } = step);
  }
  rows.sort((one, other) => one.n - other.n);
  const far = [...peers.keys()].filter((leg) => leg !== 'a');
  return sequenceSvg({ title: `Session ${trace.id}`, parties: [name('a'), FUNCTION, ...far.map(name)], rows });
}
