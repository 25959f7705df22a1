/** Answering a request (RFC 4975 7.2, 7.3.1). */
import { answerBetween } from './compose.ts';
import type { Beginning } from './head.ts';

/** Whoever answers for a request: the connection it came over. */
export interface Answerer {
  readonly open: boolean;
  /** Sends `MSRP`, the id, what stands between, the id again and `$`. In pieces: joined they would be copied twice. */
  answer(id: string, between: string): void;
}

/** The request: its transaction id, and what it began with. */
export interface Answered {
  readonly id: string;
  readonly beginning: Beginning;
}

/** RFC 4975 7.2, 7.3.1: `no` wants no answer at all, `partial` only errors; a REPORT never has one. */
export function respondTo(to: Answered, status: number, wanted: 'yes' | 'no' | 'partial', from: Answerer): void {
  const { id, beginning } = to;
  if (beginning.method === 'REPORT' || wanted === 'no' || (wanted === 'partial' && status === 200) || !from.open)
    return;
  const between = status === 200 ? beginning.accepted : answerBetween(status, beginning);
  from.answer(id, between);
}
