/** The two ends of the warm-up's sessions, on loopback sockets: one calls, the other answers, either ends. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Role } from '../../machines/session/policy.ts';
import { datagramPeers } from '../host/datagram-peers.ts';
import { nodeIdentifiers } from '../host/node-identifiers.ts';
import type { AnyMessage, SipRequest } from '../sip/message/message.ts';
import { Call, chatSdp, type Lines, Peer } from '../testing/index.ts';

export interface Calls {
  readonly role: Role;
  readonly ender: 'caller' | 'callee';
  readonly count: number;
  /** Messages with all that phones usually say, or with as little as they may. */
  readonly words: 'many' | 'few';
}

/** RFC 4028 and 3581, and who speaks. */
class Phone extends Peer {
  words: Calls['words'] = 'few';

  override via(branch: string): string {
    return this.words === 'many' ? `${super.via(branch)};rport` : super.via(branch);
  }
}

const FEATURES = 'INVITE, ACK, CANCEL, BYE, OPTIONS';
const ANSWERED: Lines = [
  ['Server', 'CPM-client/OMA2.0'],
  ['Allow', FEATURES],
  ['Require', 'timer'],
  ['Session-Expires', '1800;refresher=uac'],
];

export class WarmUpPhones {
  readonly #sockets: readonly [Socket, Socket];
  readonly #caller: Phone;
  readonly #callee: Phone;
  /** By Call-ID; as proxy the function leaves it as it is, so each end has its own. */
  readonly #made = new Map<string, Call>();
  readonly #taken = new Map<string, Call>();
  #ender: Calls['ender'] = 'caller';
  #left = 0;
  #done: (() => void) | undefined;

  private constructor(sockets: readonly [Socket, Socket]) {
    this.#sockets = sockets;
    const [caller, callee] = sockets;
    this.#caller = this.#phone(caller, 'alice');
    this.#callee = this.#phone(callee, 'bob');
    caller.on('message', () => this.#turn(this.#caller, (message) => this.#atCaller(message)));
    callee.on('message', () => this.#turn(this.#callee, (message) => this.#atCallee(message)));
  }

  /** Takes two loopback ports. Rejects where there is no loopback. */
  static async open(): Promise<WarmUpPhones> {
    return new WarmUpPhones([await loopbackSocket(), await loopbackSocket()]);
  }

  /** Where the callee is, `127.0.0.1:5060`. */
  get core(): string {
    return this.#callee.address;
  }

  /** The function they speak through. */
  call(pf: string): void {
    this.#caller.pf = pf;
    this.#callee.pf = pf;
  }

  /** Runs so many calls at once to their end. False where they have not ended in time. */
  async run(calls: Calls, name: string, limitMs: number): Promise<boolean> {
    this.#ender = calls.ender;
    this.#caller.words = calls.words;
    this.#callee.words = calls.words;
    this.#left = calls.count;
    this.#made.clear();
    this.#taken.clear();
    const over = new Promise<boolean>((resolve) => {
      const late = setTimeout(resolve, limitMs, false);
      this.#done = () => {
        clearTimeout(late);
        resolve(true);
      };
    });
    for (let at = 0; at < calls.count; at++) {
      const call = this.#caller.invite({
        ...(calls.words === 'many' ? { from: '"Alice" <sip:alice@home.example>' } : {}),
        headers: headersOf(calls, `${name}-${at}`),
      });
      this.#made.set(call.callId, call);
    }
    return over;
  }

  async close(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  #phone(socket: Socket, name: string): Phone {
    return new Phone(datagramPeers(socket), nodeIdentifiers(), name, `127.0.0.1:${socket.address().port}`, '');
  }

  #turn(peer: Peer, take: (message: AnyMessage) => void): void {
    peer.received.length = 0;
    for (const message of peer.inbox.slice()) take(message);
    peer.inbox.length = 0;
  }

  #atCaller(message: AnyMessage): void {
    const call = this.#made.get(message.callId);
    if (call === undefined) return;
    if (message.kind === 'request') this.#answerBye(call, message);
    else if (message.status === 200 && message.cseq?.method === 'BYE') this.#ended();
    else if (message.status === 200) {
      call.response(200);
      call.ack();
      if (this.#ender === 'caller') call.bye();
    }
  }

  #atCallee(message: AnyMessage): void {
    if (message.kind === 'response') {
      if (message.cseq?.method === 'BYE') this.#ended();
      return;
    }
    if (message.method === 'INVITE') this.#answer(message);
    const call = this.#taken.get(message.callId);
    if (call === undefined) return;
    if (message.method === 'ACK' && this.#ender === 'callee') call.bye();
    if (message.method === 'BYE') this.#answerBye(call, message);
  }

  #answer(invite: SipRequest): void {
    const call = new Call(this.#callee, invite, false, this.#callee.token());
    this.#taken.set(invite.callId, call);
    const many = this.#callee.words === 'many';
    if (many) call.respond(100);
    call.respond(180);
    call.respond(200, { sdp: chatSdp('bob'), headers: many ? ANSWERED : [] });
  }

  #answerBye(call: Call, bye: SipRequest): void {
    call.respond(200, { to: bye });
  }

  #ended(): void {
    this.#left--;
    if (this.#left === 0) this.#done?.();
  }
}

async function loopbackSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

function headersOf({ role, words }: Calls, name: string): Lines {
  return [
    ['Contribution-ID', `contribution-${name}`],
    ['Conversation-ID', `conversation-${name}`],
    ...(words === 'many' ? [['Session-Expires', '1800;refresher=uac'] as const, ['Allow', FEATURES] as const] : []),
    ...(role === 'term' ? [['P-Served-User', '<sip:bob@home.example>;sescase=term;regstate=reg'] as const] : []),
  ];
}
