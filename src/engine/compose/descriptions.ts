/** Session descriptions from one leg to another: 4g, 7c-iii, 200 steps 4 and 2 (5.2.1.2, A-09). */
import type { LegName, SessionContext } from '../../../machines/session/context.ts';
import { mergeAnswers, onlyStreams, type PartialAnswer, withOwnOrigin, withoutStreams } from '../../sdp/mediate.ts';
import { scanStreams } from '../../sdp/streams.ts';
import { SDP_TYPE, sdpOf, withSdp } from '../../sip/message/body.ts';
import { bytesOfWire } from '../../sip/message/bytes.ts';
import { type HeaderField, headerField } from '../../sip/message/header.ts';
import type { AnyMessage } from '../../sip/message/message.ts';
import { bookOf, type Dossier } from '../dossier.ts';
import type { Identity } from '../identity.ts';
import type { MediaLeg, MediaPort } from '../ports.ts';

export interface Describing {
  readonly session: string;
  readonly context: Pick<SessionContext, 'legs'>;
  readonly dossier: Dossier;
  readonly identity: Identity;
  readonly media: MediaPort;
}

/** SDP of a message; undefined where it has none. */
export function descriptionOf(message: AnyMessage): string | undefined {
  return sdpOf(message.header('content-type'), message.body);
}

/** The body of a message for another leg: its description under our origin there, other parts untouched. */
export function bodyToward(to: LegName, message: AnyMessage, sdp: string | undefined, by: Describing): Uint8Array {
  if (sdp === undefined) return message.body;
  return withSdp(message.header('content-type'), message.body, describe(to, sdp, by));
}

/** The description as this leg gets it, noted as the last one sent there. */
export function describe(to: LegName, sdp: string, by: Describing): string {
  const book = bookOf(by.dossier, to);
  const adapted = by.media.adapt(by.session, to, sdp, mediaLegs(by));
  book.sent = withOwnOrigin(adapted, book.sent?.id ?? originId(by.session, to), book.sent, by.identity.mediaAddress);
  return book.sent.text;
}

/** What each leg has said of its media, for the plane that carries them. */
function mediaLegs({ dossier, context }: Describing): Record<LegName, MediaLeg> {
  const legs: Record<LegName, MediaLeg> = {};
  for (const [leg, { received }] of Object.entries(dossier.books)) {
    legs[leg] = { received, streams: context.legs[leg]?.streams ?? null };
  }
  return legs;
}

/** The description with these m-lines taken out: port 0 in their place. */
export function pruned(sdp: string | undefined, without: readonly number[] = []): string | undefined {
  return sdp === undefined || without.length === 0 ? sdp : withoutStreams(sdp, without);
}

/** The answer that takes nothing of a late offer, for the ACK of a session that ends at once (RFC 3261 13.2.2.4). */
export function rejection(to: LegName, offer: string, by: Describing): Uint8Array {
  const all = scanStreams(offer).map((_, at) => at);
  // No media: nothing is bound for a leg whose media may have been freed already.
  const unmediated = { ...by, media: { ...by.media, adapt: (_session: string, _leg: LegName, sdp: string) => sdp } };
  return bytesOfWire(describe(to, withoutStreams(offer, all), unmediated));
}

/** The offer for a leg that gets only some streams. */
export function partialOffer(to: LegName, sdp: string, streams: readonly number[], by: Describing): Uint8Array {
  return bytesOfWire(describe(to, onlyStreams(sdp, streams), by));
}

/** The answer to the inviter's whole offer out of several far answers. */
export function mergedAnswer(offer: string, answers: readonly PartialAnswer[], by: Describing): Uint8Array {
  return bytesOfWire(describe('a', mergeAnswers(offer, answers), by));
}

/** What was last sent to a leg, with some of its streams taken out, as a new offer. */
export function reducedOffer(to: LegName, without: readonly number[], by: Describing): Uint8Array | undefined {
  const last = bookOf(by.dossier, to).sent;
  return last === null ? undefined : bytesOfWire(describe(to, withoutStreams(last.text, without), by));
}

export const SDP_HEADERS: readonly HeaderField[] = [headerField('Content-Type', SDP_TYPE)];

/** RFC 4566 5.2: a numeric session id. Made of the session's key, so that a restart makes the same. */
function originId(session: string, leg: LegName): string {
  let hash = 0x811c9dc5;
  const name = `${session}.${leg}`;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return String(hash >>> 0);
}
