/** Spans of local time: days of the week, hours of the day, dates, in a time zone with its summer time. */

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

/** Everything that is said must hold; what is not said always does. */
export interface TimeSpan {
  /** IANA name, `Europe/Berlin`; absent: UTC. */
  readonly zone?: string | undefined;
  readonly days?: readonly Day[] | undefined;
  /**
   * `22:00` until before `06:00`. A span over midnight belongs, with its day and date, to the evening on which it begins.
   */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  /** `2026-12-24` to `2026-12-26`, both included. */
  readonly dates?: { readonly from?: string | undefined; readonly until?: string | undefined } | undefined;
}

/** What clocks on the wall show. */
export interface LocalTime {
  readonly day: Day;
  /** `2026-12-24` */
  readonly date: string;
  /** Since midnight. */
  readonly minutes: number;
}

const MINUTE_MS = 60_000;
const UTC = 'UTC';

export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** The local time of a zone. Asking again within the same minute costs nothing. */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  #minute = Number.NaN;
  #last: LocalTime | undefined;

  /** Throws a RangeError where there is no such zone. */
  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
  }

  /** @param at ms since the epoch */
  at(at: number): LocalTime {
    const minute = Math.floor(at / MINUTE_MS);
    if (this.#last === undefined || minute !== this.#minute) {
      this.#minute = minute;
      this.#last = this.#read(at);
    }
    return this.#last;
  }

  #read(at: number): LocalTime {
    const parts: Record<string, string> = {};
    for (const { type, value } of this.#format.formatToParts(at)) parts[type] = value;
    return {
      day: (parts.weekday ?? '').toLowerCase() as Day,
      date: `${parts.year}-${parts.month}-${parts.day}`,
      minutes: Number(parts.hour) * 60 + Number(parts.minute),
    };
  }
}

export interface SpanTest {
  /** `mon tue 22:00-06:00 Europe/Berlin` */
  readonly text: string;
  holds(at: number): boolean;
  /** The local time it goes by. */
  localTime(at: number): string;
}

/** Throws a RangeError where there is no such zone. */
export function spanTest(span: TimeSpan): SpanTest {
  const zone = span.zone ?? UTC;
  const clock = new ZoneClock(zone);
  const evening = new ZoneClock(zone);
  const { days, dates } = span;
  const from = minutesOf(span.from ?? '00:00');
  const until = minutesOf(span.until ?? '24:00');
  const onDay = ({ day, date }: LocalTime): boolean =>
    (days?.includes(day) ?? true) && date >= (dates?.from ?? '') && date <= (dates?.until ?? '9999');
  return {
    text: spanText(span, zone),
    holds(at) {
      const now = clock.at(at);
      if (from < until) return now.minutes >= from && now.minutes < until && onDay(now);
      if (now.minutes >= from) return onDay(now);
      // Two hours before midnight it is the day before, also where summer time begins or ends.
      return now.minutes < until && onDay(evening.at(at - (now.minutes + 120) * MINUTE_MS));
    },
    localTime(at) {
      const { day, date, minutes } = clock.at(at);
      return `${day} ${date} ${clockText(minutes)} ${zone}`;
    },
  };
}

/** `08:30` in minutes since midnight. */
export function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

function clockText(minutes: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function spanText({ days, from, until, dates }: TimeSpan, zone: string): string {
  const hours = from === undefined && until === undefined ? [] : [`${from ?? '00:00'}-${until ?? '24:00'}`];
  const range = dates === undefined ? [] : [`${dates.from ?? ''}..${dates.until ?? ''}`];
  return [...range, ...(days ?? []), ...hours, zone].join(' ');
}
