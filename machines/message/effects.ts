/**
 * What a message wants done: plain data. The engine stores the state that explains an effect before it carries it out;
 * one that is done twice makes the same SIP message on the same branch, which its receiver takes for a copy.
 */
export type Order =
  | { readonly type: 'fetchPreferences' }
  /** Sends the MESSAGE on as it came, while its sender waits. */
  | { readonly type: 'pass'; readonly to: 'core' | 'isf' }
  /** The far side's answer, passed on. */
  | { readonly type: 'passAnswer' }
  /** Nobody answered in time: neither is its sender. */
  | { readonly type: 'leaveUnanswered' }
  | { readonly type: 'refuse'; readonly status: number; readonly warning?: string }
  /** 202: it is kept (RFC 3428 7). Of one that came by MSRP its session says so. */
  | { readonly type: 'accept' }
  /** One object in the served user's history. */
  | { readonly type: 'record' }
  /** A client of the user may be there already, or others wait before this one: see to it. */
  | { readonly type: 'seeToTurn' }
  /** Sends a kept message to the user's clients; `number` counts the tries from 1. */
  | { readonly type: 'deliver'; readonly number: number }
  /** Tells the sender that a kept message was given up (RFC 5438). */
  | { readonly type: 'notifySender' };

export type Effect = Order & {
  /** `<step>.<index>`, unique within the message. */
  readonly id: string;
};

export type EffectType = Effect['type'];
export type EffectOf<T extends EffectType> = Extract<Effect, { type: T }>;
