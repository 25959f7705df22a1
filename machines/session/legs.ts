/** Questions about a session's legs that guards and actions share. */
import type { LegName, LegRecord, SessionContext } from './context.ts';

const A: LegName = 'a';

/** Far legs: all but the one that invited. */
export function farLegs(legs: SessionContext['legs']): [LegName, LegRecord][] {
  return Object.entries(legs).filter(([name]) => name !== A);
}

/** A dialog that exists: a 2xx went over it and neither side has ended it. */
export function isLive(leg: LegRecord | undefined): boolean {
  return leg !== undefined && (leg.phase === 'confirmed' || leg.phase === 'answered');
}

/** Far legs with a dialog. */
export function liveFarLegs(legs: SessionContext['legs']): LegName[] {
  const names: LegName[] = [];
  for (const name in legs) if (name !== A && isLive(legs[name])) names.push(name);
  return names;
}

/** an IWF is a confirmed dialog reached through the ISF. */
export function liveIwfLegs(legs: SessionContext['legs']): LegName[] {
  return liveFarLegs(legs).filter((name) => legs[name]?.peer === 'iwf');
}

/** True where every leg has ended, all but the given ones. */
export function allClosed(legs: SessionContext['legs'], except: readonly LegName[] = []): boolean {
  for (const name in legs) if (legs[name]?.phase !== 'closed' && !except.includes(name)) return false;
  return true;
}

/** The other side of a request: `a` for a far leg, the first live far leg for `a`. */
export function otherSide(context: Pick<SessionContext, 'legs' | 'current'>, from: LegName): LegName | undefined {
  if (from !== A) return A;
  return liveFarLegs(context.legs)[0] ?? context.current ?? undefined;
}
