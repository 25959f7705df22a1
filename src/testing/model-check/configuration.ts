/** What is searched: one role, one mode, one policy, and the peers that go with them. */
import type { LegName, SessionInput, TimerFacts } from '../../../machines/session/context.ts';
import type { Mode, Policy, Profile, Role } from '../../../machines/session/policy.ts';
import { DEFAULT_POLICY, DEFAULT_PROFILE } from '../../policy/defaults.ts';
import type { Fault } from './world.ts';

export interface Bound {
  /** Faults that may strike on one path, each kind at most once. */
  readonly faults: number;
  readonly kinds: readonly Fault[];
}

export interface Configuration {
  readonly name: string;
  readonly role: Role;
  readonly mode: Mode;
  readonly storage: boolean;
  readonly iwfs: 0 | 1 | 2;
  readonly input: SessionInput;
  readonly profile: Profile;
  /** Statuses with which the peer of a leg may refuse. */
  readonly refusals: (leg: LegName) => readonly string[];
  /** The first IWF may reject one of the two streams, so that a second one is tried. */
  readonly rejectsStreams: boolean;
  /** Peers may send a re-INVITE. */
  readonly offers: boolean;
  /** What a far leg says of session timers. */
  readonly timer: TimerFacts;
  readonly bound: Bound;
}

/** The caller refreshes. Toward a far side that knows no session timers it is ours to do so; an IWF does it itself. */
const CALLER_TIMER: TimerFacts = { supported: true, se: 1800, minSE: null, refresher: 'uac' };
const NO_TIMER: TimerFacts = { supported: false, se: null, minSE: null, refresher: null };
const IWF_TIMER: TimerFacts = { supported: true, se: 1800, minSE: null, refresher: 'uas' };

export interface Variant {
  readonly role: Role;
  readonly mode: Mode;
  readonly storage: boolean;
  readonly iwfs: 0 | 1 | 2;
}

/** Both roles, both modes, storage on and off, none, one and two IWFs. A proxy records nothing and has no second IWF. */
export const VARIANTS: readonly Variant[] = (['orig', 'term'] as const).flatMap((role) => [
  ...([false, true] as const).flatMap((storage) =>
    ([0, 1, 2] as const).map((iwfs) => ({ role, mode: 'b2bua', storage, iwfs }) as const),
  ),
  ...([0, 1] as const).map((iwfs) => ({ role, mode: 'proxy', storage: false, iwfs }) as const),
]);

export function nameOf({ role, mode, storage, iwfs }: Variant): string {
  return `${role} ${mode} ${storage ? 'stored' : 'unstored'} ${iwfs} IWF`;
}

/** What the adversary may do beyond delaying everything as long as it likes. */
export interface Adversary {
  readonly name: string;
  readonly bound: Bound;
  readonly offers: boolean;
}

/** `policy` is laid over the variant's own. */
export function configurationOf(variant: Variant, adversary: Adversary, policy: Partial<Policy> = {}): Configuration {
  const { mode, storage, iwfs } = variant;
  const profile = profileOf(variant);
  const known = mode === 'b2bua' && !storage ? profile : null;
  return {
    ...variant,
    name: `${nameOf(variant)}, ${adversary.name}`,
    profile,
    input: inputOf(variant, { ...policyOf(mode, iwfs), ...policy }, known),
    refusals: (leg) => refusalsOf(variant, leg),
    rejectsStreams: iwfs === 2,
    offers: adversary.offers,
    timer: iwfs === 2 ? IWF_TIMER : NO_TIMER,
    bound: adversary.bound,
  };
}

function policyOf(mode: Mode, iwfs: number): Policy {
  return {
    ...DEFAULT_POLICY,
    mediaPath: mode === 'b2bua' ? 'always' : 'never',
    isfAvailable: iwfs > 0,
    rejectedStreams: iwfs === 2 ? 'interwork' : 'accept',
  };
}

/** With two IWFs the invitation goes straight to the ISF: to no SIP address, or since nobody is registered. */
function profileOf({ role, storage, iwfs }: Variant): Profile {
  const clients = role === 'term' && iwfs === 2 ? [] : DEFAULT_PROFILE.clients;
  return { ...DEFAULT_PROFILE, allowOfflineStorage: storage, clients };
}

/** A profile that is given is at hand when the invitation comes; else it is asked for. */
function inputOf({ role, mode, iwfs }: Variant, policy: Policy, profile: Profile | null): SessionInput {
  const stream = { media: 'message', disabled: false };
  return {
    id: 'session',
    role,
    policy,
    profile,
    invite: {
      service: 'session',
      group: false,
      originators: ['sip:alice@home.example'],
      release: '2.0',
      anonymityRequested: false,
      anonymousFrom: false,
      scheme: role === 'orig' && iwfs === 2 ? 'mailto' : 'sip',
      streams: iwfs === 2 ? [stream, stream] : [stream],
      sessionReplaces: null,
      unsupported: { require: [], proxyRequire: [] },
      // Of a terminating session in proxy mode nobody keeps a timer.
      timer: mode === 'proxy' && role === 'term' ? NO_TIMER : CALLER_TIMER,
      allowsUpdate: true,
    },
    at: 0,
  };
}

/** One refusal that is passed on; on the first leg also one that leads elsewhere, where there is an elsewhere. */
function refusalsOf({ role, iwfs }: Variant, leg: LegName): readonly string[] {
  if (leg !== 'b') return ['486'];
  const elsewhere = [...(iwfs === 1 ? ['404'] : []), ...(role === 'term' && iwfs === 0 ? ['302'] : [])];
  return ['486', ...elsewhere];
}
