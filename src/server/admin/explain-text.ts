/** An explanation for a person: each question with its answer and clauses, and what would leave. */
import type { Policy } from '../../../machines/session/policy.ts';
import type { Explanation } from '../../engine/explain.ts';
import type { ChoiceExplained, ConditionAnswer } from '../../policy/ruled-policy.ts';
import { textOfWire, wireOfBytes } from '../../sip/message/bytes.ts';
import { reasonPhrase } from '../../sip/message/reason.ts';
import type { SipCommand } from '../../sip/port.ts';

export function explanationText(explanation: Explanation): string[] {
  const { service, role, served, mode, profile, choice, steps, state, commands } = explanation;
  const lines = [
    `service  ${service ?? 'none of CPM'}`,
    ...(role === null ? [] : [`role     ${role === 'orig' ? 'originating' : 'terminating'}, for ${served}`]),
    ...(mode === null ? [] : [`mode     ${mode === 'proxy' ? 'proxy' : 'B2BUA'}`]),
    ...(profile === null ? [] : [`profile  ${JSON.stringify(profile)}`]),
    ...(choice === null ? [] : choiceText(choice)),
    '',
    ...steps.map(({ guard, holds, clauses, own }) =>
      `${answer(holds)}  ${guard.padEnd(28)} ${clauses.join(' ')}${ownText(own)}`.trimEnd(),
    ),
    '',
    `then     ${state}`,
  ];
  for (const command of commands) lines.push(...commandText(command));
  return lines;
}

const answer = (holds: boolean): string => (holds ? 'yes' : 'no ');

/** Each rule with its conditions, and which rule each key of the policy is from. */
function choiceText({ policy, userClass, rules, origins }: ChoiceExplained): string[] {
  if (rules.length === 0) return [];
  return [
    `class    ${userClass ?? 'none'}`,
    '',
    ...rules.map(({ rule, applies, conditions }) =>
      `${answer(applies)}  rule ${rule.padEnd(23)} ${conditions.map(conditionText).join('; ')}`.trimEnd(),
    ),
    ...Object.entries(origins).map(
      ([key, rule]) => `     ${key} is ${JSON.stringify(valueAt(policy, key))}, by ${rule}`,
    ),
  ];
}

function conditionText({ condition, holds, met, found }: ConditionAnswer): string {
  const seen = Array.isArray(found) ? found.join(', ') : String(found);
  return holds ? `${condition} ${met}` : `${condition} not (${seen === '' ? 'there is none' : `it is ${seen}`})`;
}

function valueAt(policy: Policy, key: string): unknown {
  return key.split('.').reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], policy);
}

function ownText(own: Explanation['steps'][number]['own']): string {
  if (own === undefined) return '';
  const failure = own.failure === null ? '' : `, which stands: ${own.failure}`;
  return ` (own guard; the standard answer is ${answer(own.standard).trim()}${failure})`;
}

/** The message a command would send, as far as the session decides it. */
export function commandText(command: SipCommand): string[] {
  if (command.type === 'refuse' || command.type === 'reply') {
    const { status, reason = reasonPhrase(status), headers } = command;
    return ['', `SIP/2.0 ${status} ${reason}`.trimEnd(), ...headers.map((field) => field.line)];
  }
  if (command.type === 'forwardInvite' || command.type === 'sendOutside') {
    const { request, routeSets } = command;
    return [
      '',
      `forwarded to ${hops(routeSets)}`,
      `${request.method} ${request.uri} SIP/2.0`,
      ...request.headers.map((field) => field.line),
    ];
  }
  if (command.type !== 'invite') return [];
  const { invite } = command;
  return [
    '',
    `sent to ${hops(invite.routeSets)}`,
    `INVITE ${invite.uri} SIP/2.0`,
    ...(invite.routeSets[0] ?? []).map((route) => `Route: ${route}`),
    `Max-Forwards: ${invite.maxForwards}`,
    `From: ${invite.from}`,
    `To: ${invite.to}`,
    ...invite.headers.map((field) => field.line),
    '',
    ...textOfWire(wireOfBytes(invite.body ?? new Uint8Array())).split('\r\n'),
  ];
}

function hops(routeSets: readonly (readonly string[])[]): string {
  return routeSets.map((routes) => routes[0] ?? 'the Request-URI').join(', then ') || 'nowhere: no route is configured';
}
