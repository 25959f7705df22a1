/** Shapes of what the server tells, from the code that tells it. */
import type { Explanation } from '../engine/explain.ts';
import type { EndedSession } from '../server/admin/ended.ts';
import type { healthReport } from '../server/admin/health.ts';
import type { TraceView } from '../server/admin/trace-views.ts';
import type { SessionSummary } from '../server/admin/views.ts';

export type { PageCharts as Charts } from '../inspect/page-charts.ts';
export type { EndedSession, SessionSummary, TraceView };
export type TracedStep = TraceView['steps'][number];
export type TracedMessage = TraceView['messages'][number];
export type Guard = TracedStep['guards'][number];

export interface SessionList {
  readonly total: number;
  readonly matched: number;
  readonly sessions: readonly SessionSummary[];
}

export interface EndedList {
  readonly total: number;
  readonly matched: number;
  readonly sessions: readonly EndedSession[];
}

export type HealthReport = ReturnType<typeof healthReport>;

export type Verdict = Omit<Explanation, 'commands'> & { readonly sent: readonly string[] };

export interface Told {
  /** The server's clock, ms since the epoch. */
  readonly now: number;
  readonly sessions: number;
  readonly status: HealthReport['status'];
  /** Ids of sessions that took a step since the last time. */
  readonly changed: readonly string[];
  /** More have than are named. */
  readonly many: boolean;
}

export interface Folder {
  readonly user: string;
  readonly conversationId: string;
  readonly contributionId: string;
  readonly objects: number;
}

export interface FolderContent {
  readonly pointers: Readonly<Record<string, number>>;
  readonly objects: readonly {
    readonly uid: number;
    readonly type: string;
    readonly date: string;
    readonly bytes: number;
  }[];
}
