/**
 * One end of a relayed stream: the session-id and path that are ours toward one leg, the peer's path, and the
 * connection that carries both. One for each leg and m-line; freed with its leg.
 */
import type { LegName } from '../../../machines/session/context.ts';
import { bytesOfWire, wireOfBytes } from '../../sip/message/bytes.ts';
import type { CarrierTarget } from '../carrier.ts';
import { requestStart } from '../message/compose.ts';
import { type MsrpUri, parsePath, sameMsrpUri } from '../message/uri.ts';
import type { Channel } from './channel.ts';
import type { Passage } from './passage.ts';

export interface BindingKey {
  readonly session: string;
  readonly leg: LegName;
  /** Place of the m-line in the inviter's offer. */
  readonly stream: number;
}

/** Who is at the other end, as its description says. */
export interface MediaPeer {
  /** URIs of its `a=path`. */
  readonly path: string;
  readonly target: CarrierTarget;
  /** RFC 6714: only the session-id of its path has to fit, since the address may have been changed on the way. */
  readonly cema: boolean;
}

export class Binding {
  readonly key: BindingKey;
  readonly sessionId: string;
  /** Our URI, as it stands in our `a=path`. */
  readonly uri: string;
  readonly parsedUri: MsrpUri;
  readonly port: number;
  readonly secure: boolean;
  /** We connect to the peer; else it connects to us (RFC 4975 8.5, RFC 6135). */
  active = false;
  peer: MediaPeer | undefined;
  /** The other end of the stream. */
  far: Binding | undefined;
  channel: Channel | undefined;
  /** The peer's path when it was connected. */
  channelPath = '';
  /** An outbound connection that is being opened. */
  dialling: Channel | undefined;
  /** Chunks for the peer that wait until it is connected. */
  waiting: Passage[] = [];
  /** Connections that are not read while their chunks wait here. */
  readonly holding = new Set<Channel>();
  /** What has come from the peer: whole messages, and bytes of bodies. */
  messages = 0;
  bytes = 0;
  #toPath: string | undefined;
  /** Paths the peer has said it is at: the latest, and the one before where it is still in use. */
  #known: (readonly MsrpUri[])[] = [];
  #knownTexts: string[] = [];

  #behind = '';
  #behindMethod = '';
  #behindPath = '';

  constructor(key: BindingKey, uri: MsrpUri, port: number) {
    this.key = key;
    this.sessionId = uri.sessionId;
    this.uri = uri.text;
    this.parsedUri = uri;
    this.port = port;
    this.secure = uri.secure;
  }

  /** The peer's path, from its description, or from its first request where that came sooner. */
  get toPath(): string {
    return this.#toPath ?? '';
  }

  /** What the description changes: nothing, the peer's path, or that whoever is connected was somebody else. */
  describe(peer: MediaPeer): 'same' | 'moved' | 'other' {
    const before = this.#toPath;
    const claimed = this.peer === undefined ? before : undefined;
    this.peer = peer;
    this.#toPath = peer.path;
    if (before === peer.path && this.#known.length > 0) return 'same';
    this.#learn(peer.path);
    if (claimed !== undefined) return this.accepts(claimed) ? 'same' : 'other';
    return before === undefined ? 'same' : 'moved';
  }

  /** True for the path of the latest description, where the connection belongs to the one before. */
  hasMovedTo(fromPath: string): boolean {
    return fromPath === this.peer?.path && this.channelPath !== fromPath;
  }

  #learn(path: string): void {
    const uris = parsePath(path);
    if (uris === undefined) return;
    this.#known = [uris, ...this.#known.slice(0, 1)];
    this.#knownTexts = [path, ...this.#knownTexts.slice(0, 1)];
  }

  /**
   * True where a request's From-Path is the peer's (RFC 4975 7.3). A peer that was quicker than its own description is
   * taken at its word until that comes.
   */
  accepts(fromPath: string): boolean {
    if (this.#knownTexts.includes(fromPath)) return true;
    const uris = parsePath(fromPath);
    if (uris === undefined) return false;
    if (this.#known.length > 0) return this.#known.some((known) => this.#fits(known, uris));
    this.#toPath = fromPath;
    return true;
  }

  #fits(known: readonly MsrpUri[], uris: readonly MsrpUri[]): boolean {
    const [last, other] = [known.at(-1), uris.at(-1)];
    if (this.peer?.cema === true) return last?.sessionId === other?.sessionId;
    return known.length === uris.length && known.every((uri, at) => sameMsrpUri(uri, uris[at] as MsrpUri));
  }

  /** What stands behind the id in the start of a request: the same each time, as long as the peer is. */
  behind(method: string): string {
    if (method !== this.#behindMethod || this.toPath !== this.#behindPath) {
      this.#behindMethod = method;
      this.#behindPath = this.toPath;
      this.#behind = wireOfBytes(bytesOfWire(this.start('', method)), 'MSRP '.length);
    }
    return this.#behind;
  }

  start(id: string, method: string): string {
    return requestStart(id, method, this.toPath, this.uri);
  }

  /** Everything that waited goes, or is refused where nobody came. */
  serve(channel: Channel): void {
    const passages = this.waiting;
    this.waiting = [];
    const outlet = channel.outletOf(this);
    for (const passage of passages) passage.go(outlet);
    this.#letGo();
  }

  refuseWaiting(status: number): void {
    const passages = this.waiting;
    this.waiting = [];
    for (const passage of passages) passage.refuse(status);
    this.#letGo();
  }

  #letGo(): void {
    const held = [...this.holding];
    this.holding.clear();
    for (const channel of held) channel.letGo();
  }
}
