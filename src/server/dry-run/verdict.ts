/** What becomes of an INVITE, in few words, and whether that is the same under another policy. */
import type { Policy } from '../../../machines/session/policy.ts';
import { mayBeRecorded } from '../../../machines/session/recorded.ts';
import type { Explanation } from '../../engine/explain.ts';
import { reasonPhrase } from '../../sip/message/reason.ts';
import { type KeyChange, keyChanges } from '../config/diff.ts';

export interface Verdict {
  readonly role: Explanation['role'];
  readonly mode: Explanation['mode'];
  /** `403 Forbidden, 119 Anonymity not allowed`, `invites by the core`. */
  readonly outcome: string;
  /** Places of the m-lines that policy takes out of the offer. */
  readonly without: readonly number[];
  /** The session may be recorded. */
  readonly recorded: boolean;
  /** Rules that made its policy. */
  readonly rules: readonly string[];
}

export function verdictOf(explanation: Explanation): Verdict {
  const { role, mode, profile, choice, effects } = explanation;
  const invited = effects.find(({ type }) => type === 'invite');
  return {
    role,
    mode,
    outcome: outcomeOf(explanation),
    without: invited?.type === 'invite' ? (invited.without ?? []) : [],
    recorded:
      invited !== undefined &&
      role !== null &&
      choice !== null &&
      mayBeRecorded({ policy: choice.policy, profile, role }),
    rules: choice?.rules.flatMap(({ rule, applies }) => (applies ? [rule] : [])) ?? [],
  };
}

const WAYS = {
  core: 'invites by the core',
  isf: 'invites by the ISF',
  replacedClient: 'invites the client that has the session',
  redirect: 'follows a redirection',
  deferral: 'takes its messages for later',
} as const;

function outcomeOf({ state, effects }: Explanation): string {
  for (const effect of effects) {
    if (effect.type === 'invite') return WAYS[effect.by];
    if (effect.type !== 'refuse') continue;
    const warning = effect.warning === undefined ? '' : `, ${effect.warning}`;
    return `${effect.status} ${reasonPhrase(effect.status)}${warning}`;
  }
  return state;
}

export interface Comparison {
  /** Where the INVITE is from: a file, or the id of a traced session. */
  readonly name: string;
  readonly before: Verdict;
  readonly after: Verdict;
  /** True where something else becomes of the INVITE. */
  readonly changed: boolean;
  /** What is different in the session's policy. */
  readonly policy: readonly KeyChange[];
  /** Keys among them that may matter later in the session's life. */
  readonly later: readonly string[];
}

/** Keys that have had their say once the INVITE is read. */
const SAID: readonly string[] = [
  'mediaPath',
  'allowAnonymity',
  'anonymityFromHeader',
  'requiredUserAgent',
  'isfSchemes',
  'noClient',
  'keepsSessions',
  'defaultAllowOfflineStorage',
  'recording',
] satisfies readonly (keyof Policy)[];

export function compared(name: string, before: Explanation, after: Explanation): Comparison {
  const [was, is] = [verdictOf(before), verdictOf(after)];
  // The same by another rule is the same.
  const same = JSON.stringify({ ...was, rules: null }) === JSON.stringify({ ...is, rules: null });
  const policy = keyChanges(before.choice?.policy ?? {}, after.choice?.policy ?? {});
  const later = policy.map(({ key }) => key).filter((key) => !SAID.some((one) => key.split('.', 1)[0] === one));
  return { name, before: was, after: is, changed: !same, policy, later };
}
