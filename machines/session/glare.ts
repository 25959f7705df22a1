/** How long to wait before a request that crossed the peer's own is sent again (RFC 3261 14.1). */
import type { LegName, SessionContext } from './context.ts';

/**
 * In ms: 2100 to 4000 where the Call-ID is ours, as on every far leg; 0 to 2000 on leg `a`, whose Call-ID the inviter
 * chose. RFC 3261 wants it random, so that two peers do not meet again; here it follows from the session's id, which
 * is random, and the event's number, so that the same events give the same session.
 */
export function glareWait(id: SessionContext['id'], leg: LegName, step: number): number {
  const drawn = spread(`${id} ${leg} ${step}`);
  return leg === 'a' ? 10 * (drawn % 201) : 2100 + 10 * (drawn % 191);
}

/** FNV-1a: neighbours in, far apart out. */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
