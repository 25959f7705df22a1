/** Which part of a list is asked for. */
import type { FastifyReply } from 'fastify';

const MAX_LISTED = 1000;
const DEFAULT_LISTED = 100;

export interface RangeQuery {
  readonly limit?: string;
  readonly offset?: string;
}

export interface Range {
  readonly offset: number;
  readonly limit: number;
}

/** Undefined where it was refused. */
export function rangeOf(
  { limit = String(DEFAULT_LISTED), offset = '0' }: RangeQuery,
  reply: FastifyReply,
): Range | undefined {
  const range = { limit: Number(limit), offset: Number(offset) };
  if (!Number.isInteger(range.limit) || range.limit < 1 || range.limit > MAX_LISTED) {
    void reply.code(400).send({ error: `limit: expected a number from 1 to ${MAX_LISTED}` });
    return undefined;
  }
  if (!Number.isInteger(range.offset) || range.offset < 0) {
    void reply.code(400).send({ error: 'offset: expected a number from 0' });
    return undefined;
  }
  return range;
}
