/** How a server stops: new sessions are refused, live ones end or are kept, what waits is written. */
import type { Config } from './config/schema.ts';
import type { Server } from './server.ts';

/** How often a stopping server looks whether everything has ended. */
const LOOK_MS = 20;

/** `sessions: keep` leaves them to the next start; what has not ended within `shutdown.graceMs` is left to it too. */
export async function stop(server: Server, sessions: Config['shutdown']['sessions']): Promise<void> {
  const { config, cpm, clock } = server;
  const { engine, outbox } = cpm;
  engine.refusing = true;
  const deadline = clock.now() + config.shutdown.graceMs;
  if (sessions === 'end') {
    for (const id of [...engine.sessions.keys()]) engine.end(id, 'shutdown');
    while (engine.sessions.size > 0 && clock.now() < deadline) await pause(LOOK_MS);
  }
  outbox?.retryNow();
  while (outbox !== undefined && outbox.depth > 0 && clock.now() < deadline) await pause(LOOK_MS);
  server.preferences?.close();
  server.regEvents?.close();
  await server.deferral?.close();
  engine.flush();
  server.media?.relay.close();
  await server.media?.network.close();
  server.stack.close();
  await server.network.close();
  cpm.close();
  if ('close' in server.sessions) server.sessions.close();
  server.history?.close();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
