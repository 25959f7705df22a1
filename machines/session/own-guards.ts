/**
 * Guards of an operator's own: questions of policy, answered in TypeScript. An own guard is given the standard answer
 * and may give another. It is asked only where its question arises: what the protocol forbids, such as trying the ISF
 * after a CANCEL, stays forbidden whatever it says. It must be a pure function of what it is given, since a traced or
 * explained step asks it again.
 */
import type { SessionContext } from './context.ts';
import type { EventOf, SessionEvent } from './events.ts';
import { type GuardName, guards, mayTryElsewhere, noClientRegistered } from './guards.ts';
import { liveIwfLegs } from './legs.ts';
import { NEVER_INTERWORKED, type Policy } from './policy.ts';

/** Event each question is asked at. */
interface AskedAt {
  serviceNotAuthorised: SessionEvent;
  servedUserUnknown: SessionEvent;
  versionNotSupported: SessionEvent;
  anonymityNotAllowed: SessionEvent;
  originatorBlacklisted: SessionEvent;
  doNotDisturb: SessionEvent;
  mediaNotAllowed: SessionEvent;
  lateOfferNotAllowed: EventOf<'answered'>;
  noClientReject: SessionEvent;
  noClientInterwork: SessionEvent;
  destinationOutsideSip: SessionEvent;
  extendsKnownSession: SessionEvent;
  noClientSuitableInterwork: SessionEvent;
  redirected: EventOf<'failed'>;
  interworkingAllowed: EventOf<'failed'>;
  secondaryWorthTrying: EventOf<'answered'>;
  closesOnlyItsStreams: EventOf<'bye'>;
  mediaFailureEnds: EventOf<'mediaFailed'>;
}

/** Guards that are questions of policy, and so may be answered otherwise. */
export type PolicyGuardName = keyof AskedAt & GuardName;

export interface Asking<Event extends SessionEvent = SessionEvent> {
  readonly context: SessionContext;
  /** Policy of the session, as it was when it began. */
  readonly policy: Policy;
  readonly event: Event;
}

/** @param standard what the engine itself would answer */
export type OwnGuard<Name extends PolicyGuardName = PolicyGuardName> = (
  asking: Asking<AskedAt[Name]>,
  standard: boolean,
) => boolean;

export type OwnGuards = { readonly [Name in PolicyGuardName]?: OwnGuard<Name> };

type Args = { readonly context: SessionContext; readonly event: SessionEvent };
type Arises = (args: Args, standard: boolean) => boolean;

const profileKnown: Arises = ({ context }) => context.profile !== null;
const terminating: Arises = ({ context }) => context.role === 'term' && context.profile !== null;
/** A yes leads to something that needs what the standard answer has made sure of: an own guard can only say no. */
const onlyToSayNo: Arises = (_args, standard) => standard;

/** Where each question arises; elsewhere the standard answer stands. */
const ARISES: { readonly [Name in PolicyGuardName]: Arises } = {
  serviceNotAuthorised: ({ context }) => context.role === 'orig' && context.profile !== null,
  servedUserUnknown: terminating,
  versionNotSupported: profileKnown,
  anonymityNotAllowed: profileKnown,
  originatorBlacklisted: terminating,
  doNotDisturb: terminating,
  mediaNotAllowed: (args, standard) => terminating(args, standard) && args.context.invite.streams !== null,
  lateOfferNotAllowed: ({ context, event }) =>
    context.role === 'term' && context.mode === 'b2bua' && (event as EventOf<'answered'>).offered != null,
  noClientReject: (args) => noClientRegistered(args),
  noClientInterwork: (args) => noClientRegistered(args) && args.context.policy.isfAvailable,
  destinationOutsideSip: ({ context }) => context.role === 'orig' && context.policy.isfAvailable,
  extendsKnownSession: onlyToSayNo,
  noClientSuitableInterwork: (args) =>
    args.context.mode === 'b2bua' && guards.noClientSuitable(args) && args.context.policy.isfAvailable,
  redirected: onlyToSayNo,
  interworkingAllowed: (args) => {
    const { attempts, policy, role } = args.context;
    const { status } = args.event as EventOf<'failed'>;
    return mayTryElsewhere(args) && !attempts.isf && policy.isfAvailable && !NEVER_INTERWORKED[role].includes(status);
  },
  secondaryWorthTrying: onlyToSayNo,
  closesOnlyItsStreams: ({ context, event }) => {
    const { leg } = event as EventOf<'bye'>;
    if (context.legs[leg]?.peer !== 'iwf') return false;
    return liveIwfLegs(context.legs).some((name) => name !== leg && context.carriers.includes(name));
  },
  mediaFailureEnds: () => true,
};

export const POLICY_GUARDS = Object.keys(ARISES) as PolicyGuardName[];

export function isPolicyGuard(name: string): name is PolicyGuardName {
  return Object.hasOwn(ARISES, name);
}

export interface OwnAnswer {
  readonly holds: boolean;
  readonly standard: boolean;
  /** Why the own guard gave no answer; then the standard one stands. */
  readonly failure: string | null;
}

/** Answer of an own guard; undefined where its question does not arise. */
export function ownAnswer(name: PolicyGuardName, own: OwnGuards, args: Args): OwnAnswer | undefined {
  const standard = guards[name](args);
  if (!ARISES[name](args, standard)) return undefined;
  const { context, event } = args;
  try {
    const holds: unknown = (own[name] as OwnGuard)(
      { context, policy: context.policy, event: event as never },
      standard,
    );
    if (typeof holds === 'boolean') return { holds, standard, failure: null };
    const given = holds instanceof Promise ? 'a promise' : String(holds);
    return { holds: standard, standard, failure: `it answered ${given}, not true or false` };
  } catch (error) {
    return { holds: standard, standard, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Told of an own guard that gave no answer. */
export type GuardFailed = (guard: PolicyGuardName, failure: string, session: string) => void;

/**
 * The own guards in the form of a chart's, to be given to `sessionMachine.provide()`. Throws a TypeError where one is no
 * function, or no guard of this name is a question of policy.
 */
export function provided(own: OwnGuards, failed: GuardFailed): Partial<typeof guards> {
  const entries = Object.entries(own).map(([name, guard]) => {
    if (!isPolicyGuard(name)) {
      throw new TypeError(`guards.${name}: no such question of policy; there are ${POLICY_GUARDS.join(', ')}`);
    }
    if (typeof guard !== 'function') throw new TypeError(`guards.${name}: expected a function, found ${typeof guard}`);
    const ask = (args: Args): boolean => {
      const answer = ownAnswer(name, own, args);
      if (answer === undefined) return guards[name](args);
      if (answer.failure !== null) failed(name, answer.failure, args.context.id);
      return answer.holds;
    };
    return [name, ask];
  });
  return Object.fromEntries(entries) as Partial<typeof guards>;
}
