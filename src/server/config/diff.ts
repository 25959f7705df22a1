/** What differs between two configurations: keys with their values, rules by name, users by their number. */
import type { PolicyRule } from '../../policy/rules.ts';
import type { User, UserDirectory } from '../../preferences/users.ts';
import type { Config } from './schema.ts';

export interface KeyChange {
  readonly key: string;
  /** Undefined where it was not there. */
  readonly from: unknown;
  readonly to: unknown;
}

export interface RuleChange {
  readonly rule: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** What is different in one that has changed; what it sets in one that is new. */
  readonly keys: readonly KeyChange[];
}

export interface UsersChange {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

export interface ConfigDiff {
  readonly keys: readonly KeyChange[];
  readonly rules: readonly RuleChange[];
  /** Names of the rules in their new order, where those that stayed have changed places; else null. */
  readonly order: readonly string[] | null;
  readonly users: UsersChange;
}

export interface Side {
  readonly config: Config;
  /** Undefined where everybody is served. */
  readonly users: UserDirectory | undefined;
}

export function diffOf(before: Side, after: Side): ConfigDiff {
  const [from, to] = [before.config, after.config].map(withoutRules);
  return {
    keys: keyChanges(from, to),
    rules: ruleChanges(before.config.policy.rules, after.config.policy.rules),
    order: newOrder(before.config.policy.rules, after.config.policy.rules),
    users: userChanges(before.users, after.users),
  };
}

export function isSame({ keys, rules, order, users }: ConfigDiff): boolean {
  return keys.length + rules.length + users.added + users.removed + users.changed === 0 && order === null;
}

/** Rules are told one by one. */
function withoutRules(config: Config): unknown {
  const { rules: _rules, ...policy } = config.policy;
  return { ...config, policy };
}

/** What differs in two sections, each leaf by its path; a list is one value. */
export function keyChanges(from: unknown, to: unknown, above: readonly string[] = []): KeyChange[] {
  if (isSection(from) && isSection(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return names.flatMap((name) => keyChanges(from[name], to[name], [...above, name]));
  }
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ key: above.join('.'), from, to }];
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function ruleChanges(before: readonly PolicyRule[], after: readonly PolicyRule[]): RuleChange[] {
  const changes: RuleChange[] = [];
  for (const rule of before) {
    const now = after.find(({ name }) => name === rule.name);
    if (now === undefined) changes.push({ rule: rule.name, change: 'removed', keys: [] });
    else {
      const keys = keyChanges(rule, now);
      if (keys.length > 0) changes.push({ rule: rule.name, change: 'changed', keys });
    }
  }
  for (const rule of after) {
    if (before.some(({ name }) => name === rule.name)) continue;
    changes.push({ rule: rule.name, change: 'added', keys: keyChanges({}, { ...rule.set }) });
  }
  return changes;
}

function newOrder(before: readonly PolicyRule[], after: readonly PolicyRule[]): string[] | null {
  const stayed = (rules: readonly PolicyRule[], others: readonly PolicyRule[]): string[] =>
    rules.map(({ name }) => name).filter((name) => others.some((other) => other.name === name));
  const [was, is] = [stayed(before, after), stayed(after, before)];
  return was.join(' ') === is.join(' ') ? null : after.map(({ name }) => name);
}

function userChanges(before: UserDirectory | undefined, after: UserDirectory | undefined): UsersChange {
  const was = textsOf(before);
  const is = textsOf(after);
  let [added, changed] = [0, 0];
  for (const [address, text] of is) {
    if (!was.has(address)) added++;
    else if (was.get(address) !== text) changed++;
  }
  return { added, changed, removed: [...was.keys()].filter((address) => !is.has(address)).length };
}

function textsOf(directory: UserDirectory | undefined): Map<string, string> {
  return new Map((directory?.users ?? []).map((user) => [user.address, textOf(user)]));
}

function textOf(user: User): string {
  return JSON.stringify(user, (_key, value) => (value instanceof Set ? [...value] : value));
}

/** One line for each change; `note` says more about a key, such as that it needs a restart. */
export function diffLines(
  { keys, rules, order, users }: ConfigDiff,
  note: (key: string) => string = () => '',
): string[] {
  const { added, removed, changed } = users;
  const numbers = [`${added} added`, `${removed} removed`, `${changed} changed`].filter(
    (text) => !text.startsWith('0'),
  );
  return [
    ...keys.map((change) => `${changeText(change)}${note(change.key)}`),
    ...rules.map(ruleText),
    ...(order === null ? [] : [`policy.rules in another order: ${order.join(', ')}`]),
    ...(numbers.length === 0 ? [] : [`users: ${numbers.join(', ')}`]),
  ];
}

const MARKS = { added: '+', removed: '-', changed: '~' } as const;

function ruleText({ rule, change, keys }: RuleChange): string {
  const what = change === 'added' ? keys.map(({ key, to }) => `${key} ${valueText(to)}`) : keys.map(changeText);
  return `policy.rules ${MARKS[change]} ${rule}${what.length === 0 ? '' : `: ${what.join(', ')}`}`;
}

export function changeText({ key, from, to }: KeyChange): string {
  return `${key}: ${valueText(from)} → ${valueText(to)}`;
}

function valueText(value: unknown): string {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
