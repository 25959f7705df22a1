/** Session descriptions of an IWF: what it offers, and what it answers (RFC 4566, RFC 4975 8). */
import { isActive, setupToward } from '../../../msrp/relay/describing.ts';
import { msrpLines, type Setup } from '../../../sdp/msrp-lines.ts';
import { scanStreams } from '../../../sdp/streams.ts';

export interface Own {
  /** Host of our media. */
  readonly host: string;
  readonly port: number;
  /** Session id and version of the origin line. */
  readonly id: string;
  readonly version: number;
  /** Bytes of one message. */
  readonly maxBytes: number;
}

/** The answer; `uriOf` gives our MSRP URI for a stream that is taken, undefined for one that is not. */
export function answerTo(offer: string, own: Own, uriOf: (index: number) => string | undefined): string {
  const lines = msrpLines(offer);
  const sections = offer.split(/^(?=m=)/m).slice(1);
  const media = scanStreams(offer).map(({ media, proto }, index) => {
    const uri = uriOf(index);
    const section = sections[index] ?? '';
    // RFC 3264 6: a rejected stream keeps its place, media, protocol and formats.
    if (uri === undefined) return [`m=${media} 0 ${proto} ${/^m=\S+ \S+ \S+ (.*?)\r?$/m.exec(section)?.[1] ?? '*'}`];
    const direction = /^a=sendonly\r?$/m.test(section) ? ['a=recvonly'] : [];
    // RFC 5547 8.3.2: the answer names the file and its transfer as the offer did.
    const file = section.match(/^a=file-(?:selector|transfer-id):[^\r\n]*/gm) ?? [];
    return [...ownLines(uri, own, setupToward(undefined, false, lines[index])), ...direction, ...file];
  });
  return described(own, media);
}

/** An offer of one stream for text. */
export function offerOf(uri: string, own: Own): string {
  return described(own, [ownLines(uri, own, 'actpass')]);
}

/** Whether we connect for the stream at this place of the offer that was answered. */
export function connectsToOfferer(offer: string, index: number): boolean {
  const line = msrpLines(offer)[index];
  return isActive(setupToward(undefined, false, line), line?.setup);
}

function ownLines(uri: string, { port, maxBytes }: Own, setup: Setup | null): string[] {
  return [
    `m=message ${port} TCP/MSRP *`,
    'a=accept-types:message/cpim',
    'a=accept-wrapped-types:*',
    `a=path:${uri}`,
    ...(setup === null ? [] : [`a=setup:${setup}`]),
    `a=max-size:${maxBytes}`,
  ];
}

function described({ host, id, version }: Own, media: readonly (readonly string[])[]): string {
  const address = `IN IP${host.includes(':') ? '6' : '4'} ${host}`;
  const session = ['v=0', `o=- ${id} ${version} ${address}`, 's=-', `c=${address}`, 't=0 0'];
  return [...session, ...media.flat()].map((line) => `${line}\r\n`).join('');
}
