/** Live sessions keep the policy they began with; stored ones name it by a key, so that it is written once. */
import type { Policy } from '../../machines/session/policy.ts';
import { fingerprint } from './fingerprint.ts';

export class PolicyKeys {
  readonly #keys = new Map<Policy, string>();
  readonly #named = new Map<string, Policy>();

  /** Key of a policy, and its JSON where it has not been written down yet. */
  keyOf(policy: Policy): { readonly key: string; readonly unwritten?: string } {
    const known = this.#keys.get(policy);
    if (known !== undefined) return { key: known };
    const body = JSON.stringify(policy);
    // Policies are few and not hostile.
    const key = fingerprint(body);
    this.#keys.set(policy, key);
    this.#named.set(key, policy);
    return { key, unwritten: body };
  }

  /** These could not be written after all. */
  forget(keys: readonly string[]): void {
    for (const key of keys) {
      const policy = this.#named.get(key);
      if (policy !== undefined) this.#keys.delete(policy);
    }
  }

  /** The policy of a key: one object for all sessions that share it. */
  named(key: string, body: string): Policy {
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const policy = JSON.parse(body) as Policy;
    this.#named.set(key, policy);
    this.#keys.set(policy, key);
    return policy;
  }
}
