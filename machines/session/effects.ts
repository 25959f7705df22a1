/**
 * What a session wants done: plain data. The engine stores the state that explains an effect before it carries
 * it out, and an effect done twice is harmless, since its id, its leg and its exchange make the same message.
 */
import type { LegName } from './context.ts';

export type Order =
  | { readonly type: 'fetchPreferences' }
  | { readonly type: 'trying' }
  // the invitation
  | {
      readonly type: 'invite';
      readonly leg: LegName;
      /** Where it goes: the SIP/IP core, the ISF, one client of the user, the target of a redirection, or who keeps it. */
      readonly by: 'core' | 'isf' | 'deferral' | 'replacedClient' | 'redirect';
      /** m-lines to offer; null means all. */
      readonly streams: readonly number[] | null;
      /** m-lines that policy takes out of the whole offer: port 0 in their place. */
      readonly without?: readonly number[];
      /** Redirection target. */
      readonly target?: string;
      /** Instances the core must not fork to. */
      readonly rejectInstances?: readonly string[];
      /** Instance the session is extended on. */
      readonly instance?: string;
      /** Lowest session interval the far side takes, seconds. */
      readonly minSE?: number;
    }
  | {
      readonly type: 'progress';
      readonly leg: LegName;
      readonly fork: number;
      readonly status: number;
      readonly reliable: boolean;
      /** Its number on the far side, where it is reliable (RFC 3262). */
      readonly rseq?: number;
    }
  /** 2xx toward `a`, from the answers of these legs, the first giving headers and dialog. */
  | {
      readonly type: 'answer';
      readonly from: readonly LegName[];
      readonly fork: number;
      /** m-lines of a late offer that policy takes out of it. */
      readonly without?: readonly number[];
    }
  | { readonly type: 'refuse'; readonly status: number; readonly warning?: string }
  /** The far side's refusal, passed on toward `a`. */
  | { readonly type: 'forwardFailure'; readonly leg: LegName; readonly status: number }
  | { readonly type: 'acknowledge'; readonly leg: LegName; readonly withBodyOf?: LegName }
  | { readonly type: 'cancel'; readonly leg: LegName }
  // inside the dialogs
  | { readonly type: 'bye'; readonly leg: LegName; readonly messageUid?: number }
  | { readonly type: 'answerBye'; readonly leg: LegName; readonly exchange: string; readonly messageUid?: number }
  | { readonly type: 'respond'; readonly leg: LegName; readonly exchange: string; readonly status: number }
  /** Answers a request that changes nothing, from what was last agreed on its leg. */
  | { readonly type: 'confirmUnchanged'; readonly leg: LegName; readonly exchange: string }
  | {
      readonly type: 'relayRequest';
      readonly from: LegName;
      readonly exchange: string;
      readonly to: LegName;
      readonly as: string;
      readonly fork: number;
    }
  | {
      readonly type: 'relayResponse';
      readonly from: LegName;
      readonly exchange: string;
      readonly to: LegName;
      readonly as: string;
    }
  | { readonly type: 'relayCancel'; readonly leg: LegName; readonly exchange: string }
  | { readonly type: 'refresh'; readonly leg: LegName; readonly exchange: string; readonly method: 'UPDATE' | 'INVITE' }
  /** A re-INVITE with these m-lines at port 0. */
  | { readonly type: 'reoffer'; readonly leg: LegName; readonly exchange: string; readonly without: readonly number[] }
  // proxy mode
  | { readonly type: 'forwardResponse'; readonly leg: LegName }
  | { readonly type: 'forwardAck'; readonly leg: LegName }
  | { readonly type: 'forwardRequest'; readonly leg: LegName; readonly exchange: string }
  | { readonly type: 'forwardReply'; readonly leg: LegName; readonly exchange: string }
  // services
  | { readonly type: 'releaseMedia'; readonly legs: readonly LegName[] }
  | { readonly type: 'openHistory' }
  /** `reassertSessionInfo`: also write the Session Info pointer again. */
  | { readonly type: 'sealHistory'; readonly reassertSessionInfo: boolean; readonly groupStatePointer: boolean };

export type Effect = Order & {
  /** `<step>.<index>`, unique within the session. */
  readonly id: string;
};

export type EffectType = Effect['type'];
export type EffectOf<T extends EffectType> = Extract<Effect, { type: T }>;
