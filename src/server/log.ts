/** Structured logs: one line an event, the session's key on each line of a session, numbers masked unless asked. */

import { type DestinationStream, destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { EngineLog } from '../engine/ports.ts';
import type { ReferenceLog } from '../isf/reference/log.ts';
import type { Config } from './config/schema.ts';

export type { Logger } from 'pino';

/** Logs go to standard error, so that standard output has only what was asked for. */
export function createLog(config: Config['log'], stream?: DestinationStream): Logger {
  const out =
    stream ?? (config.format === 'pretty' ? pretty({ destination: 2, ignore: 'pid,hostname' }) : destination(2));
  return pino({ level: config.level, base: null }, out);
}

/** What the engine says, as log lines. */
export function engineLog(log: Logger, redact: boolean): EngineLog {
  const clean = redact ? redactedDetails : (details: Details): Details => details;
  return {
    session(id, message, details = {}) {
      if (log.isLevelEnabled('info')) log.info({ session: id, ...clean(details) }, message);
    },
    problem(message, details = {}) {
      log.error(clean(details), message);
    },
  };
}

/** Log lines of an IWF, or of an endpoint like one, with numbers masked unless asked otherwise. */
export function referenceLog(log: Logger, redact: boolean): ReferenceLog {
  const clean = redact ? redactedDetails : (details: Readonly<Record<string, unknown>>) => details;
  return {
    info: (details, message) => log.info(clean(details), message),
    warn: (details, message) => log.warn(clean(details), message),
    error: (details, message) => log.error(clean(details), message),
  };
}

type Details = Readonly<Record<string, unknown>>;

export function redactedDetails(details: Details): Details {
  return Object.fromEntries(
    // The session's key is no number, even where it ends in digits.
    Object.entries(details).map(([key, value]) => [
      key,
      typeof value === 'string' && key !== 'session' ? maskNumbers(value) : value,
    ]),
  );
}

/** Telephone numbers keep their first digits and lose the rest: `tel:+1555****`. */
export function maskNumbers(text: string): string {
  return text.replace(/(\+?\d{3,4})[\d().-]{3,}(?=[@;>\s,]|$)/g, '$1****');
}
