/** The m-lines of a session description, and which of them an answer accepted (RFC 3264, A-11). */

export interface Stream {
  readonly media: string;
  readonly port: number;
  readonly proto: string;
}

const M_LINE = /^m=([^\s]+) (\d{1,5})(?:\/\d+)? ([^\s]+)/gm;

/** All m-lines in order. Reads only the lines it needs: this runs for each INVITE and each answer. */
export function scanStreams(sdp: string): Stream[] {
  const streams: Stream[] = [];
  M_LINE.lastIndex = 0;
  for (let line = M_LINE.exec(sdp); line !== null; line = M_LINE.exec(sdp)) {
    const [, media = '', port = '0', proto = ''] = line;
    streams.push({ media, port: Number(port), proto });
  }
  return streams;
}

/** The m-lines of an offer: their media types, and which are offered as already rejected. */
export function offeredStreams(sdp: string): { readonly media: string; readonly disabled: boolean }[] {
  return scanStreams(sdp).map(({ media, port }) => ({ media, disabled: port === 0 }));
}

/**
 * For each m-line of the offer, whether the answer accepted it: same place, same media and protocol, port not 0. A
 * line the answer left out counts as rejected (A-11).
 */
export function acceptedStreams(offer: string, answer: string): boolean[] {
  const answered = scanStreams(answer);
  return scanStreams(offer).map((offered, at) => {
    const line = answered[at];
    return line !== undefined && line.port !== 0 && line.media === offered.media && sameProtocol(line, offered);
  });
}

/** MSRP may be secured on one side and not on the other of an intermediate node (digest 3.1). */
function sameProtocol(answered: Stream, offered: Stream): boolean {
  if (answered.proto === offered.proto) return true;
  return answered.proto.toUpperCase().replace('/TLS', '') === offered.proto.toUpperCase().replace('/TLS', '');
}
