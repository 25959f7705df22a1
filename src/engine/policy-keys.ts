/** Live sessions keep the policy they began with; stored ones name it by a key, so that it is written once. */
import type { Policy } from '../../machines/session/policy.ts';

export class PolicyKeys {
  readonly #keys = new Map<Policy, string>();
  readonly #named = new Map<string, Policy>();

  /** Key of a policy, and its JSON where it has not been written down yet. */
  keyOf(policy: Policy): { readonly key: string; readonly unwritten?: string } {
    const known = this.#keys.get(policy);
    if (known !== undefined) return { key: known };
    const body = JSON.stringify(policy);
    const key = hashOf(body);
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

/** 64 bits of FNV-1a in two halves: policies are few and not hostile. */
function hashOf(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let at = 0; at < text.length; at++) {
    low = Math.imul(low ^ text.charCodeAt(at), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(at) ^ at, 0x85ebca6b);
  }
  return (low >>> 0).toString(16).padStart(8, '0') + (high >>> 0).toString(16).padStart(8, '0');
}
