/** Messages that are kept for users who are not there: which they are, and removing one. */
import type { FastifyInstance } from 'fastify';
import type { Message } from '../../engine/message/message.ts';
import { maskNumbers } from '../log.ts';
import type { Server } from '../server.ts';
import { notFound } from './answers.ts';
import { type RangeQuery, rangeOf } from './range.ts';

export interface DeferredMessage {
  readonly id: string;
  readonly user: string;
  readonly from: string;
  readonly state: string;
  readonly bytes: number;
  /** Times a client was tried. */
  readonly tries: number;
  /** When it came, and when it is given up, ms since the epoch. */
  readonly at: number;
  readonly expiresAt: number | null;
  readonly conversationId: string;
  readonly contributionId: string;
  readonly messageId: string | null;
}

export function deferredRoutes(app: FastifyInstance, server: Server, redact: boolean): void {
  const { messages } = server.cpm.engine;
  app.get<{ Querystring: RangeQuery & { readonly user?: string } }>('/api/deferred', async (request, reply) => {
    const range = rangeOf(request.query, reply);
    if (range === undefined) return reply;
    const { user } = request.query;
    const all = [...messages.queues.all()].filter((message) => user === undefined || message.user.includes(user));
    const shown = all.slice(range.offset, range.offset + range.limit).map((message) => deferredOf(message, redact));
    return { total: messages.queues.size, matched: all.length, messages: shown };
  });
  app.post<{ Params: { id: string } }>('/api/deferred/:id/drop', async (request, reply) => {
    const { id } = request.params;
    return messages.drop(id)
      ? { dropped: id }
      : notFound(reply, `no message ${id} is kept here (GET /api/deferred lists those that are)`);
  });
}

function deferredOf({ id, user, state, context, papers }: Message, redact: boolean): DeferredMessage {
  const shown = redact ? maskNumbers : (text: string): string => text;
  const { conversationId, contributionId } = papers.papers;
  return {
    id,
    user: shown(user),
    from: shown(papers.asked.originators[0] ?? papers.request.from?.uri ?? 'unknown'),
    state: state.replace('kept.', ''),
    bytes: context.message.bytes,
    tries: context.deliveries,
    at: context.at,
    expiresAt: context.deadlines.expired ?? null,
    conversationId,
    contributionId,
    messageId: papers.cpim?.imdnMessageId ?? null,
  };
}
