/** A session as it is written down, and taken up again after a restart (digest 2.3, invariant 15). */
import type { LegName, LegRecord, SessionContext } from '../../machines/session/context.ts';
import type { Effect, EffectOf } from '../../machines/session/effects.ts';
import type { Policy } from '../../machines/session/policy.ts';
import type { ProxiedState } from '../sip/proxy/proxied-session.ts';
import type { LegState } from '../sip/user-agent/leg.ts';
import { type Dossier, restoredDossier, type StoredDossier, storedDossier } from './dossier.ts';
import type { Dialogs } from './ports.ts';
import { Session, type SessionHost } from './session.ts';

export interface StoredSession {
  /** Form of this record; one that is not known is left alone. */
  readonly version: 1;
  readonly value: unknown;
  readonly context: Omit<SessionContext, 'policy' | 'effects'>;
  readonly policy: string;
  readonly dossier: StoredDossier;
  readonly legs: readonly LegState[];
  readonly proxied: ProxiedState | null;
  /** Effects that had not left when this was written. */
  readonly pending: readonly Effect[];
  readonly step: number;
  readonly startedAt: number;
  readonly storedAt: number;
}

/** The session as JSON data. */
export function stored(session: Session, policy: string, now: number, dialogs: Partial<Dialogs>): StoredSession {
  const { context } = session;
  const { policy: _policy, effects: _effects, ...rest } = context;
  const legs: LegState[] = [];
  for (const leg of Object.keys(context.legs)) {
    const state = dialogs.exportLeg?.(`${session.id}.${leg}`);
    if (state !== undefined) legs.push(state);
  }
  return {
    version: 1,
    value: session.actor.getSnapshot().value,
    context: rest,
    policy,
    dossier: storedDossier(session.dossier),
    legs,
    proxied: context.mode === 'proxy' ? (dialogs.exportProxied?.(session.id) ?? null) : null,
    pending: session.pending,
    step: session.step,
    startedAt: session.startedAt,
    storedAt: now,
  };
}

/** What to do with a session that was taken up: carry on, or end it. */
export interface Resumed {
  readonly session: Session;
  /** Still inviting, and so long ago that its peers have given up: it must end. */
  readonly expired: boolean;
}

/** The session again, with its legs in the SIP port. Its pending effects have not been carried out yet. */
export function resumed(
  host: SessionHost,
  id: string,
  record: StoredSession,
  policy: Policy,
  now: number,
  dialogs: Partial<Dialogs>,
): Resumed {
  if (record.version !== 1) throw new Error(`record of version ${record.version}`);
  const dossier = restoredDossier(record.dossier);
  // Within 64*T1 every message may be sent again as a copy; later the peers have forgotten their transactions.
  const fresh = now - record.storedAt < policy.timers.transactionMs;
  const context = { ...record.context, legs: legsAfter(record, fresh), policy, effects: [] };
  restoreLegs(id, record, dossier, dialogs);
  const snapshot = { status: 'active', value: record.value, historyValue: {}, context, children: {} };
  const session = Session.resume(
    host,
    id,
    {
      snapshot: snapshot as never,
      step: record.step,
      startedAt: record.startedAt,
      pending: pendingAfter(record, dossier),
      fresh,
    },
    dossier,
  );
  return { session, expired: !fresh && isInviting(record.context.legs) };
}

function isInviting(legs: SessionContext['legs']): boolean {
  return legs.a?.phase === 'inviting';
}

/** An ACK that was awaited 64*T1 ago has come, or the session would have ended. */
function legsAfter(record: StoredSession, fresh: boolean): SessionContext['legs'] {
  if (fresh) return record.context.legs;
  const legs: Record<LegName, LegRecord> = {};
  for (const [name, leg] of Object.entries(record.context.legs)) {
    legs[name] = leg.phase === 'answered' ? { ...leg, phase: 'confirmed' } : leg;
  }
  return legs;
}

function restoreLegs(id: string, record: StoredSession, dossier: Dossier, dialogs: Partial<Dialogs>): void {
  const unanswered =
    record.context.legs.a?.phase === 'inviting' || record.pending.some((effect) => effect.type === 'answer');
  for (const state of record.legs) {
    const name = state.id.slice(id.length + 1);
    const early = isOpenInvite(record.context.legs[name]);
    if (!early && !(name === 'a' && unanswered)) dialogs.restoreLeg?.(state);
  }
  if (unanswered && dossier.invite !== null) dialogs.restoreInvite?.(`${id}.a`, dossier.invite);
  if (record.proxied !== null) dialogs.restoreProxied?.(record.proxied);
}

function isOpenInvite(leg: LegRecord | undefined): boolean {
  return leg?.phase === 'inviting' || leg?.phase === 'cancelling';
}

/** Pending effects, with the invitations that are still open in front: a copy of an INVITE finds its transaction. */
function pendingAfter(record: StoredSession, dossier: Dossier): Effect[] {
  const waiting = new Set(record.pending.flatMap((effect) => (effect.type === 'invite' ? [effect.leg] : [])));
  const open: EffectOf<'invite'>[] = Object.values(dossier.invites).filter(
    (effect) => isOpenInvite(record.context.legs[effect.leg]) && !waiting.has(effect.leg),
  );
  return [...open, ...record.pending];
}
