/** What was known of users before, for the time their preferences are not to be had. Bounded. */
import type { Profile } from '../../machines/session/policy.ts';
import type { ProfileQuery } from './ports.ts';

/** Profiles kept; the one kept longest makes room. */
const MAX_PROFILES = 10_000;

type Asked = Omit<ProfileQuery, 'at' | 'sessionReplaces'>;

export class LastKnown {
  readonly #profiles = new Map<string, Profile>();

  keep(query: Asked, profile: Profile): void {
    const key = keyOf(query);
    this.#profiles.delete(key);
    this.#profiles.set(key, profile);
    if (this.#profiles.size > MAX_PROFILES) this.#profiles.delete(this.#profiles.keys().next().value as string);
  }

  of(query: Asked): Profile | null {
    return this.#profiles.size === 0 ? null : (this.#profiles.get(keyOf(query)) ?? null);
  }
}

/** Lists and rules are about the originator, so each has a profile of its own. */
function keyOf({ user, role, service, originators, referredBy }: Asked): string {
  return [user, role, service, ...originators, referredBy ?? ''].join('\n');
}
