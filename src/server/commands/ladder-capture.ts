/** Sessions of a capture, for `cpm-engine ladder`. */
import { type AnalysedSession, type Analysis, analysed } from '../../capture/analysis.ts';
import { capturedFile } from '../../capture/captured-file.ts';
import { sequenceOf } from '../../capture/drawing.ts';
import { hearingOf } from '../../capture/read.ts';
import { sequenceSvg } from '../../inspect/sequence.ts';
import { redactedMessage } from '../admin/redaction.ts';
import { version } from '../version.ts';
import type { LadderOptions } from './ladder.ts';
import type { Subject, ToldSession } from './ladder-report.ts';
import { CommandFailed, UsageError } from './output.ts';

export function capturedSubject(pieces: Iterable<Uint8Array>, options: LadderOptions): Subject {
  const { node = [], isf = [], call } = options;
  const hearing = hearingOf(pieces);
  const { packets, begun, ended } = hearing;
  const analysis = analysed(hearing, { nodes: node, iwfs: isf });
  const chosen = chosenOf(analysis.sessions, call);
  if (chosen.length === 0) throw new CommandFailed(nothingIn(analysis, call));
  const { nodes, messages, sessions, notes } = analysis;
  const seconds = ((ended - begun) / 1000).toFixed(1);
  return {
    about: [
      `${packets} packets in ${seconds} s, ${messages} SIP messages, ${sessions.length} sessions`,
      ...nodes.map(({ address, how }) => `function ${address}: ${how === 'given' ? 'as given' : how}`),
      ...notes.map((note) => `note: ${note}`),
    ],
    sessions: chosen.map(told),
    json: () => ({ packets, begunAt: begun, endedAt: ended, messages, notes, nodes, sessions: chosen.map(asJson) }),
    svg: () => drawn(analysis, chosen),
    file(redact) {
      const [only, ...others] = chosen;
      if (only === undefined || others.length > 0) {
        const ids = chosen.map(({ session }) => session.id).slice(0, NAMED);
        throw new UsageError(
          `--export: a file holds one session, here are ${chosen.length}; choose with --call, of ${ids.join(', ')}`,
        );
      }
      const writing = { by: `cpm-engine ${version()}`, now: Date.now(), redact: redact ? redactedMessage : undefined };
      return capturedFile(only, writing);
    },
  };
}

const NAMED = 10;

/** The one with this id; else those that it is part of a name of. */
function chosenOf(sessions: readonly AnalysedSession[], call: string | undefined): readonly AnalysedSession[] {
  if (call === undefined) return sessions;
  const one = sessions.filter(({ session }) => session.id === call);
  if (one.length > 0) return one;
  return sessions.filter(({ session }) => {
    const names = [session.id, session.contributionId ?? '', ...session.legs.map(({ callId }) => callId)];
    return names.some((name) => name.includes(call));
  });
}

function nothingIn({ sessions, nodes }: Analysis, call: string | undefined): string {
  if (sessions.length === 0) return `no session begins at ${nodes.map(({ address }) => address).join(', ')}`;
  const known = sessions.slice(0, NAMED).map(({ session }) => session.id);
  return `no session has "${call}" in a Call-ID, its Contribution-ID or its id; of ${sessions.length} there are ${known.join(', ')}`;
}

function told({ session, entries, verdicts }: AnalysedSession): ToldSession {
  const mode = session.mode === null ? 'mode not chosen' : session.mode === 'proxy' ? 'proxy' : 'B2BUA';
  const contribution = session.contributionId === undefined ? '' : `, Contribution-ID ${session.contributionId}`;
  const far = session.legs.filter(({ name }) => name !== 'a').map(({ peer }) => peer);
  return {
    title: `session ${session.id} at ${session.node}, ${mode}${contribution}`,
    about: session.legs.map(({ name, peer, callId }) => `  leg ${name}  ${peer}  Call-ID ${callId}`),
    left: session.leg('a')?.peer ?? 'inviter',
    right: [...new Set(far)].join(' ') || 'invited',
    entries,
    verdicts,
  };
}

function asJson({ session, entries, verdicts }: AnalysedSession): object {
  const { id, node, mode, contributionId = null, legs } = session;
  const told = legs.map(({ name, callId, peer }) => ({ leg: name, callId, peer }));
  return { id, node, mode, contributionId, legs: told, ladder: entries, verdicts };
}

function drawn({ parties, nodes }: Analysis, chosen: readonly AnalysedSession[]): string {
  const sessions = chosen.map(({ session }) => session);
  const functions = new Set(nodes.map(({ address }) => address));
  const name = (party: string): string => (functions.has(party) ? `PF ${party}` : party);
  const { title, parties: order, rows } = sequenceOf('A captured session', sessions, parties);
  const named = rows.map((row) => (row.kind === 'message' ? { ...row, from: name(row.from), to: name(row.to) } : row));
  return sequenceSvg({ title, parties: order.map(name), rows: named });
}
