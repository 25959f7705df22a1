/**
 * Policy rules: what is different for some sessions, and for which. A rule has conditions, all of which must hold, and
 * keys it sets. Rules are read once, when a session begins; the policy they lead to is the session's for its whole life.
 */
import type { Compat, Policy, Role, SessionTimers } from '../../machines/session/policy.ts';
import { type Address, type AddressPattern, addressOf, addressPattern } from './address-pattern.ts';
import { type SpanTest, spanTest, type TimeSpan } from './local-time.ts';

export interface PolicyRule {
  /** Names it in explanations; no two have the same. */
  readonly name: string;
  /** All of these must hold; absent: always. */
  readonly when?: Conditions | undefined;
  /** The rule is left out where all of these hold. */
  readonly unless?: Conditions | undefined;
  readonly set: PolicyChange;
  /** No further rule is looked at where this one applies. */
  readonly final?: boolean | undefined;
}

/** In each list one is enough. */
export interface Conditions {
  readonly role?: Role | undefined;
  readonly service?: readonly string[] | undefined;
  /** Classes of the served user. */
  readonly userClass?: readonly string[] | undefined;
  /** Address patterns. On the terminating side it is the address the user was called by. */
  readonly destination?: readonly string[] | undefined;
  /** Address patterns; any identity the core asserts is enough. */
  readonly originator?: readonly string[] | undefined;
  /** Types of m-lines; one offered line is enough. An INVITE without an offer has none. */
  readonly media?: readonly string[] | undefined;
  readonly time?: readonly TimeSpan[] | undefined;
}

/** What is configured apart from the sessions, or built into what runs. */
type Fixed = 'isfAvailable' | 'secondaryTimeoutMs' | 'preferencesTimeoutMs' | 'mediaFailure';
type Nested = 'interworkOn' | 'timers' | 'compat';

type Optional<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

export type PolicyChange = Optional<Omit<Policy, Fixed | Nested>> & {
  readonly interworkOn?: Optional<Policy['interworkOn']> | undefined;
  readonly timers?: Optional<Omit<SessionTimers, 'transactionMs' | 'ringingMs'>> | undefined;
  readonly compat?: Optional<Compat> | undefined;
};

/** What is known of a session when its policy is chosen. */
export interface PolicyQuestion {
  readonly role: Role;
  readonly service: string;
  /** Address of the served user. */
  readonly user: string;
  readonly destination: string;
  readonly originators: readonly string[];
  /** Offered media types without the disabled lines; null for a late offer. */
  readonly media: readonly string[] | null;
  /** ms since the epoch. */
  readonly at: number;
}

/** The class of a user by any address; null for one who is in none. */
export type ClassOf = (address: string) => string | null;

/** A question with what several rules look at worked out once, and not before one of them does. */
export class Asked {
  readonly question: PolicyQuestion;
  readonly #classOf: ClassOf;
  #userClass: string | null | undefined;
  #destination: readonly Address[] | undefined;
  #originators: readonly Address[] | undefined;

  constructor(question: PolicyQuestion, classOf: ClassOf) {
    this.question = question;
    this.#classOf = classOf;
  }

  get userClass(): string | null {
    if (this.#userClass === undefined) this.#userClass = this.#classOf(this.question.user);
    return this.#userClass;
  }

  get destination(): readonly Address[] {
    this.#destination ??= [addressOf(this.question.destination)];
    return this.#destination;
  }

  get originators(): readonly Address[] {
    this.#originators ??= this.question.originators.map(addressOf);
    return this.#originators;
  }
}

export interface Condition {
  readonly name: keyof Conditions;
  /** What of the condition it met; undefined where it did not. */
  met(asked: Asked): string | undefined;
  /** What it looks at. */
  about(asked: Asked): unknown;
}

export interface CompiledRule {
  readonly rule: PolicyRule;
  readonly when: readonly Condition[];
  /** Null where there is none. */
  readonly unless: readonly Condition[] | null;
}

/** Throws a TypeError or RangeError where a pattern or a zone is none. */
export function compiledRule(rule: PolicyRule): CompiledRule {
  return {
    rule,
    when: conditionsOf(rule.when ?? {}),
    unless: rule.unless === undefined ? null : conditionsOf(rule.unless),
  };
}

export function applies({ when, unless }: CompiledRule, asked: Asked): boolean {
  return when.every((one) => one.met(asked) !== undefined) && !excluded(unless, asked);
}

function excluded(unless: CompiledRule['unless'], asked: Asked): boolean {
  return unless?.every((one) => one.met(asked) !== undefined) ?? false;
}

/** In the order of their cost. */
function conditionsOf(of: Conditions): Condition[] {
  const { role, service, userClass, destination, originator, media, time } = of;
  const conditions: Condition[] = [];
  if (role !== undefined) {
    conditions.push(listed('role', [role], ({ question }) => [question.role]));
  }
  if (service !== undefined) conditions.push(listed('service', service, ({ question }) => [question.service]));
  if (media !== undefined) conditions.push(listed('media', media, ({ question }) => question.media ?? []));
  if (userClass !== undefined) {
    conditions.push(listed('userClass', userClass, (asked) => (asked.userClass === null ? [] : [asked.userClass])));
  }
  if (destination !== undefined) {
    conditions.push(addressed('destination', destination.map(addressPattern), (asked) => asked.destination));
  }
  if (originator !== undefined) {
    conditions.push(addressed('originator', originator.map(addressPattern), (asked) => asked.originators));
  }
  if (time !== undefined) conditions.push(timed(time.map(spanTest)));
  return conditions;
}

function listed(
  name: keyof Conditions,
  wanted: readonly string[],
  found: (asked: Asked) => readonly string[],
): Condition {
  return { name, met: (asked) => found(asked).find((one) => wanted.includes(one)), about: found };
}

function addressed(
  name: keyof Conditions,
  patterns: readonly AddressPattern[],
  found: (asked: Asked) => readonly Address[],
): Condition {
  return {
    name,
    met: (asked) => {
      const addresses = found(asked);
      return patterns.find((pattern) => addresses.some((address) => pattern.matches(address)))?.text;
    },
    about: (asked) => found(asked).map(({ forms }) => forms[0]),
  };
}

function timed(spans: readonly SpanTest[]): Condition {
  return {
    name: 'time',
    met: ({ question }) => spans.find((span) => span.holds(question.at))?.text,
    about: ({ question }) => [...new Set(spans.map((span) => span.localTime(question.at)))],
  };
}

/** The policy with what a rule sets. A rule can take recording away, not give a store where none is configured. */
export function changed(policy: Policy, set: PolicyChange): Policy {
  const { interworkOn, timers, compat, recording, ...plain } = set;
  return {
    ...policy,
    ...said(plain),
    interworkOn: { ...policy.interworkOn, ...said(interworkOn) },
    timers: { ...policy.timers, ...said(timers) },
    compat: { ...policy.compat, ...said(compat) },
    recording: policy.recording && (recording ?? true),
  };
}

function said<T extends object>(keys: T | undefined): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(keys ?? {}).filter(([, value]) => value !== undefined)) as never;
}

/** Keys a change sets, as `interworkOn.orig`. */
export function keysOf(set: PolicyChange): string[] {
  return Object.entries(said(set)).flatMap(([key, value]) =>
    NESTED.includes(key) ? Object.keys(said(value as object)).map((inner) => `${key}.${inner}`) : [key],
  );
}

const NESTED: readonly string[] = ['interworkOn', 'timers', 'compat'] satisfies readonly Nested[];
