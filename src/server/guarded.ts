/** The last line of defence: a message that makes our own code fail costs that message, not every session. */
import type { NetworkUser } from '../sip/transport/node-network.ts';
import type { Logger } from './log.ts';

export interface Guarded extends NetworkUser {
  /** Messages that made our own code fail; anything but 0 is a defect. */
  readonly failures: number;
}

export function guarded(user: NetworkUser, log: Logger): Guarded {
  let failures = 0;
  const failed = (error: unknown): void => {
    failures++;
    // The stack says where; the message itself may hold numbers and words of people, so it is not written down.
    log.error({ error: (error as Error).stack ?? String(error) }, 'a message could not be handled');
  };
  return {
    receive(bytes, flow) {
      try {
        user.receive(bytes, flow);
      } catch (error) {
        failed(error);
      }
    },
    receiveFrame(frame, flow) {
      try {
        return user.receiveFrame(frame, flow);
      } catch (error) {
        failed(error);
        return true;
      }
    },
    get failures() {
      return failures;
    },
  };
}
