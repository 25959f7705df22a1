/**
 * The policy of a function: one for all sessions, and rules for some. Every rule that applies is used, in the order in
 * which they are written; where two set the same key, the later one holds. A rule that is `final` ends the list.
 */
import type { Policy } from '../../machines/session/policy.ts';
import {
  Asked,
  applies,
  type ClassOf,
  type CompiledRule,
  type Condition,
  changed,
  compiledRule,
  keysOf,
  type PolicyQuestion,
  type PolicyRule,
} from './rules.ts';

/** One condition of a rule, and how it was met. */
export interface ConditionAnswer {
  /** `when.time`, `unless.media` */
  readonly condition: string;
  readonly holds: boolean;
  /** What of the rule was met; null where nothing was. */
  readonly met: string | null;
  /** What it was compared with. */
  readonly found: unknown;
}

export interface RuleAnswer {
  readonly rule: string;
  readonly applies: boolean;
  readonly conditions: readonly ConditionAnswer[];
  /** Keys it sets. */
  readonly sets: readonly string[];
}

export interface ChoiceExplained {
  readonly policy: Policy;
  readonly userClass: string | null;
  /** Every rule that was looked at; those behind a final one that applies were not. */
  readonly rules: readonly RuleAnswer[];
  /** Rule that a key of the policy has its value from; keys that are not here are those of `policy` itself. */
  readonly origins: Readonly<Record<string, string>>;
}

/** Combinations of rules kept, so that sessions share policies. More of them only cost memory and writing. */
const MAX_KEPT = 512;

/** Rules that led to a policy. */
const APPLIED = new WeakMap<Policy, readonly string[]>();

/** Names of the rules that made this policy; none where it is of nobody's making, or was read from a store. */
export function appliedRules(policy: Policy): readonly string[] {
  return APPLIED.get(policy) ?? [];
}

export class RuledPolicy {
  readonly base: Policy;
  readonly #rules: readonly CompiledRule[];
  readonly #classOf: ClassOf;
  /** By the places of the rules that apply. */
  readonly #kept = new Map<string, Policy>();

  /** Throws a TypeError or RangeError where a rule has a pattern or a time zone that is none. */
  constructor(base: Policy, rules: readonly PolicyRule[] = [], classOf: ClassOf = () => null) {
    this.base = base;
    this.#rules = rules.map(compiledRule);
    this.#classOf = classOf;
  }

  get rules(): readonly PolicyRule[] {
    return this.#rules.map(({ rule }) => rule);
  }

  /** True where every session has the same policy, so that nothing has to be asked. */
  get uniform(): boolean {
    return this.#rules.length === 0;
  }

  /** The policy of a session that begins. Sessions to which the same rules apply share one object. */
  choose(question: PolicyQuestion): Policy {
    if (this.uniform) return this.base;
    const asked = new Asked(question, this.#classOf);
    const places: number[] = [];
    for (const [place, compiled] of this.#rules.entries()) {
      if (!applies(compiled, asked)) continue;
      places.push(place);
      if (compiled.rule.final === true) break;
    }
    return places.length === 0 ? this.base : this.#madeOf(places);
  }

  #madeOf(places: readonly number[]): Policy {
    const key = places.join(' ');
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const rules = places.map((place) => (this.#rules[place] as CompiledRule).rule);
    const policy = rules.reduce((before, { set }) => changed(before, set), this.base);
    APPLIED.set(
      policy,
      rules.map(({ name }) => name),
    );
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, policy);
    return policy;
  }

  /** The same choice, with each rule's conditions. */
  explain(question: PolicyQuestion): ChoiceExplained {
    const asked = new Asked(question, this.#classOf);
    const rules: RuleAnswer[] = [];
    const origins: Record<string, string> = {};
    for (const compiled of this.#rules) {
      const { name, set, final } = compiled.rule;
      const holds = applies(compiled, asked);
      rules.push({ rule: name, applies: holds, conditions: conditionAnswers(compiled, asked), sets: keysOf(set) });
      if (!holds) continue;
      for (const key of keysOf(set)) origins[key] = name;
      if (final === true) break;
    }
    return { policy: this.choose(question), userClass: asked.userClass, rules, origins };
  }
}

function conditionAnswers({ when, unless }: CompiledRule, asked: Asked): ConditionAnswer[] {
  const answer = (part: string, one: Condition): ConditionAnswer => {
    const met = one.met(asked) ?? null;
    return { condition: `${part}.${one.name}`, holds: met !== null, met, found: one.about(asked) };
  };
  return [...when.map((one) => answer('when', one)), ...(unless ?? []).map((one) => answer('unless', one))];
}
