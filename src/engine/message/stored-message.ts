/** A pager-mode message as it is stored: what came, once, and what has become of it, each time it changes. */
import type { MessageContext } from '../../../machines/message/context.ts';
import type { Effect } from '../../../machines/message/effects.ts';
import type { Policy, Profile } from '../../../machines/session/policy.ts';
import { bytesOfWire, wireOfBytes } from '../../sip/message/bytes.ts';
import type { AnyMessage } from '../../sip/message/message.ts';
import { parseMessage } from '../../sip/message/parse.ts';
import { serialize } from '../../sip/message/serialize.ts';
import type { Reading } from '../invitation.ts';
import { packed, unpacked } from '../packed.ts';
import { Message } from './message.ts';
import { readMessage, requestOf } from './papers.ts';

/** Records of messages stand among those of sessions. An id has no colon in it. */
const RECORD = 'message:';

export const recordOf = (id: string): string => RECORD + id;
export const isMessageRecord = (record: string): boolean => record.startsWith(RECORD);

interface Origin {
  /** Form of this record; one that is not known is left alone. */
  readonly version: 1;
  readonly id: string;
  readonly trusted: boolean;
  readonly ours: boolean;
  readonly at: number;
  readonly profile: Profile | null;
  /** Key of the policy it began with. */
  readonly policy: string;
}

type StateContext = Pick<
  MessageContext,
  'way' | 'answered' | 'deliveries' | 'outcome' | 'deadlines' | 'checkpoint' | 'step'
>;

interface State {
  readonly value: unknown;
  readonly context: StateContext;
  /** Effects that had not left when this was written. */
  readonly pending: readonly Effect[];
  readonly step: number;
  readonly storedAt: number;
}

export function messageOrigin({ id, papers, context }: Message, policy: string): string {
  const { trusted } = papers.asked;
  const { profile, at, message } = context;
  const origin: Origin = { version: 1, id, trusted, ours: message.ours, at, profile, policy };
  return packed(origin, [textOf(papers.request)]);
}

export function messageState({ value, context, pending, step, papers }: Message, now: number): string {
  const { way, answered, deliveries, outcome, deadlines, checkpoint, step: effectsOf } = context;
  const state: State = {
    value,
    context: { way, answered, deliveries, outcome, deadlines, checkpoint, step: effectsOf },
    pending,
    step,
    storedAt: now,
  };
  return packed(state, papers.response === null ? [] : [textOf(papers.response)]);
}

export interface StoredMessage {
  readonly message: Message;
  /** ms since the epoch. */
  readonly storedAt: number;
}

/** Throws where the record is something else. */
export function restoredMessage(
  record: { readonly origin: string; readonly state: string },
  policyNamed: (key: string) => Policy,
  by: Reading,
): StoredMessage {
  const first = unpacked(record.origin);
  const second = unpacked(record.state);
  const origin = first.value as Origin;
  const state = second.value as State;
  if (origin.version !== 1) throw new Error(`record of version ${origin.version}`);
  const { id, at, profile } = origin;
  const papers = readMessage(requestOf(first.texts[0] ?? ''), origin.trusted, origin.ours, at, by);
  const response = parsed(second.texts[0]);
  papers.response = response?.kind === 'response' ? response : null;
  const context: MessageContext = {
    ...state.context,
    id,
    at,
    profile,
    role: papers.asked.role,
    policy: policyNamed(origin.policy),
    lastKnown: null,
    message: papers.facts,
    effects: [],
  };
  const { value, step, pending, storedAt } = state;
  return { message: Message.resume(papers, { value, context, step, pending }), storedAt };
}

function textOf(message: AnyMessage): string {
  return wireOfBytes(serialize(message));
}

function parsed(text: string | undefined): AnyMessage | undefined {
  return text === undefined ? undefined : parseMessage(bytesOfWire(text)).message;
}
