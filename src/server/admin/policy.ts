/** The policy over HTTP: what is in force, and what an INVITE would get under it or under one that is supposed. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Explanation, Supposed } from '../../engine/explain.ts';
import { textOfWire } from '../../sip/message/bytes.ts';
import { parseMessage } from '../../sip/message/parse.ts';
import { validateRequest } from '../../sip/message/validate.ts';
import type { Traces } from '../../trace/traces.ts';
import { configSchema } from '../config/schema.ts';
import { firstInvite, inviteOf, type RecordedInvite, type Recording, type Unread } from '../dry-run/recorded.ts';
import { replayed } from '../dry-run/replay.ts';
import { policiesOf } from '../policies.ts';
import type { Server } from '../server.ts';
import { commandText, explanationText } from './explain-text.ts';

/** The request as text, and what is tried in place of what is configured. */
const supposing = z.strictObject({
  message: z.string(),
  policy: z
    .strictObject({
      mediaPath: z.enum(['always', 'auto', 'never']),
      allowAnonymity: z.boolean(),
      anonymityFromHeader: z.boolean(),
      requiredUserAgent: z
        .strictObject({ min: z.string(), max: z.string(), onMissing: z.enum(['allow', 'refuse']) })
        .nullable(),
      isfSchemes: z.union([z.literal('others'), z.array(z.string())]),
      noClient: z.enum(['interwork', 'reject', 'defer']),
      allowedMedia: z.array(z.string()),
      sdpCheck: z.enum(['any', 'all']),
      isfAvailable: z.boolean(),
      recording: z.boolean(),
    })
    .partial()
    .default({}),
  profile: z
    .strictObject({
      known: z.boolean(),
      allowOfflineStorage: z.boolean(),
      doNotDisturb: z.boolean(),
      blacklisted: z.boolean(),
      interworking: z.boolean().nullable(),
      services: z.array(z.string()).nullable(),
    })
    .partial()
    .default({}),
});

export function policyRoutes(app: FastifyInstance, server: Server): void {
  replayRoute(app, server);
  const { engine } = server.cpm;
  app.get('/api/policy', async () => ({
    policy: engine.policy,
    rules: engine.policies.rules,
    guards: engine.ownGuards,
    reload: server.reloads.last,
  }));
  app.post('/api/policy/explain', async (request, reply) => {
    const asked = askedIn(request.body, request.headers['content-type']);
    if (typeof asked === 'string') return reply.code(400).send({ error: asked });
    const { message, fault } = parseMessage(withWireLines(asked.bytes));
    if (message?.kind !== 'request') return reply.code(400).send({ error: fault?.detail ?? 'not a SIP request' });
    const verdict = validateRequest(message, fault);
    if (verdict.kind !== 'fit') return reply.code(400).send({ error: verdict.detail });
    const source = { address: request.ip, port: 0, transport: 'UDP', trusted: true };
    const explanation = await new Promise<Explanation>((resolve) => {
      engine.explain(message, source, resolve, asked.supposed);
    });
    const { commands, ...why } = explanation;
    const sent = commands.map((command) => textOfWire(commandText(command).join('\n')).trim()).filter(Boolean);
    return { ...why, sent, text: explanationText(explanation).map(textOfWire) };
  });
}

/** The traced sessions' INVITEs, under the policy in force and under what a reload of this configuration would bring. */
function replayRoute(app: FastifyInstance, server: Server): void {
  const { engine } = server.cpm;
  app.post('/api/policy/replay', async (request, reply) => {
    const asked = z.strictObject({ config: configSchema }).safeParse(request.body);
    if (asked.data === undefined) {
      const [issue] = asked.error.issues;
      return reply.code(400).send({ error: `${issue?.path.join('.')}: ${issue?.message}` });
    }
    const { policy, compat } = asked.data.config;
    const policies = policiesOf({ ...server.config, policy, compat }, server);
    const { invites, unread } = tracedInvites(server.traces);
    const options = { at: server.clock.now() };
    const comparisons = await replayed(invites, { engine }, { engine, supposed: { policies } }, options);
    // Nothing of an INVITE is in it, so nothing has to be masked.
    return { comparisons, unread };
  });
}

function tracedInvites(traces: Traces): Recording {
  const found = [...traces.all()].map(({ session, messages }) => {
    const name = session.id;
    const invite = firstInvite(messages);
    if (invite === undefined) return { name, why: 'it began before it was traced' };
    if (invite.bytes > invite.text.length) return { name, why: 'its INVITE was too long to be kept whole' };
    return inviteOf(name, invite.text, invite.at);
  });
  return {
    invites: found.filter((one): one is RecordedInvite => 'request' in one),
    unread: found.filter((one): one is Unread => 'why' in one),
  };
}

interface Asked {
  readonly bytes: Buffer;
  readonly supposed: Supposed;
}

/** The question, or what is wrong with it. A body that is not JSON is the message itself. */
function askedIn(body: unknown, type: string | undefined): Asked | string {
  if (type?.startsWith('application/json') !== true) {
    return { bytes: Buffer.isBuffer(body) ? body : Buffer.from(String(body ?? ''), 'utf8'), supposed: {} };
  }
  const { data, error } = supposing.safeParse(body);
  if (data === undefined) return `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`;
  const { message, policy, profile } = data;
  return { bytes: Buffer.from(message, 'utf8'), supposed: { policy, profile } as Supposed };
}

/** A file written with an editor has bare line feeds; the wire has CRLF. */
function withWireLines(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return text.includes('\r\n') ? bytes : Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1');
}
