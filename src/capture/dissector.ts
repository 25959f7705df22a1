/** From packets to what was said: SIP over UDP and TCP, MSRP over TCP, and the gaps where the capture has not all. */
import { wireOfBytes } from '../sip/message/bytes.ts';
import type { AnyMessage } from '../sip/message/message.ts';
import { parseMessage } from '../sip/message/parse.ts';
import { CaptureError } from './capture-error.ts';
import type { Packet } from './file/packet.ts';
import { Internet } from './network/internet.ts';
import { ipOf, isReadLink, shortAt } from './network/link.ts';
import { type MsrpSaid, Speech } from './network/speech.ts';
import { Connections, type StreamSink, type TcpStream } from './network/tcp.ts';

interface Said {
  /** ms since the epoch. */
  readonly at: number;
  /** `10.0.0.1:5060`, `[2001:db8::1]:5060`. */
  readonly from: string;
  readonly to: string;
  readonly transport: 'UDP' | 'TCP';
  /** Which of the two opened the connection; undefined over UDP, and where that was before the capture. */
  readonly opener: string | undefined;
}

export type SipSaid = Said & { readonly kind: 'sip'; readonly message: AnyMessage; readonly text: string };
export type ChatSaid = Said & { readonly kind: 'msrp'; readonly said: MsrpSaid };
export type GapSaid = Said & { readonly kind: 'gap'; readonly bytes: number };
export type Heard = SipSaid | ChatSaid | GapSaid;

/** What was captured, read as far as it can be. */
export interface Hearing {
  readonly heard: readonly Heard[];
  readonly packets: number;
  /** ms since the epoch, of the first and the last packet. */
  readonly begun: number;
  readonly ended: number;
  /** What whoever reads the result has to know of the capture. */
  readonly notes: readonly string[];
}

/** Messages kept, and their bytes together; what comes behind is not read. */
const MAX_HEARD = 500_000;
const MAX_BYTES = 268_435_456;
/** The same datagram at two interfaces, as with `-i any`; no sender says a message again so soon (RFC 3261 17.1.1.2). */
const TWICE_MS = 5;
const RECENT = 64;
const TCP = 6;
const UDP = 17;
const STARTS_SIP = /^(?:[A-Za-z0-9._%!*+`'~-]{1,40} \S{1,4096} SIP\/2\.0\r\n|SIP\/2\.0 \d{3} )/;

export class Dissector implements StreamSink {
  readonly #internet = new Internet();
  readonly #connections = new Connections(this);
  readonly #speeches = new Map<TcpStream, Speech>();
  readonly #heard: Heard[] = [];
  readonly #unread = new Map<number, number>();
  readonly #recent: { at: number; from: string; to: string; text: string }[] = [];
  #bytes = 0;
  #packets = 0;
  #readPackets = 0;
  #cutPackets = 0;
  #gaps = 0;
  #encrypted = 0;
  #full = false;
  #begun = Number.POSITIVE_INFINITY;
  #ended = 0;

  take({ at, link, bytes, missing }: Packet): void {
    this.#packets++;
    this.#begun = Math.min(this.#begun, at);
    this.#ended = Math.max(this.#ended, at);
    if (!isReadLink(link)) return void this.#unread.set(link, (this.#unread.get(link) ?? 0) + 1);
    this.#readPackets++;
    if (missing > 0) this.#cutPackets++;
    const ip = ipOf(link, bytes);
    const datagram = ip === undefined ? undefined : this.#internet.take(at, ip);
    if (datagram === undefined || this.#full) return;
    const { protocol, from, to, payload } = datagram;
    const [source, target] = [hostText(from), hostText(to)];
    if (protocol === TCP) this.#connections.take(at, source, target, payload);
    else if (protocol === UDP && payload.length >= 8) {
      const length = Math.max(8, shortAt(payload, 4) || payload.length);
      const ends = { from: `${source}:${shortAt(payload, 0)}`, to: `${target}:${shortAt(payload, 2)}` };
      this.#datagram({ at, ...ends, transport: 'UDP', opener: undefined }, payload.subarray(8, length));
    }
  }

  /** No more comes. Throws {@link CaptureError} where no packet could be read at all. */
  end(): Hearing {
    const [link] = this.#unread.keys();
    if (link !== undefined && this.#readPackets === 0) {
      throw new CaptureError(
        `link type ${link} is not read: Ethernet (1), Linux cooked (113, 276), loopback (0, 108) and raw IP (101) are`,
      );
    }
    this.#connections.end(this.#ended);
    const begun = Number.isFinite(this.#begun) ? this.#begun : 0;
    return { heard: this.#heard, packets: this.#packets, begun, ended: this.#ended, notes: this.#notes() };
  }

  #notes(): string[] {
    const notes: string[] = [];
    for (const [link, count] of this.#unread) notes.push(`${count} packets of link type ${link} were not read`);
    if (this.#cutPackets > 0) notes.push(`${this.#cutPackets} packets were captured in part (capture with -s 0)`);
    if (this.#gaps > 0) notes.push(`${this.#gaps} gaps: segments of TCP that the capture has lost`);
    if (this.#encrypted > 0) notes.push(`${this.#encrypted} streams of TLS could not be read`);
    if (this.#full) notes.push(`only the first ${this.#heard.length} messages were read`);
    return notes;
  }

  #datagram(ends: Said, payload: Uint8Array): void {
    const text = wireOfBytes(payload);
    if (!STARTS_SIP.test(text)) return;
    const { at, from, to } = ends;
    const twice = this.#recent.some(
      (other) => at - other.at < TWICE_MS && other.from === from && other.to === to && other.text === text,
    );
    if (twice) return;
    this.#recent.push({ at, from, to, text });
    if (this.#recent.length > RECENT) this.#recent.shift();
    this.#sip(ends, payload, text);
  }

  #sip(ends: Said, bytes: Uint8Array, text: string): void {
    // A copy, since a view would keep all that was read with it.
    const { message } = parseMessage(bytes.slice());
    if (message !== undefined && message.callId !== '')
      this.#keep({ kind: 'sip', ...ends, message, text }, text.length);
  }

  #keep(heard: Heard, bytes: number): void {
    if (this.#heard.length >= MAX_HEARD || this.#bytes + bytes > MAX_BYTES) this.#full = true;
    if (this.#full) return;
    this.#bytes += bytes;
    this.#heard.push(heard);
  }

  // --- streams -------------------------------------------------------------------------------------------------

  onBegin(stream: TcpStream): void {
    const ends = (at: number): Said => ({
      at,
      from: stream.from,
      to: stream.to,
      transport: 'TCP',
      opener: stream.opener,
    });
    const speech = new Speech({
      sip: (at, bytes) => this.#sip(ends(at), bytes, wireOfBytes(bytes)),
      msrp: (at, said) => this.#keep({ kind: 'msrp', ...ends(at), said }, said.head.lines.length),
      encrypted: () => this.#encrypted++,
    });
    this.#speeches.set(stream, speech);
  }

  onBytes(stream: TcpStream, at: number, bytes: Uint8Array): void {
    this.#speeches.get(stream)?.take(at, bytes);
  }

  onGap(stream: TcpStream, at: number, bytes: number): void {
    const speech = this.#speeches.get(stream);
    if (speech === undefined) return;
    speech.cut(at);
    // Of connections that carry something else, nobody wants to know.
    if (!speech.spoken) return;
    this.#gaps++;
    const { from, to, opener } = stream;
    this.#keep({ kind: 'gap', at, from, to, transport: 'TCP', opener, bytes }, 0);
  }

  onEnd(stream: TcpStream, at: number): void {
    this.#speeches.get(stream)?.cut(at);
    this.#speeches.delete(stream);
  }
}

/** An IPv6 address stands in brackets before a port. */
function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
