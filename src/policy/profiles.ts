/** What is known of a served user for one invitation: the directory, the registrations and the live sessions, put together. */
import type { Profile, RegisteredClient } from '../../machines/session/policy.ts';
import type { ProfilePort, ProfileQuery } from '../engine/ports.ts';
import { isDisturbing } from '../preferences/do-not-disturb.ts';
import type { User } from '../preferences/users.ts';

/** A user as a directory knows it. */
export type ProfileUser = Omit<User, 'clients'> & { readonly clients: readonly RegisteredClient[] };

export interface ProfileSources {
  /** Undefined: no such user. */
  readonly user: (address: string) => ProfileUser | undefined;
  /** Clients that are registered; null leaves it to the directory. */
  readonly clients: (address: string) => readonly RegisteredClient[] | null;
  /** Instance on which the session with this Contribution-ID lives. */
  readonly instanceOf: (user: string, contributionId: string) => string | null;
  /** True: a do-not-disturb rule counts whatever its conditions say; absent means no. */
  readonly dndIgnoresConditions?: () => boolean;
}

export function profiles(sources: ProfileSources): ProfilePort {
  return { lookUp: (query, done) => done(profileOf(query, sources)) };
}

export function profileOf(query: ProfileQuery, sources: ProfileSources): Profile {
  const user = sources.user(query.user);
  if (user === undefined) return UNKNOWN;
  return {
    known: true,
    user: user.address,
    services: user.services,
    allowOfflineStorage: user.allowOfflineStorage,
    doNotDisturb: isUndisturbed(query, user, sources.dndIgnoresConditions?.() ?? false),
    blacklisted: isBlacklisted(query, user),
    interworking: user.interworking,
    clients: query.role === 'term' ? (sources.clients(user.address) ?? user.clients) : [],
    replacedInstance: query.sessionReplaces === null ? null : sources.instanceOf(user.address, query.sessionReplaces),
  };
}

/** T-INV-4, A-37: the whole of the conditions, for this originator and now; read by its letter, that a rule exists. */
function isUndisturbed(query: ProfileQuery, { doNotDisturb }: ProfileUser, ignoresConditions: boolean): boolean {
  if (typeof doNotDisturb === 'boolean') return doNotDisturb;
  return ignoresConditions ? doNotDisturb.length > 0 : isDisturbing(doNotDisturb, query);
}

/** T-INV-3, A-36: any of the asserted identities; in a group the focus asserts its own, so whoever referred counts too. */
function isBlacklisted(query: ProfileQuery, user: ProfileUser): boolean {
  const behindFocus = query.service === 'session.group' && query.referredBy !== null;
  const asked = behindFocus ? [...query.originators, query.referredBy as string] : query.originators;
  return asked.some((identity) => user.blacklist.has(identity));
}

const UNKNOWN: Profile = {
  known: false,
  user: null,
  services: [],
  allowOfflineStorage: false,
  doNotDisturb: false,
  blacklisted: false,
  interworking: null,
  clients: [],
  replacedInstance: null,
};
