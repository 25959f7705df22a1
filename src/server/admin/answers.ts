/** Answers that several parts of the admin interface give. */
import type { FastifyReply } from 'fastify';
import type { Done } from '../../history/driver.ts';

export function notFound(reply: FastifyReply, error: string) {
  return reply.code(404).send({ error });
}

export function answerOf<T>(ask: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, value) => (error === null ? resolve(value as T) : reject(error)));
  });
}
