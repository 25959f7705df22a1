/** A scene: who takes part, how they behave, and what happens in which order. JSON, so that it can be kept and shrunk. */
import type { Policy } from '../../../machines/session/policy.ts';
import type { Conduct } from '../endpoint/conduct.ts';
import type { NetworkFaults } from '../network-faults.ts';
import type { HistoryMood } from '../unreliable-history.ts';

/** `near` invites; `far` is reached through the core; the others are the Interworking Functions behind the ISF. */
export type Who = 'near' | 'far' | 'iwf1' | 'iwf2';

export interface Setting {
  readonly role: 'orig' | 'term';
  readonly mediaPath: Policy['mediaPath'];
  /** The destination lies outside CPM: the ISF is invited instead of the core. */
  readonly interworked: boolean;
  /** There is an ISF. */
  readonly isf: boolean;
  /** The served user wants the conversation kept. */
  readonly storage: boolean;
  /** Message streams in the offer; 0: the INVITE has no offer. */
  readonly streams: number;
  readonly partialClose: Policy['partialClose'];
  /** Session interval, seconds. */
  readonly interval: number;
  readonly refresher: 'us' | 'peer';
  /** Option tags in the INVITE's Supported. */
  readonly supported: readonly ('timer' | '100rel')[];
  readonly network: NetworkFaults;
  /** How long preferences take, ms; 0: at hand; null: they never come. */
  readonly preferencesMs: number | null;
  /** The preference server answers once (as where this is absent), says the same once more, or the opposite. */
  readonly xdms?: 'once' | 'twice' | 'contrary';
  /** How long a commit of the session store takes, ms. */
  readonly commitMs: number;
  /** How long each operation of the message store takes, ms. */
  readonly historyMs: number;
  readonly conduct: { readonly [who in Who]?: Partial<Conduct> };
}

export type Command =
  | { readonly do: 'wait'; readonly ms: number }
  /** In a dialog that was agreed on, or in an `early` one. */
  | { readonly do: 'bye'; readonly who: Who; readonly early?: boolean }
  /** `rash`: before any provisional response (against RFC 3261 9.1). */
  | { readonly do: 'cancel'; readonly rash: boolean }
  /** An offer, or with `empty` an UPDATE or re-INVITE without one. */
  | {
      readonly do: 'offer';
      readonly who: Who;
      readonly method: 'INVITE' | 'UPDATE';
      readonly empty: boolean;
      readonly early?: boolean;
    }
  | { readonly do: 'ask'; readonly who: Who; readonly method: 'INFO' | 'OPTIONS' | 'MESSAGE'; readonly early?: boolean }
  /** CANCELs a re-INVITE that is open. */
  | { readonly do: 'retract'; readonly who: Who }
  /** Hears and says nothing, until it is woken. */
  | { readonly do: 'deafen' | 'wake'; readonly who: Who }
  /** Has lost its dialogs: 481 to whatever is asked in them. */
  | { readonly do: 'forget'; readonly who: Who }
  | { readonly do: 'conduct'; readonly who: Who; readonly change: Partial<Conduct> }
  /** Nothing passes to, or from, somebody for a while. */
  | { readonly do: 'cut'; readonly who: Who; readonly way: 'to' | 'from'; readonly ms: number }
  | { readonly do: 'faults'; readonly faults: NetworkFaults }
  /** `kill -9` at once, after the next commit is on the disk, or after the next operation of the message store. */
  | { readonly do: 'crash'; readonly instant: 'now' | 'committed' | 'stored'; readonly downMs: number }
  | { readonly do: 'history'; readonly mood: HistoryMood; readonly delayMs: number }
  /** `full`: the session store takes nothing. Calls go on without their record then, so it is no scene for a kill. */
  | { readonly do: 'disk'; readonly commitMs: number; readonly full?: boolean }
  | { readonly do: 'policy'; readonly change: Partial<Pick<Policy, 'mediaPath' | 'partialClose' | 'recording'>> }
  | { readonly do: 'order'; readonly by: 'operator' | 'shutdown' }
  | { readonly do: 'mediaFails' }
  /** The same INVITE by another way (RFC 3261 8.2.2.2), or a new one under the same Call-ID. */
  | { readonly do: 'invite'; readonly how: 'merged' | 'sameCallId' | 'anew' };

/**
 * How the scene comes to its end. `safety`: as it stands, faults and all, somebody ends everything. `liveness`: the
 * world becomes healthy, or one fault lasts for ever in one direction, and all must end within the bound.
 */
export type Finale =
  | { readonly mode: 'safety'; readonly by: 'hangUp' | 'operator' | 'shutdown' | 'silence' }
  | { readonly mode: 'liveness'; readonly by: 'health' }
  | { readonly mode: 'liveness'; readonly by: 'cut'; readonly who: Who; readonly way: 'to' | 'from' };

export interface Scene {
  readonly seed: number;
  readonly setting: Setting;
  readonly commands: readonly Command[];
  readonly finale: Finale;
}

export const PLAIN_SETTING: Setting = {
  role: 'orig',
  mediaPath: 'always',
  interworked: false,
  isf: false,
  storage: false,
  streams: 1,
  partialClose: 'streams',
  interval: 1800,
  refresher: 'peer',
  supported: ['timer'],
  network: { loss: 0, duplication: 0, delayMs: 1 },
  preferencesMs: 0,
  xdms: 'once',
  commitMs: 0,
  historyMs: 0,
  conduct: {},
};
