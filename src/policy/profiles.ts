/** What is known of a served user for one invitation: the directory, the registrations and the live sessions, put together. */
import type { Profile, RegisteredClient } from '../../machines/session/policy.ts';
import type { ProfilePort, ProfileQuery } from '../engine/ports.ts';
import { type Preferences, type PreferencesSource, preferencesOf } from '../preferences/preferences.ts';
import type { User } from '../preferences/users.ts';

/** A user as a directory knows it. */
export type ProfileUser = Omit<User, 'clients'> & { readonly clients: readonly RegisteredClient[] };

export interface ProfileSources {
  /** Where preferences are kept; absent means with the user. */
  readonly preferences?: PreferencesSource | undefined;
  /** Undefined: no such user. */
  readonly user: (address: string, query: ProfileQuery) => ProfileUser | undefined;
  /** Clients that are registered; null leaves it to the directory, unknown to the core, which finds them. */
  readonly clients: (address: string) => readonly RegisteredClient[] | null | 'unknown';
  /** Instance on which the session with this Contribution-ID lives. */
  readonly instanceOf: (user: string, contributionId: string) => string | null;
  /** True: a do-not-disturb rule counts whatever its conditions say; absent means no. */
  readonly dndIgnoresConditions?: () => boolean;
}

export function profiles(sources: ProfileSources): ProfilePort {
  return {
    lookUp(query, done) {
      const user = sources.user(query.user, query);
      const kept = user === undefined ? undefined : sources.preferences;
      if (user === undefined || kept === undefined) done(profileOf(query, sources));
      else kept.ask(user.address, query, (preferences) => done(profileOf(query, sources, preferences)));
    },
  };
}

/** `preferences`: those that are kept elsewhere than with the user. */
export function profileOf(query: ProfileQuery, sources: ProfileSources, preferences?: Preferences): Profile {
  const user = sources.user(query.user, query);
  if (user === undefined) return UNKNOWN;
  return {
    known: true,
    user: user.address,
    services: user.services,
    ...(preferences ?? preferencesOf(user, query, sources.dndIgnoresConditions?.() ?? false)),
    clients: query.role === 'term' ? clientsOf(user, sources) : [],
    replacedInstance: query.sessionReplaces === null ? null : sources.instanceOf(user.address, query.sessionReplaces),
  };
}

function clientsOf(user: ProfileUser, sources: ProfileSources): readonly RegisteredClient[] | null {
  const registered = sources.clients(user.address);
  if (registered === 'unknown') return null;
  return registered ?? user.clients;
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
