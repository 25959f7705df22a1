/** Answers that several parts of the admin interface give. */
import type { FastifyReply } from 'fastify';
import { type Done, StoreAway } from '../../history/driver.ts';

export function notFound(reply: FastifyReply, error: string) {
  return reply.code(404).send({ error });
}

/** Rejects with status 503 where the store is away. */
export function answerOf<T>(ask: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, value) => {
      if (error === null) return resolve(value as T);
      reject(error instanceof StoreAway ? Object.assign(error, { statusCode: 503 }) : error);
    });
  });
}
