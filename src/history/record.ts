/** The sequences of 8.5 on a message store: opening a session's folder, sealing it. */
import { type Done, type HistoryDriver, NoFolder, type Pointer } from './driver.ts';
import type { FolderRef, HistoryIntent, HistoryOutcome, MessageIntent, OpenIntent, SealIntent } from './intent.ts';

export interface RecordingRules {
  /** False leaves folder metadata alone altogether. */
  readonly metadata: boolean;
  /** False removes the Group State Object the pointer pointed to before. */
  readonly keepOldGroupState: boolean;
}

/** What an intent's work gave. */
export type Uids = Omit<Extract<HistoryOutcome, { ok: true }>, 'ok'>;

/** Does one intent. Doing it again after a failure halfway, or after success, leaves the same. */
export function record(driver: HistoryDriver, rules: RecordingRules, intent: HistoryIntent, done: Done<Uids>): void {
  if (intent.kind === 'open') open(driver, rules, intent, done);
  else if (intent.kind === 'message') inFolder(driver, intent.folder, (told) => keep(driver, intent, told), done);
  else inFolder(driver, intent.folder, (told) => seal(driver, rules, intent, told), done);
}

/** A user may delete a folder while it is recorded into: what comes then gets a folder all the same. */
function inFolder(driver: HistoryDriver, folder: FolderRef, work: (done: Done<Uids>) => void, done: Done<Uids>): void {
  work((error, uids) => {
    if (!(error instanceof NoFolder)) return done(error, uids);
    driver.openFolder(folder, (failed) => {
      if (failed !== null) done(failed);
      else work(done);
    });
  });
}

/** One object for one message. */
function keep(driver: HistoryDriver, intent: MessageIntent, done: Done<Uids>): void {
  driver.append(intent.folder, intent.id, intent.object, (error) => {
    done(error, { sessionInfoUid: null, groupStateUid: null });
  });
}

/**
 * Key of a folder's Session Info Object, whichever session stores it: of two that open the folder, and are ordered to once more
 * after a kill, either may come first.
 */
const SESSION_INFO_KEY = 'session-info';

/** O-200B-7a-i to iv, T-200B-4a-i to iv. */
function open(driver: HistoryDriver, rules: RecordingRules, intent: OpenIntent, done: Done<Uids>): void {
  const { folder } = intent;
  const stored = (uid: number): void => {
    setPointer(driver, rules, intent, 'SessionInfoObjectID', uid, (error) => {
      if (error !== null) return done(error);
      done(null, { sessionInfoUid: uid, groupStateUid: null });
    });
  };
  driver.openFolder(folder, (error) => {
    if (error !== null) return done(error);
    getPointer(driver, rules, intent, 'SessionInfoObjectID', (failed, known) => {
      if (failed !== null) return done(failed);
      // one Session Info Object in a folder; a rejoined session keeps the first.
      if (known !== null && known !== undefined) return done(null, { sessionInfoUid: known, groupStateUid: null });
      driver.append(folder, SESSION_INFO_KEY, intent.object, (lost, uid) => {
        if (lost !== null || uid === undefined) return done(lost ?? new Error('the store gave no UID'));
        stored(uid);
      });
    });
  });
}

/** O-BYE-2c-ii-1 to 4 and their like. */
function seal(driver: HistoryDriver, rules: RecordingRules, intent: SealIntent, done: Done<Uids>): void {
  storeGroupState(driver, rules, intent, (error, groupStateUid) => {
    if (error !== null) return done(error);
    getPointer(driver, rules, intent, 'SessionInfoObjectID', (failed, known) => {
      if (failed !== null) return done(failed);
      const uids = { sessionInfoUid: known ?? null, groupStateUid: groupStateUid ?? null };
      if (!intent.reassertSessionInfo || uids.sessionInfoUid === null) return done(null, uids);
      setPointer(driver, rules, intent, 'SessionInfoObjectID', uids.sessionInfoUid, (lost) => {
        done(lost, uids);
      });
    });
  });
}

function storeGroupState(
  driver: HistoryDriver,
  rules: RecordingRules,
  intent: SealIntent,
  done: Done<number | null>,
): void {
  const { folder, object } = intent;
  if (object === null) return done(null, null);
  driver.append(folder, intent.id, object, (lost, uid) => {
    if (lost !== null || uid === undefined) return done(lost ?? new Error('the store gave no UID'));
    if (!intent.groupStatePointer) return done(null, uid);
    movePointer(driver, rules, intent, uid, done);
  });
}

/** an update is a new object and a pointer that moves; the object before it may go. */
function movePointer(
  driver: HistoryDriver,
  rules: RecordingRules,
  intent: SealIntent,
  uid: number,
  done: Done<number | null>,
): void {
  const move = (before: number | null): void =>
    setPointer(driver, rules, intent, 'GroupStateObjectID', uid, (failed) => {
      if (failed !== null || before === null || before === uid) return done(failed, uid);
      driver.remove(intent.folder, before, (stuck) => done(stuck, uid));
    });
  if (rules.keepOldGroupState) return move(null);
  getPointer(driver, rules, intent, 'GroupStateObjectID', (error, before) => {
    if (error !== null) return done(error);
    move(before ?? null);
  });
}

function setPointer(
  driver: HistoryDriver,
  rules: RecordingRules,
  intent: HistoryIntent,
  pointer: Pointer,
  uid: number,
  done: Done<void>,
): void {
  if (rules.metadata) driver.setPointer(intent.folder, pointer, uid, done);
  else done(null);
}

function getPointer(
  driver: HistoryDriver,
  rules: RecordingRules,
  intent: HistoryIntent,
  pointer: Pointer,
  done: Done<number | null>,
): void {
  if (rules.metadata) driver.getPointer(intent.folder, pointer, done);
  else done(null, null);
}
