/**
 * A phone on a real UDP socket, for many calls at a time. It does what any user agent does by itself: it says its
 * requests and its 200 again until they are answered (RFC 3261 17.1), acknowledges each 200, and answers each BYE.
 */
import { createSocket, type Socket } from 'node:dgram';
import { datagramPeers } from '../../src/host/datagram-peers.ts';
import { nodeIdentifiers } from '../../src/host/node-identifiers.ts';
import type { AnyMessage, SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { Call, chatSdp, type Extra, type InviteOptions, Peer } from '../../src/testing/index.ts';

/** Shorter than T1, since loopback is fast and a restart is to be survived. */
const AGAIN_MS = 150;

/** What is done with an INVITE; the call can be answered later. */
export type Conduct = 'silent' | 'ring' | 'answer';

export class UdpPhone {
  readonly peer: Peer;
  /** Calls by Call-ID, those made and those taken. */
  readonly calls = new Map<string, Call>();
  /** Decides on each call that comes in. */
  conduct: (invite: SipRequest) => Conduct = () => 'answer';
  /** False holds back the ACK for this answer to an INVITE. */
  acknowledges: (response: SipResponse) => boolean = () => true;
  /** False leaves this request in a call without an answer. */
  answers: (request: SipRequest) => boolean = () => true;
  readonly #socket: Socket;
  readonly #waiting = new Map<string, (response: SipResponse) => void>();
  readonly #repeating = new Map<string, NodeJS.Timeout>();

  private constructor(socket: Socket, name: string, pf: string) {
    this.#socket = socket;
    this.peer = new Peer(datagramPeers(socket), nodeIdentifiers(), name, `127.0.0.1:${socket.address().port}`, pf);
    this.peer.onMessage = (message) => this.#take(message);
  }

  /** `pf`: `127.0.0.1:5060`. */
  static open(name: string, pf: string, port = 0): Promise<UdpPhone> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, '127.0.0.1', () => resolve(new UdpPhone(socket, name, pf)));
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Calls; the INVITE is said again until something comes back. */
  invite(options: InviteOptions = {}): Call {
    const call = this.peer.invite(options);
    this.calls.set(call.callId, call);
    this.#repeat(keyOf(call.invite), () => this.peer.sendRaw(call.invite));
    return call;
  }

  /** Takes a call that rings. */
  answer(call: Call): void {
    this.#repeat(`answer ${call.callId}`, () => call.respond(200, { sdp: chatSdp(this.peer.name) }));
    call.respond(200, { sdp: chatSdp(this.peer.name) });
  }

  /** A request in a call, said again until it has its final answer. */
  request(call: Call, method: string, extra: Extra = {}): Promise<SipResponse> {
    const request = call.request(method, extra);
    const key = keyOf(request);
    this.#repeat(key, () => this.peer.sendRaw(request));
    return this.answerTo(key);
  }

  bye(call: Call): Promise<SipResponse> {
    return this.request(call, 'BYE');
  }

  /** The final answer to a call's INVITE. */
  outcome(call: Call): Promise<SipResponse> {
    return this.answerTo(keyOf(call.invite));
  }

  /** The final answer to the request with this Call-ID, number and method. */
  answerTo(key: string): Promise<SipResponse> {
    const come = this.peer.received.find(
      (message) => message.kind === 'response' && message.status >= 200 && keyOf(message) === key,
    );
    if (come !== undefined) return Promise.resolve(come as SipResponse);
    return new Promise((resolve) => this.#waiting.set(key, resolve));
  }

  /** Messages of one call that were received, `INVITE` or `200 BYE`, each one once. */
  heard(call: Call): string[] {
    const lines = this.peer.received
      .filter(({ callId }) => callId === call.callId)
      .map((message) =>
        message.kind === 'request' ? message.method : `${message.status} ${message.cseq?.method ?? ''}`,
      );
    return [...new Set(lines)];
  }

  close(): void {
    for (const timer of this.#repeating.values()) clearInterval(timer);
    this.#socket.close();
  }

  #repeat(key: string, say: () => void): void {
    this.#stop(key);
    this.#repeating.set(key, setInterval(say, AGAIN_MS));
  }

  #stop(key: string): void {
    clearInterval(this.#repeating.get(key));
    this.#repeating.delete(key);
  }

  #take(message: AnyMessage): boolean {
    if (message.kind === 'response') this.#takeResponse(message);
    else if (message.method === 'INVITE' && message.toTag === undefined) this.#takeInvite(message);
    else if (message.method === 'ACK') this.#stop(`answer ${message.callId}`);
    else if (this.answers(message)) this.calls.get(message.callId)?.respond(200, { to: message });
    return true;
  }

  #takeInvite(invite: SipRequest): void {
    const known = this.calls.get(invite.callId);
    const call = known ?? new Call(this.peer, invite, false, this.peer.token());
    if (known === undefined) this.calls.set(call.callId, call);
    // A copy of a call that was answered gets its 200 from the repetition.
    if (this.#repeating.has(`answer ${call.callId}`)) return;
    const conduct = this.conduct(invite);
    if (conduct !== 'silent') call.respond(180);
    if (conduct === 'answer' && known === undefined) this.answer(call);
  }

  #takeResponse(response: SipResponse): void {
    const key = keyOf(response);
    const method = response.cseq?.method;
    const call = this.calls.get(response.callId);
    if (response.status >= 200 || method === 'INVITE') this.#stop(key);
    if (method === 'INVITE' && response.status >= 200 && call !== undefined && this.acknowledges(response)) {
      this.#learn(call, response);
      call.ack({ cseq: response.cseq?.number ?? 1, ...(response.status < 300 ? {} : { branch: branchOf(call) }) });
    }
    if (response.status < 200) return;
    this.#waiting.get(key)?.(response);
    this.#waiting.delete(key);
  }

  #learn(call: Call, response: SipResponse): void {
    call.remoteTag = response.toTag;
    if (response.status >= 300) return;
    call.target = response.contact?.uri ?? call.target;
    if (response.has('record-route')) call.routes = response.list('record-route').reverse();
  }
}

/** Which request a message is, or answers. */
export function keyOf(message: AnyMessage): string {
  return `${message.callId} ${message.cseq?.number} ${message.cseq?.method}`;
}

/** RFC 3261 17.1.1.3: the ACK for a refusal has the branch of its INVITE. */
function branchOf(call: Call): string {
  return (call.invite.branch ?? '').replace(/^z9hG4bK/, '');
}
