/** An explanation for a person: each question with its answer and clauses, and what would leave. */
import type { Explanation } from '../../engine/explain.ts';
import { textOfWire, wireOfBytes } from '../../sip/message/bytes.ts';
import { reasonPhrase } from '../../sip/message/reason.ts';
import type { SipCommand } from '../../sip/port.ts';

export function explanationText(explanation: Explanation): string[] {
  const { service, role, served, mode, profile, steps, state, commands } = explanation;
  const lines = [
    `service  ${service ?? 'none of CPM'}`,
    ...(role === null ? [] : [`role     ${role === 'orig' ? 'originating' : 'terminating'}, for ${served}`]),
    ...(mode === null ? [] : [`mode     ${mode === 'proxy' ? 'proxy' : 'B2BUA'}`]),
    ...(profile === null ? [] : [`profile  ${JSON.stringify(profile)}`]),
    '',
    ...steps.map(({ guard, holds, clauses }) =>
      `${holds ? 'yes' : 'no '}  ${guard.padEnd(28)} ${clauses.join(' ')}`.trimEnd(),
    ),
    '',
    `then     ${state}`,
  ];
  for (const command of commands) lines.push(...commandText(command));
  return lines;
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
