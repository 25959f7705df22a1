/** A traced session as the page shows it: its steps with what was asked and done, its messages with their legs. */
import type { AnyMachineSnapshot } from 'xstate';
import type { SessionContext } from '../../../machines/session/context.ts';
import type { OwnGuards } from '../../../machines/session/own-guards.ts';
import { regionsOf } from '../../engine/session.ts';
import type { Binding } from '../../msrp/relay/binding.ts';
import { textOfWire } from '../../sip/message/bytes.ts';
import { replay } from '../../trace/replay.ts';
import type { Trace, TracedMessage, TracedStep } from '../../trace/trace.ts';
import { fromTagOf, labelOf, legOf } from '../../trace/wire.ts';
import { redactedData, redactedMessage } from './redaction.ts';
import { detailsOf } from './views.ts';

/** What has come since position `after`; -1 for all. Times are ms since the epoch, as the server's clock has them. */
export function traceOf(trace: Trace, after: number, redact: boolean, bindings: readonly Binding[] = []) {
  const { session, messages, steps, endedAt, whole, guards } = trace;
  return {
    id: session.id,
    live: endedAt === null,
    now: session.now(),
    startedAt: session.startedAt,
    endedAt,
    whole,
    length: trace.length,
    dropped: trace.length - messages.length - steps.length,
    details: detailsOf(session, redact, bindings),
    steps: steps.filter(({ n }) => n > after).map((step) => stepView(step, redact, guards)),
    messages: messageViews(trace, after, redact),
  };
}

function stepView(step: TracedStep, redact: boolean, own: OwnGuards | undefined) {
  const { n, at, event, after } = step;
  const { type, ...details } = { type: 'invited', ...event } as { type: string } & Record<string, unknown>;
  const { step: _step, at: _at, ...about } = details;
  const shown = redact ? redactedData : <T>(data: T): T => data;
  const { guards, transitions, actions } = replay(step, own);
  const context = after.context as SessionContext;
  return {
    n,
    at,
    event: type,
    about: shown(about),
    ...placeOf(after),
    guards: guards.map(({ reads, ...guard }) => ({ ...guard, reads: shown(reads) })),
    transitions,
    actions,
    effects: context.step === step.step ? shown(context.effects) : [],
    mode: context.mode,
    legs: context.legs,
    deadlines: context.deadlines,
    history: context.history,
    ending: context.ending,
  };
}

function placeOf(snapshot: AnyMachineSnapshot): { call: string; recording: string } {
  const { call, recording } = regionsOf(snapshot.value);
  return { call: typeof call === 'string' ? call : Object.entries(call).flat().join('.'), recording };
}

function messageViews({ messages, session }: Trace, after: number, redact: boolean) {
  const invite = messages.find(({ direction, text }) => direction === 'in' && text.startsWith('INVITE '));
  const sides = { session: session.id, inviterTag: invite === undefined ? undefined : fromTagOf(invite.text) };
  const first = new Map<string, number>();
  const views = [];
  for (const message of messages) {
    const key = `${message.direction} ${message.peer} ${message.text}`;
    const again = first.get(key) ?? null;
    if (again === null) first.set(key, message.n);
    if (message.n > after)
      views.push(messageView(message, legOf(message.text, message.direction, sides), again, redact));
  }
  return views;
}

/** `again`: position of the message that this one repeats byte for byte. */
function messageView(message: TracedMessage, leg: string, again: number | null, redact: boolean) {
  const { n, at, direction, peer, bytes, text } = message;
  const readable = textOfWire(redact ? redactedMessage(text) : text);
  return { n, at, direction, peer, bytes, leg, label: labelOf(text), text: readable, again };
}

export type TraceView = ReturnType<typeof traceOf>;
