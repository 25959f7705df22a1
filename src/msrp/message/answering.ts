/** Answering a request (RFC 4975 7.2, 7.3.1). */
import { response, responsePath } from './compose.ts';
import type { MsrpHead } from './head.ts';

/** Whoever answers for a request: the connection it came over. */
export interface Answerer {
  readonly open: boolean;
  message(text: string): void;
}

/** RFC 4975 7.2, 7.3.1: `no` wants no answer at all, `partial` only errors; a REPORT never has one. */
export function respondTo(head: MsrpHead, status: number, wanted: 'yes' | 'no' | 'partial', from: Answerer): void {
  if (head.method === 'REPORT' || wanted === 'no' || (wanted === 'partial' && status === 200) || !from.open) return;
  const space = head.toPath.indexOf(' ');
  const ours = space < 0 ? head.toPath : head.toPath.slice(0, space);
  from.message(response(head.id, status, responsePath(head.method, head.fromPath), ours));
}
