/** A session store that outlives nothing: for embedding and for tests without restarts. */
import type { SessionStore } from '../engine/ports.ts';

export function memorySessions(): SessionStore {
  return {
    durable: false,
    commit: (_batch, done) => done(),
    load: () => {},
    policy: () => undefined,
  };
}
