/** Live sessions keep the policy they began with; stored ones name it by a key, so that it is written once. */
import type { Policy } from '../../machines/session/policy.ts';
import { fingerprint } from './fingerprint.ts';

/** Above so many, those that no session has any longer are let go. */
const MANY = 1024;

export class PolicyKeys {
  readonly #keys = new WeakMap<Policy, string>();
  /** Rules and reloads make policies, and they go with their last session. */
  readonly #named = new Map<string, WeakRef<Policy>>();

  /** Key of a policy, and its JSON where it has not been written down yet. */
  keyOf(policy: Policy): { readonly key: string; readonly unwritten?: string } {
    const known = this.#keys.get(policy);
    if (known !== undefined) return { key: known };
    const body = JSON.stringify(policy);
    const key = fingerprint(body);
    this.#know(key, policy);
    return { key, unwritten: body };
  }

  /** These could not be written after all. */
  forget(keys: readonly string[]): void {
    for (const key of keys) {
      const policy = this.#named.get(key)?.deref();
      if (policy !== undefined) this.#keys.delete(policy);
    }
  }

  /** The policy of a key: one object for all sessions that share it. */
  named(key: string, body: string): Policy {
    const known = this.#named.get(key)?.deref();
    if (known !== undefined) return known;
    const policy = JSON.parse(body) as Policy;
    this.#know(key, policy);
    return policy;
  }

  #know(key: string, policy: Policy): void {
    this.#keys.set(policy, key);
    this.#named.set(key, new WeakRef(policy));
    if (this.#named.size <= MANY) return;
    for (const [name, kept] of this.#named) if (kept.deref() === undefined) this.#named.delete(name);
  }
}
