/** The policy of a configuration with its rules, and the classes its users are in. */
import { addressOf, addressPattern } from '../policy/address-pattern.ts';
import { RuledPolicy } from '../policy/ruled-policy.ts';
import type { ClassOf, PolicyRule } from '../policy/rules.ts';
import { policyOf } from './config/policy.ts';
import type { Config } from './config/schema.ts';
import type { Served } from './subscribers.ts';

/** @param served classes of users are looked up there at each session, since a reload changes them */
export function policiesOf(config: Config, served: Pick<Served, 'users'>): RuledPolicy {
  return new RuledPolicy(policyOf(config), rulesOf(config), classesOf(config, served));
}

/** Where no second session is ever tried, no rule brings one back. */
function rulesOf({ policy, isf }: Config): readonly PolicyRule[] {
  if (isf.secondary.enabled) return policy.rules;
  return policy.rules.map((rule) =>
    rule.set.rejectedStreams === undefined ? rule : { ...rule, set: { ...rule.set, rejectedStreams: 'accept' } },
  );
}

/** What users.yaml says of the user, else the first class with a pattern that fits the address. */
function classesOf({ policy }: Config, served: Pick<Served, 'users'>): ClassOf {
  const classes = Object.entries(policy.userClasses).map(
    ([name, patterns]) => [name, patterns.map(addressPattern)] as const,
  );
  return (user) => {
    const own = served.users?.find(user)?.userClass;
    if (own !== undefined) return own;
    const address = addressOf(user);
    return classes.find(([, patterns]) => patterns.some((pattern) => pattern.matches(address)))?.[0] ?? null;
  };
}
