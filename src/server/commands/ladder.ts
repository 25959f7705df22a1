/** `cpm-engine ladder`: sessions out of a capture, or out of a file that a server has exported, and what is to be said of them. */
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { type AnalysedSession, type Analysis, analysed } from '../../capture/analysis.ts';
import { CaptureError } from '../../capture/capture-error.ts';
import { sequenceOf } from '../../capture/drawing.ts';
import { hearingOf } from '../../capture/read.ts';
import type { Verdict } from '../../capture/verdicts.ts';
import { ladderText } from '../../inspect/ladder-text.ts';
import { sequenceSvg } from '../../inspect/sequence.ts';
import { CommandFailed, print, table, UsageError } from './output.ts';

export interface LadderOptions {
  readonly json?: boolean;
  /** Part of a Call-ID, a Contribution-ID or a session's id. */
  readonly call?: string;
  readonly svg?: string;
  readonly node?: readonly string[];
  readonly isf?: readonly string[];
  readonly check?: boolean;
}

export function ladder(file: string, options: LadderOptions): void {
  for (const name of ['node', 'isf'] as const) for (const address of options[name] ?? []) checkAddress(name, address);
  const capture = captureOf(file, options);
  const chosen = capture.analysis.sessions.filter(({ session }) => isNamed(session, options.call));
  if (chosen.length === 0) throw new CommandFailed(nothingOf(file, capture.analysis, options.call));
  if (options.svg !== undefined) draw(options.svg, file, capture.analysis, chosen);
  if (options.json) print(JSON.stringify(asJson(file, capture, chosen), null, 2));
  else for (const line of asText(file, capture, chosen)) print(line);
  const broken = chosen.some(({ verdicts }) => verdicts.some(({ verdict }) => verdict === 'broken'));
  if (options.check && broken) throw new CommandFailed('an invariant is broken');
}

function checkAddress(name: string, address: string): void {
  if (/^(\d+(\.\d+){3}|\[[\da-f:]+\]):\d{1,5}$/.test(address)) return;
  throw new UsageError(
    `--${name} ${address}: expected an address and a port, such as 10.0.0.1:5060 or [2001:db8::1]:5060`,
  );
}

// --- reading -------------------------------------------------------------------------------------------------

interface Capture {
  readonly analysis: Analysis;
  readonly packets: number;
  readonly begun: number;
  readonly ended: number;
}

function captureOf(file: string, { node = [], isf = [] }: LadderOptions): Capture {
  try {
    const hearing = hearingOf(piecesOf(file));
    const { packets, begun, ended } = hearing;
    return { analysis: analysed(hearing, { nodes: node, iwfs: isf }), packets, begun, ended };
  } catch (error) {
    if (error instanceof CaptureError) throw new CommandFailed(`${file}: ${error.message}`);
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new CommandFailed(`${file}: ${reason}`);
  }
}

const PIECE_BYTES = 262_144;

/** The file piece by piece, however large it is. */
function* piecesOf(file: string): Generator<Uint8Array> {
  const descriptor = file === '-' ? 0 : openSync(file, 'r');
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE_BYTES);
      const length = readSync(descriptor, piece);
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } finally {
    if (file !== '-') closeSync(descriptor);
  }
}

function isNamed(session: AnalysedSession['session'], call: string | undefined): boolean {
  if (call === undefined) return true;
  const names = [session.id, session.contributionId ?? '', ...session.legs.map(({ callId }) => callId)];
  return names.some((name) => name.includes(call));
}

function nothingOf(file: string, { sessions, nodes }: Analysis, call: string | undefined): string {
  if (sessions.length === 0) return `${file}: no session begins at ${nodes.map(({ address }) => address).join(', ')}`;
  const known = sessions.slice(0, 10).map(({ session }) => session.id);
  return `${file}: no session of ${sessions.length} has "${call}" in its Call-IDs, its Contribution-ID or its id; there is ${known.join(', ')}`;
}

// --- telling -------------------------------------------------------------------------------------------------

function asText(
  file: string,
  { analysis, packets, begun, ended }: Capture,
  chosen: readonly AnalysedSession[],
): string[] {
  const { nodes, messages, sessions, notes } = analysis;
  const seconds = ((ended - begun) / 1000).toFixed(1);
  return [
    `${file}: ${packets} packets in ${seconds} s, ${messages} SIP messages, ${sessions.length} sessions`,
    ...nodes.map(({ address, how }) => `function ${address}: ${how === 'given' ? 'as given' : how}`),
    ...notes.map((note) => `note: ${note}`),
    ...chosen.flatMap((each) => ['', ...sessionText(each)]),
  ];
}

function sessionText({ session, entries, verdicts }: AnalysedSession): string[] {
  const mode = session.mode === null ? 'mode not chosen' : session.mode === 'proxy' ? 'proxy' : 'B2BUA';
  const contribution = session.contributionId === undefined ? '' : `, Contribution-ID ${session.contributionId}`;
  const far = session.legs.filter(({ name }) => name !== 'a').map(({ peer }) => peer);
  return [
    `session ${session.id} at ${session.node}, ${mode}${contribution}`,
    ...session.legs.map(({ name, peer, callId }) => `  leg ${name}  ${peer}  Call-ID ${callId}`),
    ...ladderText(entries, session.leg('a')?.peer ?? 'inviter', [...new Set(far)].join(' ') || 'invited'),
    '',
    verdictTable(verdicts),
  ];
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ invariant, name, verdict, what, limits }) => {
    const says = verdict === 'not judged' ? 'not to be judged from a capture' : verdict;
    const partly = limits === null ? [] : [verdict === 'holds' ? `(${limits})` : limits];
    return [String(invariant), name, says, [...what, ...(verdict === 'broken' ? [] : partly)].join('; ')];
  });
  return table(['', 'INVARIANT', 'VERDICT', ''], rows);
}

function asJson(
  file: string,
  { analysis, packets, begun, ended }: Capture,
  chosen: readonly AnalysedSession[],
): unknown {
  const { nodes, messages, notes } = analysis;
  const sessions = chosen.map(({ session, entries, verdicts }) => ({
    id: session.id,
    node: session.node,
    mode: session.mode,
    contributionId: session.contributionId ?? null,
    legs: session.legs.map(({ name, callId, peer }) => ({ leg: name, callId, peer })),
    ladder: entries,
    verdicts,
  }));
  return { file, packets, begunAt: begun, endedAt: ended, messages, notes, nodes, sessions };
}

function draw(to: string, file: string, { parties, nodes }: Analysis, chosen: readonly AnalysedSession[]): void {
  const sequence = sequenceOf(
    file,
    chosen.map(({ session }) => session),
    parties,
  );
  const functions = new Set(nodes.map(({ address }) => address));
  const name = (party: string): string => (functions.has(party) ? `PF ${party}` : party);
  const rows = sequence.rows.map((row) =>
    row.kind === 'message' ? { ...row, from: name(row.from), to: name(row.to) } : row,
  );
  writeFileSync(to, sequenceSvg({ ...sequence, parties: sequence.parties.map(name), rows }));
}
