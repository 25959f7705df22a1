/** Whether something grows: a straight line through what was measured, by least squares. */

export interface Slope {
  /** Growth of `y` for one more of `x`. */
  readonly perUnit: number;
  /** Its standard error: how much of that may be chance. */
  readonly error: number;
}

/** At least three points with different `x`. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): Slope {
  const count = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count;
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (count < 3 || spread === 0) throw new Error('a slope needs three points at different places');
  const perUnit = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const off = points.reduce((sum, { x, y }) => sum + (y - meanY - perUnit * (x - meanX)) ** 2, 0);
  return { perUnit, error: Math.sqrt(off / (count - 2) / spread) };
}

/** The growth that can't be chance: two standard errors below the line. Negative where it may well be none. */
export function certainGrowth({ perUnit, error }: Slope): number {
  return perUnit - 2 * error;
}
