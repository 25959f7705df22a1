/** What forwarding needs of the stack around it. */
import type { Clock } from '../../time/clock.ts';
import type { TransportName } from '../flow.ts';
import type { SipEvent, WhenStored } from '../port.ts';
import type { RequestSender } from '../sender.ts';
import type { TimerValues } from '../transaction/timers.ts';

export interface ProxyContext {
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly sender: RequestSender;
  readonly whenStored: WhenStored;
  emit(event: SipEvent): void;
  /** Value of a Record-Route with this key for this transport. */
  recordRoute(key: string, transport: TransportName): string;
}
