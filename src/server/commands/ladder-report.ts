/** How sessions with their ladders and verdicts are told, wherever they come from. */
import type { Verdict } from '../../capture/verdicts.ts';
import type { LadderEntry } from '../../inspect/ladder.ts';
import { ladderText } from '../../inspect/ladder-text.ts';
import type { SessionFile } from '../../trace/session-file.ts';
import { table } from './output.ts';

export interface ToldSession {
  /** What it is, and lines about its legs. */
  readonly title: string;
  readonly about: readonly string[];
  readonly left: string;
  readonly right: string;
  readonly entries: readonly LadderEntry[];
  readonly verdicts: readonly Verdict[];
}

/** What `cpm-engine ladder` was given, read. */
export interface Subject {
  /** Lines about the whole of it. */
  readonly about: readonly string[];
  readonly sessions: readonly ToldSession[];
  json(): object;
  svg(): string;
  /** As the page opens it. */
  file(redact: boolean): SessionFile;
}

export function ladderReport(file: string, { about: [first = '', ...more], sessions }: Subject): string[] {
  return [`${file}: ${first}`, ...more, ...sessions.flatMap((each) => ['', ...sessionReport(each)])];
}

function sessionReport({ title, about, left, right, entries, verdicts }: ToldSession): string[] {
  return [title, ...about, ...ladderText(entries, left, right), '', verdictTable(verdicts)];
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ invariant, name, verdict, what, limits }) => {
    const says = verdict === 'not judged' ? 'not to be judged from a capture' : verdict;
    const why =
      verdict === 'holds' && limits !== null ? [`(${limits})`] : verdict === 'not judged' ? [limits ?? ''] : [];
    return [String(invariant), name, says, [...what, ...why].join('; ')];
  });
  return table(['', 'INVARIANT', 'VERDICT', ''], rows);
}
