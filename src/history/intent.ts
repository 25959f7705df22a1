/** What is to be done in a user's message store: plain data, kept in the outbox until it is done. */

export interface FolderRef {
  /** Whose mailbox. */
  readonly user: string;
  readonly conversationId: string;
  readonly contributionId: string;
}

interface Intent {
  /** Doing the same id twice leaves one object. */
  readonly id: string;
  /** Session to tell of the outcome. */
  readonly session: string;
  readonly folder: FolderRef;
  /** ms since the epoch, when it was ordered. */
  readonly at: number;
}

/** 200 step 7a: folder, Session Info Object, its pointer. */
export interface OpenIntent extends Intent {
  readonly kind: 'open';
  /** The object as an RFC 5322 message, a wire string. */
  readonly object: string;
}

/** BYE step 2c-ii and its like: Group State Object and pointer. */
export interface SealIntent extends Intent {
  readonly kind: 'seal';
  /** Null where policy makes none (`recording.groupState`). */
  readonly object: string | null;
  readonly groupStatePointer: boolean;
  /** write the Session Info pointer again. */
  readonly reassertSessionInfo: boolean;
}

/** A message of the conversation: one object. */
export interface MessageIntent extends Intent {
  readonly kind: 'message';
  /** The object as an RFC 5322 message; where its content is in the spool, what stands before that. */
  readonly object: string;
  /** Name of the spool file with the rest; null where `object` is all of it. */
  readonly spooled: string | null;
}

export type HistoryIntent = OpenIntent | MessageIntent | SealIntent;

export type HistoryOutcome =
  | { readonly ok: true; readonly sessionInfoUid: number | null; readonly groupStateUid: number | null }
  | { readonly ok: false; readonly error: string };
