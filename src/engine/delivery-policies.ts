/** The policy of sessions in which the function itself says what it has kept. */
import type { Policy } from '../../machines/session/policy.ts';

export class DeliveryPolicies {
  readonly #made = new WeakMap<Policy, Policy>();

  /** The same for the same policy, since stored sessions name theirs. */
  of(policy: Policy): Policy {
    const made = this.#made.get(policy) ?? delivering(policy);
    this.#made.set(policy, made);
    return made;
  }
}

/**
 * The user's own clients and nobody else: it is neither kept once more nor interworked. It was recorded when it was
 * kept. Media are anchored, since the endpoint that says it is reached by nobody but us.
 */
function delivering(policy: Policy): Policy {
  return { ...policy, mediaPath: 'always', noClient: 'reject', isfAvailable: false, recording: false };
}
