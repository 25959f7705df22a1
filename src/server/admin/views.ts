/** Sessions as the admin interface shows them. */

import type { Session } from '../../engine/session.ts';
import type { Binding } from '../../msrp/relay/binding.ts';
import { appliedRules } from '../../policy/ruled-policy.ts';
import { maskNumbers } from '../log.ts';
import type { EndedSession } from './ended.ts';

export interface SessionSummary {
  readonly id: string;
  readonly state: string;
  readonly role: string;
  readonly mode: string | null;
  readonly user: string;
  readonly to: string;
  /** Whoever is on the other side of the served user. */
  readonly with: string;
  readonly seconds: number;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly reason: string | null;
}

export function summaryOf(session: Session, redact: boolean): SessionSummary {
  const { context, dossier } = session;
  const shown = redact ? maskNumbers : (text: string): string => text;
  return {
    id: session.id,
    state: session.state,
    role: context.role,
    mode: context.mode,
    user: shown(context.profile?.user ?? dossier.served),
    to: shown(dossier.destination),
    with: shown(otherSideOf(session)),
    seconds: Math.round((session.now() - session.startedAt) / 1000),
    startedAt: session.startedAt,
    reason: context.ending?.reason ?? null,
  };
}

/** Terminating, the destination is the served user: the other side is who invited. */
export function otherSideOf({ context, dossier }: Session): string {
  return context.role === 'orig' ? dossier.destination : (context.invite.originators[0] ?? 'unknown');
}

export function endedOf(session: EndedSession, redact: boolean): EndedSession {
  return redact ? { ...session, user: maskNumbers(session.user), with: maskNumbers(session.with) } : session;
}

/** One session whole: legs, deadlines, recording, why it ends. */
export function detailsOf(session: Session, redact: boolean, bindings: readonly Binding[] = []) {
  const { context, dossier } = session;
  return {
    ...summaryOf(session, redact),
    recording: session.regions.recording,
    service: context.invite.service,
    // Which rules made its policy; none is known of a session that another process began.
    rules: appliedRules(context.policy),
    conversationId: dossier.papers.conversationId,
    contributionId: dossier.papers.contributionId,
    legs: context.legs,
    streams: context.carriers,
    media: bindings.map(mediaOf),
    deadlines: Object.fromEntries(
      Object.entries(context.deadlines).map(([name, at]) => [name, { at, inMs: Math.round(at - session.now()) }]),
    ),
    history: context.history,
    ending: context.ending,
    relays: context.relays,
    pendingEffects: session.pending.map((effect) => effect.type),
  };
}

/** One end of a relayed stream. Paths are what a stranger would need to join in, so they are not shown. */
function mediaOf({ key, port, secure, active, channel, messages, bytes, waiting }: Binding) {
  const { leg, stream } = key;
  return {
    leg,
    stream,
    port,
    secure,
    connects: active ? 'us' : 'peer',
    peer: channel?.open === true ? channel.carrier.remote : null,
    messages,
    bytes,
    waiting: waiting.length,
    unanswered: channel?.pending ?? 0,
  };
}
