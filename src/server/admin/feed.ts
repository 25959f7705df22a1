/**
 * What changes, as it changes: server-sent events with the ids of sessions that took a step, and a few numbers. It tells
 * where to look, not what is there: whoever looks asks for what it shows. A reader that is slow gets fewer, fuller ones.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Session } from '../../engine/session.ts';
import type { Server } from '../server.ts';
import { healthOf } from './health.ts';

/** A person sees no difference below this. */
const TICK_MS = 250;
/** So that a reader knows the server from a dead one. */
const QUIET_MS = 5000;
/** More changed sessions than this are told as `many`. */
const MAX_NAMED = 200;
const MAX_READERS = 16;

interface Reader {
  readonly response: ServerResponse;
  readonly changed: Set<string>;
  many: boolean;
  toldAt: number;
}

export function feedRoute(app: FastifyInstance, server: Server): void {
  const feed = new Feed(server);
  app.addHook('preClose', async () => feed.close());
  app.get('/api/feed', (_request, reply) => {
    if (feed.readers >= MAX_READERS) {
      void reply.code(503).send({ error: `no more than ${MAX_READERS} readers at a time` });
      return;
    }
    reply.hijack();
    feed.open(reply.raw);
  });
}

class Feed {
  readonly #server: Server;
  readonly #readers = new Set<Reader>();
  #timer: NodeJS.Timeout | undefined;
  readonly #observe = (session: Session): void => {
    for (const reader of this.#readers) {
      if (reader.changed.size < MAX_NAMED) reader.changed.add(session.id);
      else reader.many = true;
    }
  };

  constructor(server: Server) {
    this.#server = server;
  }

  get readers(): number {
    return this.#readers.size;
  }

  open(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const reader = { response, changed: new Set<string>(), many: false, toldAt: 0 };
    this.#readers.add(reader);
    this.#server.observers.add(this.#observe);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    response.on('close', () => this.#leave(reader));
    this.#tell(reader);
  }

  close(): void {
    for (const reader of this.#readers) reader.response.end();
  }

  #leave(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#server.observers.delete(this.#observe);
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = this.#server.clock.now();
    for (const reader of this.#readers) {
      const quiet = reader.changed.size === 0 && !reader.many;
      if (quiet && now - reader.toldAt < QUIET_MS) continue;
      // What waits in the socket has not been read: it can wait with the rest.
      if (!reader.response.writableNeedDrain) this.#tell(reader);
    }
  }

  #tell(reader: Reader): void {
    const { cpm, clock } = this.#server;
    const told = {
      now: clock.now(),
      sessions: cpm.engine.sessions.size,
      status: healthOf(this.#server).status,
      changed: [...reader.changed],
      many: reader.many,
    };
    reader.changed.clear();
    reader.many = false;
    reader.toldAt = told.now;
    reader.response.write(`data: ${JSON.stringify(told)}\n\n`);
  }
}
