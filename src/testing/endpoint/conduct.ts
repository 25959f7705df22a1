/** How an endpoint behaves: as RFC 3261 asks, or against it on purpose. JSON, so that a scene can be kept in a file. */

export interface Conduct {
  /** Final answers to INVITEs outside a dialog, one after the other, the last for all further ones; null: never any. */
  readonly answers: readonly (number | null)[];
  readonly answerAfterMs: number;
  /** Provisional responses before the final one. */
  readonly rings: number;
  /** RFC 3262: they ask for PRACK where the INVITE supports it. */
  readonly reliable: boolean;
  /** A second fork answers 200 as well, ms after the first. */
  readonly forkAfterMs: number | null;
  /** m-lines rejected in answers to INVITEs, one list after the other, the last for all further ones. */
  readonly rejects: readonly (readonly number[])[];
  /** Its ACKs for 2xx: at once, after three seconds, or never. */
  readonly ack: 'prompt' | 'late' | 'never';
  /** Answer to a BYE; null: none. */
  readonly bye: number | null;
  /** Answer to any other request inside a dialog; null: none. */
  readonly inDialog: number | null;
  /** On CANCEL: ends the INVITE with 487, lets it ring on, or accepts it now. */
  readonly cancel: 'honoured' | 'ignored' | 'accepted';
  /** Session timer in its 2xx (RFC 4028): none, or who refreshes. Nobody here ever refreshes by himself. */
  readonly timer: 'none' | 'uac' | 'uas';
  /** Repeats its requests and final answers until it is heard, and ends what nobody acknowledges. */
  readonly repeats: boolean;
}

/** As the RFC asks. */
export const GOOD_CONDUCT: Conduct = {
  answers: [200],
  answerAfterMs: 10,
  rings: 1,
  reliable: false,
  forkAfterMs: null,
  rejects: [[]],
  ack: 'prompt',
  bye: 200,
  inDialog: 200,
  cancel: 'honoured',
  timer: 'none',
  repeats: true,
};
