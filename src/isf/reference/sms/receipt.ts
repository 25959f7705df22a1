/** Delivery receipts: a deliver_sm that tells what became of a submit_sm (SMPP 3.4 2.11, 5.2.12, appendix B). */

export type ReceiptOutcome = 'delivered' | 'failed' | 'underway';

export interface Receipt {
  /** What the SMSC called the message in its submit_sm_resp. */
  readonly messageId: string;
  readonly outcome: ReceiptOutcome;
  /** `DELIVRD`, `EXPIRED` …; the number of message_state where there is no text. */
  readonly state: string;
}

/** 5.2.12: bits 5 to 2 say that it is a receipt. */
const MESSAGE_TYPE = 0x3c;
const RECEIPT = 0x04;

/** 5.2.28 message_state */
const STATES: Readonly<Record<number, string>> = {
  1: 'ENROUTE',
  2: 'DELIVRD',
  3: 'EXPIRED',
  4: 'DELETED',
  5: 'UNDELIV',
  6: 'ACCEPTD',
  7: 'UNKNOWN',
  8: 'REJECTD',
};

export function isReceipt(esmClass: number): boolean {
  return (esmClass & MESSAGE_TYPE) === RECEIPT;
}

/** Its parameters where the SMSC gives them, else the text of appendix B. Undefined where neither names a message. */
export function readReceipt(
  text: string,
  { messageId, state }: { readonly messageId?: string | undefined; readonly state?: number | undefined } = {},
): Receipt | undefined {
  const id = messageId ?? /\bid:\s*(\S+)/i.exec(text)?.[1];
  const said = (state === undefined ? undefined : STATES[state]) ?? /\bstat:\s*(\w+)/i.exec(text)?.[1]?.toUpperCase();
  if (id === undefined || id === '' || said === undefined) return undefined;
  return { messageId: id, outcome: outcomeOf(said), state: said };
}

function outcomeOf(state: string): ReceiptOutcome {
  if (state.startsWith('DELIVRD')) return 'delivered';
  return /^(ENROUTE|ACCEPTD)/.test(state) ? 'underway' : 'failed';
}
