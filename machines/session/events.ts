/** What can happen to a session. Facts only: headers and bodies stay with the engine, which knows them by leg. */
import type { LegName, OfferedStream, TimerFacts } from './context.ts';
import type { Profile } from './policy.ts';

interface Stamp {
  /** Number of the event within its session, from 1. */
  readonly step: number;
  /** ms since the epoch. */
  readonly at: number;
}

interface OnLeg extends Stamp {
  readonly leg: LegName;
}

export type SessionEvent =
  // preferences and policy
  | ({ readonly type: 'preferencesKnown'; readonly profile: Profile } & Stamp)
  | ({ readonly type: 'preferencesOverdue' } & Stamp)
  // the invitation
  | ({
      readonly type: 'provisional';
      readonly status: number;
      readonly fork: number;
      readonly reliable: boolean;
      /** Its number, where it is reliable (RFC 3262). */
      readonly rseq?: number;
    } & OnLeg)
  | ({
      readonly type: 'answered';
      readonly status: number;
      readonly fork: number;
      /** m-lines of this leg's own offer that were accepted, in its order; null where no SDP came. */
      readonly accepted: readonly boolean[] | null;
      /** m-lines the answer offers, where the invitation offered none. */
      readonly offered?: readonly OfferedStream[] | null;
      readonly timer: TimerFacts;
      readonly allowsUpdate: boolean;
    } & OnLeg)
  | ({
      readonly type: 'failed';
      readonly status: number;
      /** URIs of a 3xx's Contacts by preference, our own left out. */
      readonly redirects: readonly string[];
      /** Min-SE of a 422, seconds. */
      readonly minSE: number | null;
      /** Nobody answered, or nothing could be sent. */
      readonly silent: boolean;
    } & OnLeg)
  | ({ readonly type: 'cancelled' } & OnLeg)
  | ({ readonly type: 'acknowledged' } & OnLeg)
  | ({ readonly type: 'unacknowledged' } & OnLeg)
  | ({ readonly type: 'ringingOver' } & Stamp)
  | ({ readonly type: 'secondaryOver' } & Stamp)
  // inside the dialogs
  | ({ readonly type: 'bye'; readonly exchange: string } & OnLeg)
  | ({
      readonly type: 'request';
      readonly exchange: string;
      readonly method: string;
      readonly fork: number;
      /** How its offer compares with the last one on this leg. */
      readonly offer: 'none' | 'same' | 'changed';
      readonly timer: TimerFacts;
    } & OnLeg)
  | ({ readonly type: 'exchangeCancelled'; readonly exchange: string } & OnLeg)
  | ({
      readonly type: 'response';
      readonly exchange: string;
      readonly status: number;
      readonly timer: TimerFacts;
      readonly minSE: number | null;
    } & OnLeg)
  // deadlines
  | ({ readonly type: 'refreshDue' } & OnLeg)
  | ({ readonly type: 'sessionExpired' } & OnLeg)
  | ({ readonly type: 'reofferDue' } & Stamp)
  | ({ readonly type: 'byeJoinOver' } & Stamp)
  | ({ readonly type: 'storeBudgetOver' } & Stamp)
  | ({ readonly type: 'teardownOver' } & Stamp)
  // media, store, people
  | ({ readonly type: 'mediaFailed' } & OnLeg)
  | ({ readonly type: 'historyOpened'; readonly sessionInfoUid: number } & Stamp)
  | ({
      readonly type: 'historySealed';
      readonly sessionInfoUid: number | null;
      readonly groupStateUid: number | null;
    } & Stamp)
  | ({ readonly type: 'historyFailed' } & Stamp)
  /** The store works again: what waited is stored. */
  | ({ readonly type: 'historyStored' } & Stamp)
  | ({ readonly type: 'endOrdered'; readonly by: 'operator' | 'shutdown' } & Stamp);

export type SessionEventType = SessionEvent['type'];
export type EventOf<T extends SessionEventType> = Extract<SessionEvent, { type: T }>;
