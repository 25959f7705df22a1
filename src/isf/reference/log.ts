/** What the reference functions say, and what they count. */

export type Details = Readonly<Record<string, string | number | boolean | undefined>>;

/** Structured log lines; whoever runs the functions gives one. Texts of messages never come here. */
export interface ReferenceLog {
  info(details: Details, message: string): void;
  warn(details: Details, message: string): void;
  error(details: Details, message: string): void;
}

export const SILENT: ReferenceLog = { info() {}, warn() {}, error() {} };

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
