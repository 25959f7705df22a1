/** What can happen to a pager-mode message. Facts only: headers and bodies stay with the engine. */
import type { Profile } from '../session/policy.ts';
import type { Kept } from './context.ts';

interface Stamp {
  /** Number of the event within its message, from 1. */
  readonly step: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly kept: Kept;
}

export type MessageEvent =
  | ({ readonly type: 'preferencesKnown'; readonly profile: Profile } & Stamp)
  | ({ readonly type: 'preferencesOverdue' } & Stamp)
  /** A 2xx to what was sent last. */
  | ({ readonly type: 'answered'; readonly status: number } & Stamp)
  /** Any other final answer, or none: 408 where nobody answered, 503 where nothing could be sent. */
  | ({
      readonly type: 'failed';
      readonly status: number;
      /** Nobody answered within 64*T1: its sender has given up as well. */
      readonly late: boolean;
    } & Stamp)
  /** The clients have not answered in time. */
  | ({ readonly type: 'answerOver' } & Stamp)
  /** It is the first of those kept for its user, and a client is there. */
  | ({ readonly type: 'turnCame' } & Stamp)
  | ({ readonly type: 'retryDue' } & Stamp)
  | ({ readonly type: 'expired' } & Stamp)
  /** An operator removes it. */
  | ({ readonly type: 'dropOrdered' } & Stamp)
  /** After a restart: its sender has given up. */
  | ({ readonly type: 'senderGone' } & Stamp);

export type MessageEventType = MessageEvent['type'];
export type EventOf<T extends MessageEventType> = Extract<MessageEvent, { type: T }>;
