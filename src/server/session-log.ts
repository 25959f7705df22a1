/** Two log lines for each session, its beginning and its end, and each step between at debug level. */
import type { EngineOptions } from '../engine/engine.ts';
import type { Session } from '../engine/session.ts';
import { type Logger, maskNumbers } from './log.ts';

export interface SessionLog {
  readonly observe: NonNullable<EngineOptions['observe']>;
  readonly ended: NonNullable<EngineOptions['ended']>;
}

export function sessionLog(log: Logger, redact: boolean): SessionLog {
  const masked = redact ? maskNumbers : (text: string): string => text;
  const info = log.isLevelEnabled('info');
  const debug = log.isLevelEnabled('debug');
  return {
    observe(session, event) {
      if (debug) log.debug({ session: session.id, event: event?.type ?? 'invite', state: session.state }, 'step');
      if (event === undefined && info) log.info({ session: session.id, ...begun(session, masked) }, 'session begun');
    },
    ended(session) {
      if (info) log.info({ session: session.id, ...over(session) }, 'session ended');
    },
  };
}

function begun(session: Session, masked: (text: string) => string): Record<string, unknown> {
  const { role, mode, invite } = session.context;
  const { served, destination } = session.dossier;
  return { role, mode, service: invite.service, served: masked(served), to: masked(destination) };
}

function over(session: Session): Record<string, unknown> {
  const { ending, mode } = session.context;
  return { reason: ending?.reason, mode, seconds: Math.round((session.now() - session.startedAt) / 1000) };
}
