/** Makes an XState action of a function that works on a message's {@link MessageTurn}. */
import { assign } from 'xstate';
import { onCopy } from '../on-copy.ts';
import { Turn } from '../turn.ts';
import type { MessageContext, MessageInput } from './context.ts';
import type { Effect, Order } from './effects.ts';
import type { MessageEvent } from './events.ts';

export class MessageTurn extends Turn<Effect, MessageContext, Order> {}

export function order<E extends MessageEvent = MessageEvent>(work: (turn: MessageTurn, event: E) => void) {
  return assign<MessageContext, MessageEvent, undefined, MessageEvent, never>(
    onCopy((context: MessageContext, event: MessageEvent) => {
      // The event that starts a message is XState's own and carries the input.
      const begun = (event as unknown as { readonly input?: MessageInput }).input?.at ?? 0;
      work(new MessageTurn(context, event.step ?? 0, event.at ?? begun), event as E);
    }),
  );
}
