/**
 * The media side of a phone in the demonstration: an MSRP endpoint that writes CPIM messages and tells of each message
 * that reaches it, with a delivery notification (RFC 4975, RFC 3862, RFC 5438).
 */
import { composeCpim } from '../../cpim/compose.ts';
import { isNotification, parseCpimHead } from '../../cpim/cpim.ts';
import { deliveryNotification } from '../../cpim/imdn.ts';
import { NodeClock } from '../../host/node-clock.ts';
import { nodeMsrpIdentifiers } from '../../host/node-msrp-identifiers.ts';
import type { Carrier, CarrierUser } from '../../msrp/carrier.ts';
import { DEFAULT_MSRP_LIMITS } from '../../msrp/limits.ts';
import { msrpUri, parsePath } from '../../msrp/message/uri.ts';
import { type IncomingChunk, MsrpSession } from '../../msrp/session/session.ts';
import { MsrpNetwork } from '../../msrp/transport/network.ts';
import { msrpLines } from '../../sdp/msrp-lines.ts';

/** A message as it reached a phone. */
export interface Heard {
  /** IMDN Message-ID; null where it has none. */
  readonly id: string | null;
  readonly contentType: string;
  /** Bytes of the content. */
  readonly bytes: number;
  /** The content, where it is text. */
  readonly text: string;
  /** True for a notification about a message of one's own. */
  readonly notification: boolean;
}

export class ChatPhone {
  /** What has reached it, in order. */
  readonly heard: Heard[] = [];
  readonly #uri: string;
  readonly #name: string;
  readonly #peer: string;
  readonly #clock: NodeClock;
  readonly #network: MsrpNetwork;
  readonly #identifiers = nodeMsrpIdentifiers();
  readonly #own: string;
  readonly #arriving = new Map<string, Buffer[]>();
  #path = '';
  #session: MsrpSession | undefined;
  #messages = 0;

  private constructor(name: string, uri: string, peer: string, clock: NodeClock, network: MsrpNetwork) {
    this.#name = name;
    this.#uri = uri;
    this.#peer = peer;
    this.#clock = clock;
    this.#network = network;
    this.#own = msrpUri('127.0.0.1', network.ports[0] ?? 0, this.#identifiers.token(), false);
    network.onConnection = (carrier) => this.#sessionOn(carrier);
  }

  /** Listens on a free port of loopback. `uri` is its own address, `peer` that of the other one. */
  static async open(name: string, uri: string, peer: string): Promise<ChatPhone> {
    const clock = new NodeClock();
    const limits = DEFAULT_MSRP_LIMITS;
    const network = await MsrpNetwork.listen({ clock, limits, address: '127.0.0.1', ports: [0, 0] });
    return new ChatPhone(name, uri, peer, clock, network);
  }

  /** Its description: one MSRP stream. */
  description(setup: 'actpass' | 'active'): string {
    return [
      'v=0',
      `o=${this.#name} 1 1 IN IP4 127.0.0.1`,
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=message ${this.#network.ports[0]} TCP/MSRP *`,
      'a=accept-types:message/cpim',
      'a=accept-wrapped-types:*',
      `a=path:${this.#own}`,
      `a=setup:${setup}`,
      '',
    ].join('\r\n');
  }

  /** The other end is where its description says; whoever is the active side connects (RFC 6135). */
  join(description: string): void {
    const line = msrpLines(description)[0];
    this.#path = line?.path ?? '';
    if (line?.setup === 'active') return;
    const [first] = parsePath(this.#path) ?? [];
    if (first?.port === undefined) throw new Error(`${this.#name} is told no MSRP path`);
    const target = { host: first.host, port: first.port, secure: false, fingerprint: undefined };
    this.#network.dial(target, (carrier) => this.#sessionOn(carrier));
  }

  get connected(): boolean {
    return this.#session?.open === true;
  }

  /** Writes a message; its IMDN Message-ID. Rejects where it is refused. */
  async write(contentType: string, content: Buffer): Promise<string> {
    const id = `${this.#name}-${++this.#messages}`;
    const bytes = composeCpim(
      {
        from: `<${this.#uri}>`,
        to: `<${this.#peer}>`,
        dateTime: new Date(this.#clock.now()).toISOString(),
        messageId: id,
        wishes: contentType === 'message/imdn+xml' ? [] : ['positive-delivery'],
        contentType,
      },
      content,
    );
    const read = (at: number, length: number): Buffer => bytes.subarray(at, at + length);
    if (this.#session === undefined) throw new Error(`${this.#name} has no MSRP connection`);
    const { status } = await this.#session.send({ contentType: 'message/cpim', size: bytes.length, read });
    if (status !== 200) throw new Error(`what ${this.#name} writes gets ${status}`);
    return id;
  }

  async close(): Promise<void> {
    this.#session?.close();
    await this.#network.close();
    this.#clock.stop();
  }

  #sessionOn(carrier: Carrier): CarrierUser {
    const phone = this;
    this.#session = new MsrpSession(carrier, {
      uri: this.#own,
      get peer() {
        return phone.#path;
      },
      identifiers: this.#identifiers,
      recipient: {
        onBytes: (chunk, _at, bytes) => this.#arrivingOf(chunk).push(Buffer.from(bytes)),
        onEnd: (chunk, flag) => {
          if (flag === '$') this.#arrived(chunk);
        },
      },
    });
    return this.#session;
  }

  #arrivingOf({ messageId }: IncomingChunk): Buffer[] {
    const parts = this.#arriving.get(messageId) ?? [];
    this.#arriving.set(messageId, parts);
    return parts;
  }

  #arrived(chunk: IncomingChunk): void {
    const text = Buffer.concat(this.#arrivingOf(chunk)).toString('latin1');
    this.#arriving.delete(chunk.messageId);
    const head = parseCpimHead(text);
    if (head === undefined) return;
    const content = text.slice(head.contentAt);
    const notification = isNotification(head);
    const shown = head.contentType.startsWith('text/') ? Buffer.from(content, 'latin1').toString('utf8') : '';
    const { contentType, imdnMessageId: id } = head;
    this.heard.push({ id, contentType, bytes: content.length, text: notification ? content : shown, notification });
    if (!notification && id !== null) void this.#tellDelivered(id);
  }

  #tellDelivered(id: string): Promise<unknown> {
    return this.write('message/imdn+xml', Buffer.from(deliveryNotification(id, 'delivered'))).catch(() => {});
  }
}
