/**
 * `cpm-engine/history`: where conversations are recorded. A driver keeps folders of a user's conversations, the objects
 * in them under ascending UIDs, and two pointers for each folder. Give one to `createEngine({ history })`.
 *
 * A driver of your own implements {@link HistoryDriver}, and {@link HistoryReader} where it shall be read back through
 * the admin interface; every operation may be repeated by a restart and must then change nothing.
 *
 * @packageDocumentation
 */
import { MemoryHistory } from './memory.ts';

export type {
  Done,
  FolderSummary,
  HistoryDriver,
  HistoryReader,
  Pointer,
  StoredObject,
} from './driver.ts';
export { NoFolder, StoreAway } from './driver.ts';
export { type ImapHistory, imapHistory } from './imap/imap-history.ts';
export type { ImapHistoryOptions } from './imap/options.ts';
export type { FolderRef } from './intent.ts';
export type { MemoryHistory } from './memory.ts';
export type { RecordingRules } from './record.ts';
export { type SqliteHistory, type SqliteHistoryOptions, sqliteHistory } from './sqlite.ts';

/** A store that forgets everything with the process: for tests, and for trying things out. */
export function memoryHistory(): MemoryHistory {
  return new MemoryHistory();
}
