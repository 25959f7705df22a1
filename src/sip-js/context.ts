/** What a leg needs of the port around it. */
import type { UserAgentCore } from 'sip.js/lib/core/index.js';
import type { SipEvent } from '../sip/port.ts';
import type { Clock } from '../time/clock.ts';

export interface PortContext {
  readonly core: UserAgentCore;
  readonly clock: Clock;
  emit(event: SipEvent): void;
  /** Something sip.js would not do, for its log. */
  warn(what: string, error: unknown): void;
}
