/** Who is on the stage of a play, and where: the same for a call between two functions and for a scene with one. */
import type { Session } from '../engine/session.ts';
import type { Unstamped } from '../engine/translate.ts';
import type { Endpoint } from '../testing/endpoint/endpoint.ts';
import type { Wire } from '../testing/invariants/wire.ts';
import type { VirtualClock } from '../testing/virtual-clock.ts';
import type { VirtualNetwork } from '../testing/virtual-network.ts';
import type { WatchedFunction } from '../testing/watched-function.ts';
import type { MemberId } from './acts.ts';

export interface Member {
  readonly id: MemberId;
  readonly name: string;
  readonly kind: 'user' | 'function' | 'core' | 'isf' | 'iwf';
  readonly address: string;
  /** Centre in the picture, per cent of its width and height. */
  readonly x: number;
  readonly y: number;
  /** Who stands for it at a link: the IWFs are behind the ISF. */
  readonly site: MemberId;
}

export interface PlayedFunction {
  readonly id: MemberId;
  readonly name: string;
  readonly watched: WatchedFunction;
  /** Address of the served user's client, as the function sees it. */
  readonly client: string;
  /** Addresses behind which IWFs are reached. */
  readonly iwfs: readonly string[];
  /** Sessions that must be in the message store once all is over. */
  readonly wanted: (wire: Wire) => readonly string[];
  /** Longest commit of the session store, ms. */
  readonly commitMs: number;
}

/** Something that happens by itself in a scene. */
export interface Scripted {
  /** ms since the beginning. */
  readonly at: number;
  readonly says: string;
  readonly run: () => void;
}

export interface Theatre {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly members: readonly Member[];
  readonly links: readonly (readonly [MemberId, MemberId])[];
  readonly functions: readonly PlayedFunction[];
  readonly endpoints: ReadonlyMap<MemberId, Endpoint>;
  readonly script: readonly Scripted[];
  /** Begins a session; of the two a scene knows only its own. */
  invite(to: 'bob' | 'carol', streams: number): void;
  /** Whether Bob's client is registered. */
  phone: boolean;
}

/** Told of each step of each session. */
export type Observer = (of: MemberId, session: Session, event: Unstamped | undefined) => void;
