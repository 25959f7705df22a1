/**
 * A session as it is written down, and taken up again after a restart (digest 2.3, invariant 15).
 *
 * A record has two parts. The origin is what the invitation said; it is written once. The state is what has become of
 * it; it is written at each checkpoint, so it holds only what can still matter.
 */
import {
  type LegName,
  type LegRecord,
  NO_ATTEMPTS,
  NO_HISTORY,
  type SessionContext,
} from '../../machines/session/context.ts';
import type { Effect, EffectOf } from '../../machines/session/effects.ts';
import type { Policy, Profile } from '../../machines/session/policy.ts';
import type { LegId } from '../sip/port.ts';
import type { ProxiedState } from '../sip/proxy/proxied-session.ts';
import type { LegState } from '../sip/user-agent/leg.ts';
import {
  answeredKey,
  type Dossier,
  type DossierOrigin,
  type DossierState,
  dossierOrigin,
  dossierState,
  failedKey,
  restoredDossier,
} from './dossier.ts';
import { mayOpenAgain } from './history-work.ts';
import { packed, unlessEmpty, unpacked } from './packed.ts';
import type { Dialogs, StoredMediaLeg } from './ports.ts';
import { Session, type SessionHost } from './session.ts';
import { unanswered } from './translate.ts';

type OriginContext = Pick<SessionContext, 'id' | 'role' | 'invite'>;

export interface StoredOrigin {
  /** Form of this record; one that is not known is left alone. Form 1 said everything, form 2 what has to be said. */
  readonly version: 1 | 2;
  /** Form 1 has the profile here, form 2 as its second text, where it was known. */
  readonly context: OriginContext & { readonly profile?: SessionContext['profile'] };
  /** Key of the policy the session began with. */
  readonly policy: string;
  readonly dossier: DossierOrigin;
  readonly startedAt: number;
}

export interface StoredState {
  readonly value: unknown;
  readonly context: StateContext;
  /** Where it was not known yet when the origin was written. */
  readonly profile?: SessionContext['profile'] | undefined;
  readonly dossier: DossierState;
  readonly legs?: readonly LegState[] | undefined;
  readonly proxied?: ProxiedState | undefined;
  /** Effects that had not left when this was written, and the 2xx that is said until its ACK. */
  readonly pending?: readonly Effect[] | undefined;
  readonly step: number;
  readonly storedAt: number;
}

/** The record's first part, as the store keeps it. */
export function storedOrigin(session: Session, policy: string): string {
  const { id, role, profile, invite } = session.context;
  const { value, texts } = dossierOrigin(session.dossier);
  const { startedAt } = session;
  const origin: StoredOrigin = { version: 2, context: { id, role, invite }, policy, dossier: value, startedAt };
  return packed(origin, profile === null ? texts : [...texts, textOf(profile)]);
}

const PROFILE_TEXTS = new WeakMap<Profile, string>();

/** Many sessions have one profile. */
function textOf(profile: Profile): string {
  let text = PROFILE_TEXTS.get(profile);
  if (text === undefined) {
    text = JSON.stringify(profile);
    PROFILE_TEXTS.set(profile, text);
  }
  return text;
}

/** The record's second part, as the store keeps it. */
export function storedState(session: Session, now: number, dialogs: Partial<Dialogs>): string {
  const { context } = session;
  const { profile } = context;
  const legs: LegState[] = [];
  for (const leg in context.legs) {
    const state = dialogs.exportLeg?.(session.legId(leg));
    if (state !== undefined) legs.push(state);
  }
  const proxied = context.mode === 'proxy' ? dialogs.exportProxied?.(session.id) : undefined;
  // While a session ends nothing is offered or answered any more, so what was agreed is kept only for its history.
  const { answer } = session.dossier;
  const dossier = dossierState(session.dossier, context.ending === null || answer !== null || mayOpenAgain(context));
  const state: StoredState = {
    value: session.actor.getSnapshot().value,
    context: stateContext(context),
    profile: profile === session.writtenProfile ? undefined : profile,
    dossier: dossier.value,
    legs: unlessEmpty(legs),
    proxied,
    pending: unlessEmpty(pendingBefore(session)),
    step: session.step,
    storedAt: now,
  };
  return packed(state, dossier.texts);
}

/** With each 2xx, which is said until its ACK (RFC 3261 13.3.1.4); that will come again, and makes the far one. */
function pendingBefore({ context, dossier, pending }: Session): readonly Effect[] {
  if (dossier.answer === null && context.relays.length === 0) return pending;
  const said: Effect[] = dossier.answer === null ? [] : [dossier.answer];
  for (const { from, exchange, to, as, answered } of context.relays) {
    const waits = pending.some((effect) => effect.type === 'relayResponse' && effect.exchange === as);
    if (answered && !waits && context.ending === null) {
      said.push({ id: `${as}.again`, type: 'relayResponse', from: to, exchange: as, to: from, as: exchange });
    }
  }
  return [...said, ...pending];
}

/** What is as it was at the beginning is not written: JSON leaves out what is undefined. */
interface StateContext extends Pick<SessionContext, 'mode' | 'legs' | 'current' | 'deadlines' | 'checkpoint' | 'step'> {
  readonly lastKnown?: SessionContext['lastKnown'] | undefined;
  readonly carriers?: SessionContext['carriers'] | undefined;
  /** A number where there were only invitations. */
  readonly attempts: SessionContext['attempts'] | number;
  readonly relays?: SessionContext['relays'] | undefined;
  readonly byes?: SessionContext['byes'] | undefined;
  readonly drops?: SessionContext['drops'] | undefined;
  readonly history?: SessionContext['history'] | undefined;
  readonly ending?: SessionContext['ending'] | undefined;
}

/** Key by key: a spread with exceptions costs more than everything else here. */
function stateContext(context: SessionContext): StateContext {
  return {
    mode: context.mode,
    lastKnown: context.lastKnown ?? undefined,
    legs: context.legs,
    current: context.current,
    carriers: unlessEmpty(context.carriers),
    attempts: onlyInvitations(context.attempts) ? context.attempts.invites : context.attempts,
    relays: unlessEmpty(context.relays),
    byes: unlessEmpty(context.byes),
    drops: unlessEmpty(context.drops),
    history: context.history === NO_HISTORY ? undefined : context.history,
    deadlines: context.deadlines,
    ending: context.ending ?? undefined,
    checkpoint: context.checkpoint,
    step: context.step,
  };
}

function onlyInvitations({ redirects, targets, isf, intervals }: SessionContext['attempts']): boolean {
  return redirects === 0 && targets.length === 0 && !isf && intervals === 0;
}

function restoredContext(
  stored: StateContext,
): Omit<SessionContext, keyof OriginContext | 'profile' | 'policy' | 'effects'> {
  const { attempts } = stored;
  return {
    mode: stored.mode,
    lastKnown: stored.lastKnown ?? null,
    legs: stored.legs,
    current: stored.current,
    carriers: stored.carriers ?? [],
    attempts: typeof attempts === 'number' ? { ...NO_ATTEMPTS, invites: attempts } : attempts,
    relays: stored.relays ?? [],
    byes: stored.byes ?? [],
    drops: stored.drops ?? [],
    history: stored.history ?? NO_HISTORY,
    deadlines: stored.deadlines,
    ending: stored.ending ?? null,
    checkpoint: stored.checkpoint,
    step: stored.step,
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
  record: { readonly origin: string; readonly state: string },
  policyNamed: (key: string) => Policy,
  now: number,
  dialogs: Partial<Dialogs>,
): Resumed {
  const { origin, state, dossier, known } = readRecord(record);
  const policy = policyNamed(origin.policy);
  const { id } = origin.context;
  // Within 64*T1 every message may be sent again as a copy; later the peers have forgotten their transactions.
  const fresh = now - state.storedAt < policy.timers.transactionMs;
  const profile = state.profile ?? known;
  const legs = legsAfter(state, fresh);
  const stored = restoredContext(state.context);
  const context: SessionContext = { ...origin.context, ...stored, profile, legs, policy, effects: [] };
  restoreLegs(id, state, dossier, fresh, dialogs);
  const snapshot = { status: 'active', value: state.value, historyValue: {}, context, children: {} };
  const { startedAt } = origin;
  const pending = pendingAfter(state, dossier, fresh);
  const session = Session.resume(
    host,
    id,
    { snapshot: snapshot as never, step: state.step, startedAt, pending, fresh },
    dossier,
  );
  session.writtenProfile = known === null ? undefined : profile;
  return { session, expired: !fresh && legs.a?.phase === 'inviting' };
}

/** A state as it was read: what its record left out is empty. */
type ReadState = StoredState & { readonly legs: readonly LegState[]; readonly pending: readonly Effect[] };

function readRecord(record: { readonly origin: string; readonly state: string }) {
  const first = unpacked(record.origin);
  const second = unpacked(record.state);
  const origin = first.value as StoredOrigin;
  const stored = second.value as StoredState;
  if (origin.version !== 1 && origin.version !== 2) throw new Error(`record of version ${origin.version}`);
  const dossier = restoredDossier(
    { value: origin.dossier, texts: first.texts },
    { value: stored.dossier, texts: second.texts },
  );
  const state: ReadState = { ...stored, legs: stored.legs ?? [], pending: refusedHere(stored, dossier) };
  const written = first.texts[1];
  const known = origin.context.profile ?? (written === undefined ? null : (JSON.parse(written) as Profile));
  return { origin, state, dossier, known };
}

/**
 * A refusal that a proxy was to pass on came on a branch of the process before, which alone could: it is said from the record.
 * Where nobody had answered it is a 408 (RFC 3261 16.7 step 6). A 2xx passes without one.
 */
function refusedHere({ context, pending = [] }: StoredState, { messages }: Dossier): readonly Effect[] {
  if (context.mode !== 'proxy' || context.ending === undefined) return pending;
  return pending.map((effect) => {
    if (effect.type !== 'forwardResponse' || messages.has(answeredKey(effect.leg))) return effect;
    const { id, leg } = effect;
    const refusal = messages.get(failedKey(leg));
    return { id, type: 'forwardFailure', leg, status: refusal?.kind === 'response' ? refusal.status : 408 };
  });
}

/** An ACK that was awaited 64*T1 ago has come, or the session would have ended. */
function legsAfter(state: StoredState, fresh: boolean): SessionContext['legs'] {
  if (fresh) return state.context.legs;
  const legs: Record<LegName, LegRecord> = {};
  for (const [name, leg] of Object.entries(state.context.legs)) {
    legs[name] = leg.phase === 'answered' ? { ...leg, phase: 'confirmed' } : leg;
  }
  return legs;
}

/** Effects that answer the inviter for good: while one of them waits, the INVITE is still to be answered. */
const FINAL_ANSWERS: ReadonlySet<Effect['type']> = new Set(['answer', 'refuse', 'forwardFailure']);

function restoreLegs(id: string, stored: ReadState, dossier: Dossier, fresh: boolean, dialogs: Partial<Dialogs>): void {
  const { legs, mode } = stored.context;
  const unanswered = legs.a?.phase === 'inviting' || stored.pending.some((effect) => FINAL_ANSWERS.has(effect.type));
  const isEarly = (name: LegName): boolean => (name === 'a' ? unanswered : isOpenInvite(legs[name]));
  const known = new Set<LegName>();
  for (const leg of stored.legs) {
    const name = leg.id.slice(id.length + 1);
    const state = fresh ? leg : onlyBye(leg);
    known.add(name);
    if (isEarly(name)) dialogs.restoreEarly?.(state);
    else dialogs.restoreLeg?.(state);
  }
  for (const name in legs) {
    // It may have rung since this was written.
    const unknown = mode === 'b2bua' && !known.has(name) && isEarly(name);
    if (unknown) dialogs.restoreEarly?.(noDialog(`${id}.${name}`, name === 'a'));
  }
  if (unanswered && dossier.invite !== null) dialogs.restoreInvite?.(`${id}.a`, dossier.invite);
  if (fresh) restoreOffers(id, dossier, dialogs);
  if (stored.proxied !== undefined) dialogs.restoreProxied?.(fresh ? stored.proxied : withoutOffers(stored.proxied));
}

function withoutOffers({ offers: _, ...state }: ProxiedState): ProxiedState {
  return state;
}

function noDialog(id: LegId, inbound: boolean): LegState {
  return { id, inbound, dialogs: [], confirmed: -1, inviteCSeq: 1 };
}

/** Each whose final answer has not left, or has no ACK, is among the messages. */
function restoreOffers(id: string, { messages }: Dossier, dialogs: Partial<Dialogs>): void {
  for (const [key, message] of messages) {
    const [kind, leg, exchange = ''] = key.split(' ');
    if (kind !== 'request' || message.kind !== 'request' || message.method !== 'INVITE') continue;
    dialogs.restoreOffer?.(`${id}.${leg}`, exchange, message);
  }
}

/** The peer has forgotten the transactions of what it was asked, and is told of the end if it has not heard of it. */
function onlyBye({ open, ...state }: LegState): LegState {
  return open === undefined ? state : { ...state, open: open.filter(({ method }) => method === 'BYE') };
}

function isOpenInvite(leg: LegRecord | undefined): boolean {
  return leg?.phase === 'inviting' || leg?.phase === 'cancelling';
}

/**
 * Pending effects, with the invitations that are still open in front: a copy of an INVITE finds its transaction. One that
 * was called off is called off again, since the CANCEL may have waited for a provisional response (RFC 3261 9.1).
 */
function pendingAfter(stored: ReadState, dossier: Dossier, fresh: boolean): Effect[] {
  const { legs } = stored.context;
  const waiting = new Set(stored.pending.flatMap((effect) => (effect.type === 'invite' ? [effect.leg] : [])));
  const open: EffectOf<'invite'>[] = Object.values(dossier.invites).filter(
    (effect) => isOpenInvite(legs[effect.leg]) && !waiting.has(effect.leg),
  );
  const calledOff = open.flatMap(({ id, leg }): Effect[] =>
    fresh && legs[leg]?.phase === 'cancelling' ? [{ id: `${id}.cancel`, type: 'cancel', leg }] : [],
  );
  return [...open, ...calledOff, ...stored.pending];
}

/** What the legs of a session that was taken up have said and been told of their media. */
export function storedMediaLegs({ context, dossier }: Session): Record<LegName, StoredMediaLeg> {
  const legs: Record<LegName, StoredMediaLeg> = {};
  for (const [leg, { sent, received }] of Object.entries(dossier.books)) {
    if (context.legs[leg]?.phase === 'closed') continue;
    legs[leg] = { sent: sent?.text ?? null, received, streams: context.legs[leg]?.streams ?? null };
  }
  return legs;
}

/**
 * Requests that were on their way from one side to the other more than 64*T1 ago: both sides have given them up, and the next
 * offer shall go through.
 */
export function giveUpRelays(session: Session): void {
  for (const { from, to, as, answered } of session.context.relays) {
    if (session.context.ending !== null) return;
    if (answered) session.deliver({ type: 'acknowledged', leg: from });
    else session.deliver(unanswered(to, as, 504));
  }
}
