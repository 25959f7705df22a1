/** Whoever takes part in a call of the soak: an endpoint of the virtual world, on real sockets and with real media. */
import { bytesOfWire, wireOfBytes } from '../../src/sip/message/bytes.ts';
import type { AnyMessage, SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { type Conduct, Endpoint, GOOD_CONDUCT, type Peer } from '../../src/testing/index.ts';
import type { Clock } from '../../src/time/clock.ts';
import type { MsrpPhone } from '../support/msrp-phone.ts';
import type { MediaSink } from './media-sink.ts';

/** Where its media are: everybody's sink, a phone that chats, or nowhere, though it says that it will connect. */
export type Media = MediaSink | MsrpPhone | 'absent';

export class Party extends Endpoint {
  readonly media: Media;
  readonly #calls: boolean;
  #joined = false;

  /** `calls`: it is the one who invites. */
  constructor(clock: Clock, peer: Peer, media: Media, calls: boolean, conduct: Partial<Conduct> = {}) {
    super(clock, peer, { ...GOOD_CONDUCT, ...conduct });
    this.media = media;
    this.#calls = calls;
  }

  /** An offer of so many streams. */
  offer(streams: number): string {
    return this.#description(Array.from({ length: streams }, () => true));
  }

  override hear(message: AnyMessage): void {
    const answered = message.kind === 'response' && message.status < 300 && message.body.length > 0;
    if (answered && message.cseq?.method === 'INVITE') this.#join(wireOfBytes(message.body), false);
    super.hear(message);
  }

  /** As any endpoint accepts an offer, but with a description of the streams it really takes. */
  override accepted(request: SipRequest, toTag: string, rejects: readonly number[]): SipResponse {
    const offer = wireOfBytes(request.body);
    if (offer !== '') this.#join(offer, true);
    const response = super.accepted(request, toTag, rejects);
    const lines = offer.match(/^m=\S+ \d+/gm) ?? ['m=message 1'];
    response.body = bytesOfWire(
      this.#description(lines.map((line, at) => !line.endsWith(' 0') && !rejects.includes(at))),
    );
    return response;
  }

  /** The dialog that is open, if there is one. */
  get dialog() {
    return this.dialogs.findLast(({ confirmed, ended }) => confirmed && !ended);
  }

  get established(): boolean {
    return this.dialog !== undefined;
  }

  end(): void {
    if (this.dialog !== undefined) this.bye(this.dialog);
  }

  reinvite(streams: number): void {
    if (this.dialog !== undefined) this.request(this.dialog, 'INVITE', { sdp: this.offer(streams) });
  }

  #description(taken: readonly boolean[]): string {
    const { media, peer } = this;
    if (media === 'absent') return absent(peer.name, taken.length);
    // Callers wait to be connected to, those who are called connect: so the function does both.
    if ('arrived' in media) return media.sdp(this.#calls ? 'passive' : 'active');
    return media.describe(`${peer.name}${this.invitations.length}`, taken);
  }

  #join(theirs: string, called: boolean): void {
    const { media } = this;
    if (this.#joined || media === 'absent' || !('arrived' in media)) return;
    this.#joined = true;
    media.join(theirs, called);
  }
}

/** A description of somebody who is to connect, and never does. */
function absent(owner: string, streams: number): string {
  const line = `m=message 9 TCP/MSRP *\r\na=accept-types:message/cpim\r\na=path:msrp://127.0.0.1:9/${owner};tcp\r\na=setup:active\r\n`;
  return `v=0\r\no=${owner} 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n${line.repeat(streams)}`;
}
