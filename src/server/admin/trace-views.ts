/** A traced session as the page shows it: its steps with what was asked and done, its messages with their legs. */
import type { Binding } from '../../msrp/relay/binding.ts';
import { textOfWire } from '../../sip/message/bytes.ts';
import { stepView } from '../../trace/step-view.ts';
import type { Trace, TracedMessage } from '../../trace/trace.ts';
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
    steps: steps
      .filter(({ n }) => n > after)
      .map((step) => stepView(step, redact ? redactedData : (data) => data, guards)),
    messages: messageViews(trace, after, redact),
  };
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
