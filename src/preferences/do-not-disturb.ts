/** Do-not-disturb rules: an action of the user's access rules, under conditions (8.3.2.1 step 4, RFC 4745 7, A-37). */

/** A rule is in force where all its conditions hold; null is a condition it does not have. */
export interface DoNotDisturbRule {
  /** Identity keys and domains of originators; any of them is enough. */
  readonly identities: ReadonlySet<string> | null;
  readonly domains: readonly string[] | null;
  /** Identity keys the rule leaves out. */
  readonly except: ReadonlySet<string>;
  /** True for originators no other rule names (`other-identity`). */
  readonly otherIdentity: boolean;
  readonly services: readonly string[] | null;
  /** Spans of time, ms since the epoch. */
  readonly validity: readonly { readonly from: number; readonly until: number }[] | null;
}

/** Who asks, for which service, when. */
export interface Disturbance {
  /** Identity keys. */
  readonly originators: readonly string[];
  readonly service: string;
  /** ms since the epoch. */
  readonly at: number;
}

/** True where some rule is in force for this originator now. */
export function isDisturbing(rules: readonly DoNotDisturbRule[], asked: Disturbance): boolean {
  return rules.some(
    (rule) =>
      appliesTo(rule, rules, asked) && appliesAt(rule, asked) && (rule.services?.includes(asked.service) ?? true),
  );
}

function appliesTo(rule: DoNotDisturbRule, rules: readonly DoNotDisturbRule[], asked: Disturbance): boolean {
  if (asked.originators.some((identity) => rule.except.has(identity))) return false;
  if (rule.otherIdentity) return !rules.some((other) => namesSomebody(other) && isNamed(other, asked));
  return !namesSomebody(rule) || isNamed(rule, asked);
}

function namesSomebody(rule: DoNotDisturbRule): boolean {
  return rule.identities !== null || rule.domains !== null;
}

function isNamed({ identities, domains }: DoNotDisturbRule, { originators }: Disturbance): boolean {
  return originators.some(
    (identity) =>
      identities?.has(identity) === true ||
      domains?.some((domain) => identity.toLowerCase().endsWith(`@${domain.toLowerCase()}`)) === true,
  );
}

function appliesAt({ validity }: DoNotDisturbRule, { at }: Disturbance): boolean {
  return validity === null || validity.some(({ from, until }) => at >= from && at < until);
}
