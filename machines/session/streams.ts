/** Which streams policy lets a terminating session have: 8.3.2.1 step 5. */
import type { OfferedStream, SessionContext } from './context.ts';
import type { Policy } from './policy.ts';

const isBad = (stream: OfferedStream, policy: Policy): boolean =>
  !stream.disabled && !policy.allowedMedia.includes(stream.media);

/** True for an offer policy refuses: one bad media type is enough, or nothing else is left. */
export function offerRefused(streams: readonly OfferedStream[], policy: Policy): boolean {
  const bad = streams.filter((stream) => isBad(stream, policy)).length;
  if (policy.sdpCheck === 'any') return bad > 0;
  return bad > 0 && bad === streams.filter((stream) => !stream.disabled).length;
}

type Checked = Pick<SessionContext, 'policy' | 'role' | 'mode'>;

/** m-lines that go on at port 0 beside allowed ones. A proxy leaves bodies alone (RFC 3261 16.6). */
export function prunedStreams(streams: readonly OfferedStream[] | null, context: Checked): number[] {
  if (streams === null || context.role !== 'term' || context.mode !== 'b2bua') return [];
  return streams.flatMap((stream, at) => (isBad(stream, context.policy) ? [at] : []));
}

/** The invitation's streams as they go on; null for a late offer. */
export function streamsToOffer(context: Checked & Pick<SessionContext, 'invite'>): readonly OfferedStream[] | null {
  const { streams } = context.invite;
  const pruned = prunedStreams(streams, context);
  if (streams === null || pruned.length === 0) return streams;
  return streams.map((stream, at) => (pruned.includes(at) ? { ...stream, disabled: true } : stream));
}
