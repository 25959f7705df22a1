/** Makes an XState action of a function that works on a {@link Turn}. */
import { assign } from 'xstate';
import { onCopy } from '../on-copy.ts';
import type { SessionContext, SessionInput } from './context.ts';
import type { SessionEvent } from './events.ts';
import { Turn } from './turn.ts';

/** Actions are orders: they change the session's data and leave effects, and read nothing else. */
export function order<E extends SessionEvent = SessionEvent>(work: (turn: Turn, event: E) => void) {
  return assign<SessionContext, SessionEvent, undefined, SessionEvent, never>(
    onCopy((context: SessionContext, event: SessionEvent) => {
      work(new Turn(context, event.step ?? 0, event.at ?? startOf(event)), event as E);
    }),
  );
}

/** The event that starts a session is XState's own and carries the input. */
function startOf(event: unknown): number {
  return (event as { input?: SessionInput }).input?.at ?? 0;
}
