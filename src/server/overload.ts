/** Overload control: new sessions are refused while the event loop lags or too many sessions live. */
import type { Config } from './config/schema.ts';

export interface OverloadControl {
  /** Seconds to wait, or undefined where new sessions are welcome. */
  retryAfter(): number | undefined;
  /** How late the event loop last was, ms. */
  readonly lagMs: number;
  stop(): void;
}

/** How often the loop's lateness is measured. */
const SAMPLE_MS = 50;

export function overloadControl(config: Config['sip']['overload'], sessions: () => number): OverloadControl {
  let lagMs = 0;
  let expected = performance.now() + SAMPLE_MS;
  const sampling = setInterval(() => {
    const now = performance.now();
    // Smoothed, so that one long pause does not turn callers away, and a lasting one does.
    lagMs = lagMs * 0.5 + Math.max(0, now - expected) * 0.5;
    expected = now + SAMPLE_MS;
  }, SAMPLE_MS);
  sampling.unref();
  return {
    retryAfter: () => (lagMs > config.maxLagMs || sessions() >= config.maxSessions ? config.retryAfter : undefined),
    get lagMs() {
      return lagMs;
    },
    stop: () => clearInterval(sampling),
  };
}
