/** What a leg's id says: `s.b` is leg `b` of session `s`. */
import type { LegId } from './port.ts';

/** Of one message, and of what it leads to, several ask in turn: the last answer is kept, and with it the hash of its text. */
let lastLeg = '';
let lastSession = '';

export function sessionOf(leg: LegId): string {
  if (leg !== lastLeg) {
    lastLeg = leg;
    lastSession = leg.slice(0, leg.indexOf('.'));
  }
  return lastSession;
}
