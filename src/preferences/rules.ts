/** Access rules of a user: actions under conditions (RFC 4745, with the conditions OMA adds; 8.3.2.1 step 4, A-37). */

/** What a condition is judged by: who asks, for which service, when. */
export interface Asked {
  /** Identity keys of the originator; none where nobody vouches for one. */
  readonly originators: readonly string[];
  readonly service: string;
  /** ms since the epoch. */
  readonly at: number;
  /** True where an external list holds this identity. */
  readonly isListed?: (list: string, identity: string) => boolean;
}

/** A rule holds where all the conditions it has hold (RFC 4745 7); null is a condition it does not have. */
export interface Rule {
  readonly identity: IdentityCondition | null;
  /** Identity keys the rule leaves out, whatever its other conditions say. */
  readonly except: ReadonlySet<string>;
  /** True: for originators no other rule names (`other-identity`). */
  readonly otherIdentity: boolean;
  /** True: for originators nobody vouches for (`anonymous-request`). */
  readonly anonymous: boolean;
  /** Links to lists of identities, any of which is enough (`external-list`). */
  readonly externalLists: readonly string[] | null;
  readonly services: readonly string[] | null;
  /** Spans of time, ms since the epoch. */
  readonly validity: readonly { readonly from: number; readonly until: number }[] | null;
  /** True: it has a condition that can not be judged here, and so never holds (RFC 4745 7). */
  readonly unknownCondition: boolean;
}

/** RFC 4745 7.1: any of its parts is enough. */
export interface IdentityCondition {
  /** Identity keys. */
  readonly one: ReadonlySet<string>;
  readonly many: readonly Many[];
}

/** RFC 4745 7.1.2: everybody who is known, or of one domain, but for some. */
export interface Many {
  readonly domain: string | null;
  readonly except: ReadonlySet<string>;
  readonly exceptDomains: readonly string[];
}

export const UNCONDITIONAL: Rule = {
  identity: null,
  except: new Set(),
  otherIdentity: false,
  anonymous: false,
  externalLists: null,
  services: null,
  validity: null,
  unknownCondition: false,
};

/** True where the rule, one of `rules`, holds. */
export function holds(rule: Rule, rules: readonly Rule[], asked: Asked): boolean {
  if (rule.unknownCondition || asked.originators.some((identity) => rule.except.has(identity))) return false;
  if (rule.anonymous && asked.originators.length > 0) return false;
  if (rule.identity !== null && !meets(rule.identity, asked)) return false;
  if (rule.externalLists !== null && !isOnOneOf(rule.externalLists, asked)) return false;
  if (rule.otherIdentity && rules.some((other) => other !== rule && names(other, asked))) return false;
  return holdsAt(rule, asked.at) && (rule.services?.includes(asked.service) ?? true);
}

/** RFC 4745 7.1.1: somebody nobody vouches for meets no condition of identity. */
function meets({ one, many }: IdentityCondition, { originators }: Asked): boolean {
  return (
    originators.some((identity) => one.has(identity)) ||
    (originators.length > 0 && many.some((part) => includes(part, originators)))
  );
}

function includes({ domain, except, exceptDomains }: Many, originators: readonly string[]): boolean {
  if (originators.some((identity) => except.has(identity) || exceptDomains.some((one) => isOf(identity, one)))) {
    return false;
  }
  return domain === null || originators.some((identity) => isOf(identity, domain));
}

/** RFC 4745 7.1.2: the domain itself, none below it. */
function isOf(identity: string, domain: string): boolean {
  const at = identity.lastIndexOf('@');
  if (at < 0) return false;
  const host = identity
    .slice(at + 1)
    .replace(/:\d+$/, '')
    .toLowerCase();
  return host === domain.toLowerCase();
}

function isOnOneOf(lists: readonly string[], { originators, isListed }: Asked): boolean {
  return lists.some((list) => originators.some((identity) => isListed?.(list, identity) ?? false));
}

/** Whether a rule refers to this originator, which takes it from the reach of `other-identity`. */
function names(rule: Rule, asked: Asked): boolean {
  const explicit = rule.identity?.many.filter(({ domain }) => domain !== null) ?? [];
  return (
    (rule.identity !== null && meets({ one: rule.identity.one, many: explicit }, asked)) ||
    (rule.externalLists !== null && isOnOneOf(rule.externalLists, asked))
  );
}

function holdsAt({ validity }: Rule, at: number): boolean {
  return validity === null || validity.some(({ from, until }) => at >= from && at < until);
}
