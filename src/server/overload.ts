/** Overload control: new sessions are refused while the event loop lags or too many sessions live. */
import type { NodeClock } from '../host/node-clock.ts';
import type { Config } from './config/schema.ts';

export interface OverloadControl {
  /** Seconds to wait, or undefined where new sessions are welcome. */
  retryAfter(): number | undefined;
  /** How late the event loop runs, ms. */
  readonly lagMs: number;
}

export function overloadControl(
  config: Config['sip']['overload'],
  clock: Pick<NodeClock, 'lagMs'>,
  sessions: () => number,
): OverloadControl {
  return {
    retryAfter: () =>
      clock.lagMs > config.maxLagMs || sessions() >= config.maxSessions ? config.retryAfter : undefined,
    get lagMs() {
      return clock.lagMs;
    },
  };
}
