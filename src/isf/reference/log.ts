/** What the reference functions say, and what they count. */

export type Details = Readonly<Record<string, string | number | boolean | undefined>>;

/** Structured log lines; whoever runs the functions gives one. Texts of messages never come here. */
export interface ReferenceLog {
  info(details: Details, message: string): void;
  warn(details: Details, message: string): void;
  error(details: Details, message: string): void;
}

/** Happenings by name, such as `sms.segments`; only grows. Names come from the code, never from a peer. */
export class Tally {
  readonly counts: Record<string, number> = {};

  add(name: string, by = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + by;
  }

  of(name: string): number {
    return this.counts[name] ?? 0;
  }
}

/**
 * The last line of defence: a message that makes our own code fail costs that message, not every session. Counted as
 * `internalErrors`; anything but 0 is a defect. The stack says where; the message itself stays out of the log.
 */
export function guarded<T>(work: (given: T) => void, log: ReferenceLog, tally: Tally): (given: T) => void {
  return (given) => {
    try {
      work(given);
    } catch (error) {
      tally.add('internalErrors');
      log.error({ error: (error as Error).stack ?? String(error) }, 'a message could not be handled');
    }
  };
}
