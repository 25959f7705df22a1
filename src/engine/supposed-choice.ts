/** A policy as its rules chose it, with what somebody only supposes put over it. */
import type { Policy } from '../../machines/session/policy.ts';
import type { ChoiceExplained } from '../policy/ruled-policy.ts';

/** What is supposed is of no rule's making: its keys have no origin. */
export function choiceUnder(choice: ChoiceExplained, supposed: Partial<Policy> = {}): ChoiceExplained {
  const made = Object.entries(choice.origins).filter(([key]) => !((key.split('.', 1)[0] ?? '') in supposed));
  return { ...choice, policy: { ...choice.policy, ...supposed }, origins: Object.fromEntries(made) };
}
