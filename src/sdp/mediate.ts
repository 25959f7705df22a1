/**
 * SDP at an intermediate node (5.2.1.2, digest 3.1): number and order of m-lines are kept, the origin of each leg
 * is ours, and a stream that is not to be is port 0 in its place. Addresses, ports and paths pass through until a
 * media relay stands behind the media port.
 */
import { parse, type SessionDescription, write } from 'sdp-transform';
import { scanStreams } from './streams.ts';

/** What was last sent to one leg, so that the next one can be told from it. JSON. */
export interface SentDescription {
  readonly text: string;
  /** Our session id on this leg, kept for its whole life (RFC 3264 5). */
  readonly id: string;
  /** One higher with each change (RFC 3264 8). */
  readonly version: number;
}

const ORIGIN = /^o=[^\r\n]*$/m;

/**
 * The description under our own origin. The version goes up if, and only if, anything else changed since the last
 * one sent to this leg.
 */
export function withOwnOrigin(sdp: string, id: string, last: SentDescription | null, host: string): SentDescription {
  const family = host.includes(':') ? 'IP6' : 'IP4';
  const at = (version: number): string => sdp.replace(ORIGIN, `o=- ${id} ${version} IN ${family} ${host}`);
  if (last === null) return { text: at(1), id, version: 1 };
  const same = at(last.version);
  return same === last.text ? last : { text: at(last.version + 1), id, version: last.version + 1 };
}

/** The offer for a second session: only the m-lines at these places (200 step 1b-ii, A-13). */
export function onlyStreams(sdp: string, kept: readonly number[]): string {
  const session = parse(sdp);
  return write({ ...session, media: session.media.filter((_, at) => kept.includes(at)) });
}

/** The description with these m-lines at port 0 (BYE step 4a, A-31). */
export function withoutStreams(sdp: string, dropped: readonly number[]): string {
  const session = parse(sdp);
  return write({ ...session, media: session.media.map((line, at) => (dropped.includes(at) ? rejected(line) : line)) });
}

/** One answer to an offer, and the offer's m-lines it speaks of, in its order; null means all. */
export interface PartialAnswer {
  readonly sdp: string;
  readonly streams: readonly number[] | null;
}

/**
 * The answer to the whole offer out of the answers to its parts: for each m-line the first that accepted
 * it; what nobody accepted is port 0. Never more lines than the offer has, never fewer.
 */
export function mergeAnswers(offer: string, answers: readonly PartialAnswer[]): string {
  const offered = parse(offer);
  const parts = answers.map((answer) => ({ session: parse(answer.sdp), streams: answer.streams }));
  const first = parts[0]?.session ?? offered;
  const media = offered.media.map((line, index) => {
    for (const { session, streams } of parts) {
      const at = streams === null ? index : streams.indexOf(index);
      const answer = at < 0 ? undefined : session.media[at];
      if (answer !== undefined && answer.port !== 0 && answer.type === line.type) return answer;
    }
    return rejected(line);
  });
  return write({ ...first, media });
}

/** RFC 3264 6: a rejected stream keeps its line, with port 0; attributes say nothing any more. */
function rejected(line: SessionDescription['media'][number]): SessionDescription['media'][number] {
  const { type, protocol, payloads } = line;
  return {
    type,
    port: 0,
    protocol,
    payloads: payloads ?? '*',
    rtp: [],
    fmtp: [],
  } as SessionDescription['media'][number];
}

/** True where both describe the same streams; the origin line aside. */
export function sameDescription(left: string, right: string): boolean {
  return left.replace(ORIGIN, '') === right.replace(ORIGIN, '');
}

/** True for text that can be a description at all: a version, an origin, and m-lines where any are due. */
export function isDescription(sdp: string): boolean {
  return sdp.startsWith('v=0') && ORIGIN.test(sdp) && (scanStreams(sdp).length > 0 || !/^m=/m.test(sdp));
}
