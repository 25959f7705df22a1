/** What a leg's id says: `s.b` is leg `b` of session `s`. */
import type { LegId } from './port.ts';

export function sessionOf(leg: LegId): string {
  return leg.slice(0, leg.indexOf('.'));
}
