/** A session as a file: what the page shows of it, with what it was decided by and where it is recorded. */
import type { SessionContext } from '../../../machines/session/context.ts';
import { SESSION_FILE, SESSION_FILE_VERSION, type SessionFile } from '../../trace/session-file.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Server } from '../server.ts';
import { version } from '../version.ts';
import { answerOf } from './answers.ts';
import { redactedData } from './redaction.ts';
import { traceOf } from './trace-views.ts';

export async function sessionFileOf(server: Server, trace: Trace, redact: boolean): Promise<SessionFile> {
  const { id } = trace.session;
  return {
    format: SESSION_FILE,
    version: SESSION_FILE_VERSION,
    exportedAt: trace.session.now(),
    by: `cpm-engine ${version()}`,
    source: 'server',
    redacted: redact,
    trace: traceOf(trace, -1, redact, server.media?.relay.bindingsOf(id)),
    ladder: server.ladders.of(id) ?? [],
    history: await recordedAt(server, trace, redact),
    config: configOf(server, trace),
    verdicts: null,
  };
}

/** Null where nothing is recorded of it, and while the store is away: a file is worth having without. */
async function recordedAt({ history }: Server, trace: Trace, redact: boolean): Promise<SessionFile['history']> {
  const { context, dossier } = trace.session;
  const { conversationId, contributionId } = dossier.papers;
  if (history === undefined || conversationId === '') return null;
  const folder = { user: context.profile?.user ?? dossier.served, conversationId, contributionId };
  const pointers = await answerOf<Readonly<Record<string, number>>>((done) => history.pointers(folder, done)).catch(
    () => ({}),
  );
  if (Object.keys(pointers).length === 0) return null;
  return { ...folder, user: redact ? redactedData(folder.user) : folder.user, pointers };
}

/** By an allow-list: what the session was decided by, and which parts the server has. No address, no secret, no user. */
function configOf({ config, media, recorder }: Server, { session }: Trace): Readonly<Record<string, unknown>> {
  const { policy } = session.context as SessionContext;
  return {
    domain: config.domain,
    node: config.node,
    policy,
    history: config.history.driver,
    sessions: config.sessions.driver,
    preferences: config.preferences.driver,
    registrar: config.registrar.driver,
    relaysMedia: media !== undefined,
    recordsMessages: recorder !== undefined,
  };
}
