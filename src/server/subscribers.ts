/** Who is served, by the drivers the configuration names: users, their preferences, their clients. */
import type { RegisteredClient } from '../../machines/session/policy.ts';
import type { ProfileQuery } from '../engine/ports.ts';
import type { ProfileSources, ProfileUser } from '../policy/profiles.ts';
import type { PreferencesSource } from '../preferences/preferences.ts';
import type { UserDirectory } from '../preferences/users.ts';
import type { Config } from './config/schema.ts';
import { loadUsers } from './config/users-file.ts';

/** What a reload may change. */
export interface Served {
  users: UserDirectory | undefined;
  allowOfflineStorage: boolean;
  /** do-not-disturb rules count whatever their conditions say. */
  dndIgnoresConditions: boolean;
}

/** Reads the users anew. Throws a ConfigError. */
export function servedBy(config: Config): Served {
  return {
    users: config.users.driver === 'file' ? loadUsers(config.users.path) : undefined,
    allowOfflineStorage: config.policy.defaultAllowOfflineStorage,
    dndIgnoresConditions: config.compat.dndIgnoresConditions,
  };
}

const NOBODY: ReadonlySet<string> = new Set();
/** `registrar.driver: none`: the core knows who is there, so everybody counts as reachable. */
export const ANY_CLIENT: readonly RegisteredClient[] = [
  { instance: '', services: ['session', 'session.group', 'msg'], media: ['message', 'audio', 'video'] },
];

export function subscribers(
  config: Config,
  served: Served,
  registrations: { clientsOf(address: string): readonly RegisteredClient[] | 'unknown' },
  preferences?: PreferencesSource | undefined,
): Pick<ProfileSources, 'user' | 'clients' | 'preferences' | 'dndIgnoresConditions'> {
  const { driver } = config.registrar;
  const anyUser = (address: string, query: ProfileQuery): ProfileUser => ({
    address,
    services: null,
    allowOfflineStorage: query.allowOfflineStorage ?? served.allowOfflineStorage,
    doNotDisturb: false,
    interworking: null,
    blacklist: NOBODY,
    clients: driver === 'none' ? ANY_CLIENT : [],
  });
  const clients: ProfileSources['clients'] =
    driver === 'thirdParty' || driver === 'regEvent'
      ? (address) => registrations.clientsOf(address)
      : driver === 'none'
        ? () => ANY_CLIENT
        : () => null;
  return {
    user: (address, query) => (served.users === undefined ? anyUser(address, query) : served.users.find(address)),
    clients,
    preferences,
    dndIgnoresConditions: () => served.dndIgnoresConditions,
  };
}
