/** Whether something grows: a straight line through what was measured, by least squares. */

export interface Slope {
  /** Growth of `y` for one more of `x`. */
  readonly perUnit: number;
  /** Its standard error: how much of that may be chance. */
  readonly error: number;
  /** Points less the two that any line fits. */
  readonly freedom: number;
}

/** Quantiles of Student's distribution, 99 %, one-sided, by degrees of freedom from 1 on. */
const STUDENT = [31.8, 6.96, 4.54, 3.75, 3.36, 3.14, 3.0, 2.9, 2.82, 2.76];
const MANY = 2.5;

/** At least three points with different `x`. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): Slope {
  const count = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count;
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (count < 3 || spread === 0) throw new Error('a slope needs three points at different places');
  const perUnit = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const off = points.reduce((sum, { x, y }) => sum + (y - meanY - perUnit * (x - meanX)) ** 2, 0);
  return { perUnit, error: Math.sqrt(off / (count - 2) / spread), freedom: count - 2 };
}

/** The growth that, of a hundred flat lines, one would show by chance. Negative where it may well be none. */
export function certainGrowth({ perUnit, error, freedom }: Slope): number {
  return perUnit - (STUDENT[freedom - 1] ?? MANY) * error;
}
