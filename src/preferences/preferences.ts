/** What a served user wishes, for one invitation (8.4.1). */
import type { ProfileQuery } from '../engine/ports.ts';
import { type Asked, holds } from './rules.ts';
import type { User } from './users.ts';

export interface Preferences {
  readonly allowOfflineStorage: boolean;
  readonly doNotDisturb: boolean;
  /** The originator is on the user's blacklist. */
  readonly blacklisted: boolean;
  /** Null leaves it to the provider. */
  readonly interworking: boolean | null;
}

/** Where preferences are kept. The answer comes at once or later, and always. */
export interface PreferencesSource {
  /** `user`: the user's own address. */
  ask(user: string, query: ProfileQuery, done: (preferences: Preferences) => void): void;
}

/** The wishes of a user whose preferences stand beside the user, as in users.yaml. */
export function preferencesOf(
  user: Omit<User, 'clients'>,
  query: ProfileQuery,
  ignoresConditions: boolean,
): Preferences {
  return {
    allowOfflineStorage: user.allowOfflineStorage,
    doNotDisturb: isUndisturbed(user, query, ignoresConditions),
    blacklisted: blacklistedBy(query).some((identity) => user.blacklist.has(identity)),
    interworking: user.interworking,
  };
}

/** T-INV-4, A-37: the whole of the conditions, for this originator and now; read by its letter, that a rule exists. */
function isUndisturbed({ doNotDisturb }: Omit<User, 'clients'>, asked: Asked, ignoresConditions: boolean): boolean {
  if (typeof doNotDisturb === 'boolean') return doNotDisturb;
  return ignoresConditions ? doNotDisturb.length > 0 : doNotDisturb.some((rule) => holds(rule, doNotDisturb, asked));
}

/** T-INV-3, A-36: any of the asserted identities; in a group the focus asserts its own, so whoever referred counts too. */
export function blacklistedBy({ service, originators, referredBy }: ProfileQuery): readonly string[] {
  return service === 'session.group' && referredBy !== null ? [...originators, referredBy] : originators;
}
