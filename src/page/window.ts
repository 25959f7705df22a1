/** Which rows of a long list are to be drawn, and which pages of it have to be fetched for that. */

export interface Span {
  /** First row, from 0. */
  readonly from: number;
  /** The row behind the last one. */
  readonly to: number;
}

/** Rows in sight, and a few more on both sides so that a quick hand does not see the edge. */
export function rowsInSight(top: number, height: number, rowHeight: number, total: number, more = 12): Span {
  const first = Math.floor(Math.max(0, top) / rowHeight);
  const last = Math.ceil((Math.max(0, top) + height) / rowHeight);
  const from = Math.max(0, Math.min(first - more, total));
  return { from, to: Math.max(from, Math.min(last + more, total)) };
}

/** Numbers of the pages that hold these rows. */
export function pagesOf({ from, to }: Span, pageSize: number): number[] {
  if (to <= from) return [];
  const first = Math.floor(from / pageSize);
  const last = Math.floor((to - 1) / pageSize);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
