/** The message store that the configuration names. */
import { readFileSync } from 'node:fs';
import type { HistoryDriver, HistoryReader } from '../history/driver.ts';
import { type ImapHistory, imapHistory } from '../history/imap/imap-history.ts';
import { sqliteHistory } from '../history/sqlite.ts';
import type { Config } from './config/schema.ts';
import { readSecret } from './config/secrets.ts';

/** Undefined where nothing is recorded. Throws where a file can't be had. */
export function historyOf(history: Config['history']): (HistoryDriver & HistoryReader) | undefined {
  if (history.driver === 'none') return undefined;
  return history.driver === 'sqlite' ? sqliteHistory(history) : imapOf(history);
}

/** The server is asked when there is something to store, not now. Throws where the password can't be had. */
export function imapOf(history: Extract<Config['history'], { driver: 'imap' }>): ImapHistory {
  const { masterUser, ca, starttls, password, ...rest } = history;
  return imapHistory({
    ...rest,
    password: readSecret(password),
    ...(masterUser === undefined ? {} : { masterUser }),
    ...(starttls === undefined ? {} : { starttls }),
    ...(ca === undefined ? {} : { ca: readFileSync(ca, 'utf8') }),
  });
}
