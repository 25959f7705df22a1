/** What a session orders for its history, and what it hears of it: between its effects and the outbox (8.5, A-16). */
import { sealOrder } from '../../machines/session/actions/history.ts';
import type { LegName, SessionContext } from '../../machines/session/context.ts';
import type { Effect, EffectOf } from '../../machines/session/effects.ts';
import type { HistoryIntent, HistoryOutcome, MessageIntent } from '../history/intent.ts';
import { type HistoryNaming, messageIntent, openIntent, sealIntent } from './compose/history.ts';
import type { ChatMessage } from './ports.ts';
import type { Session } from './session.ts';

const NONE: HistoryIntent[] = [];

/** Takes the history work out of the effects that wait. */
export function takeHistoryWork(session: Session, now: number, naming: HistoryNaming): HistoryIntent[] {
  if (!session.pending.some(isHistoryWork)) return NONE;
  const work = session.pending.filter(isHistoryWork);
  session.pending = session.pending.filter((effect) => !isHistoryWork(effect));
  const { context, dossier } = session;
  return work.map((effect) =>
    effect.type === 'openHistory'
      ? openIntent(context, dossier, naming)
      : sealIntent(effect, context, dossier, now, naming),
  );
}

function isHistoryWork(effect: Effect): effect is EffectOf<'openHistory' | 'sealHistory'> {
  return effect.type === 'openHistory' || effect.type === 'sealHistory';
}

/**
 * Work that had been ordered before a restart, and of which the session has not heard that it is done: only its record
 * tells of it. Done again, it gives the same answer.
 */
export function historyWorkAgain(session: Session, now: number, naming: HistoryNaming): HistoryIntent[] {
  const { context, dossier } = session;
  const { recording } = session.regions;
  const opens =
    mayOpenAgain(context) && (recording === 'opening' || recording === 'degraded' || recording === 'sealing');
  const again: HistoryIntent[] = opens ? [openIntent(context, dossier, naming)] : [];
  // Settled it may be though nothing is sealed: its budget is spent.
  if (recording === 'sealing' && !context.history.sealed)
    again.push(sealIntent(sealOrder(context), context, dossier, now, naming));
  return again;
}

/** True while the Session Info Object may have to be made again from the session's record. */
export function mayOpenAgain({ history }: Pick<SessionContext, 'history'>): boolean {
  return history.wanted && history.sessionInfoUid === null;
}

/** A message that waits to be stored, and who waits for that. */
export interface WaitingMessage {
  readonly intent: MessageIntent;
  readonly done: () => void;
}

export function waitingMessage(
  session: Session,
  from: LegName,
  message: ChatMessage,
  now: number,
  naming: HistoryNaming,
  done: () => void,
): WaitingMessage {
  return { intent: messageIntent(from, message, session.context, session.dossier, now, naming), done };
}

/** A turn's intents in the order of a conversation: a message stands before the end that came in the same turn. */
export function inOrder(
  orders: readonly HistoryIntent[],
  messages: readonly WaitingMessage[],
): readonly HistoryIntent[] {
  if (messages.length === 0) return orders;
  const isSeal = ({ kind }: HistoryIntent): boolean => kind === 'seal';
  return [
    ...orders.filter((intent) => !isSeal(intent)),
    ...messages.map(({ intent }) => intent),
    ...orders.filter(isSeal),
  ];
}

/** The outcome of history work, told to its session. */
export function tellOutcome(session: Session, intent: HistoryIntent, outcome: HistoryOutcome): void {
  if (!outcome.ok) session.deliver({ type: 'historyFailed' });
  else if (intent.kind === 'message') {
    if (session.regions.recording === 'degraded') session.deliver({ type: 'historyStored' });
  } else if (intent.kind === 'open') {
    const { sessionInfoUid } = outcome;
    if (sessionInfoUid !== null) session.deliver({ type: 'historyOpened', sessionInfoUid });
  } else {
    const { sessionInfoUid, groupStateUid } = outcome;
    session.deliver({ type: 'historySealed', sessionInfoUid, groupStateUid });
  }
}
