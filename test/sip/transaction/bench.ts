/** A transaction layer on a bench: virtual time, flows that write down what they are given, users that listen. */
import type { Flow, SendFailure, TransportName } from '../../../src/sip/flow.ts';
import { wireOfBytes } from '../../../src/sip/message/bytes.ts';
import { headerField } from '../../../src/sip/message/header.ts';
import { type AnyMessage, SipRequest, type SipResponse } from '../../../src/sip/message/message.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { responseTo } from '../../../src/sip/message/respond.ts';
import type { ClientUser } from '../../../src/sip/transaction/client.ts';
import { TransactionLayer } from '../../../src/sip/transaction/layer.ts';
import type { ServerUser } from '../../../src/sip/transaction/server.ts';
import { DEFAULT_TIMERS, type TimerValues } from '../../../src/sip/transaction/timers.ts';
import { VirtualClock } from '../../../src/testing/index.ts';

export interface Sent {
  /** ms since the beginning. */
  readonly at: number;
  readonly message: AnyMessage;
  readonly text: string;
}

/** A flow that keeps what is sent, with the time. While `broken`, every send fails before it returns. */
export class RecordingFlow implements Flow {
  readonly transport: TransportName;
  readonly reliable: boolean;
  readonly remoteAddress = '10.0.0.1';
  readonly remotePort = 5060;
  readonly open = true;
  readonly sent: Sent[] = [];
  broken = false;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock, transport: TransportName) {
    this.#clock = clock;
    this.transport = transport;
    this.reliable = transport !== 'UDP';
  }

  send(bytes: Uint8Array, failure?: SendFailure): void {
    if (this.broken) {
      failure?.onTransportError('no route');
      return;
    }
    const message = parseMessage(bytes).message as AnyMessage;
    this.sent.push({ at: this.#clock.elapsed, message, text: wireOfBytes(bytes) });
  }

  /** Times of all that was sent, ms. */
  get times(): number[] {
    return this.sent.map(({ at }) => at);
  }

  /** `INVITE` or `200`, of all that was sent. */
  get lines(): (string | number)[] {
    return this.sent.map(({ message }) => (message.kind === 'request' ? message.method : message.status));
  }
}

/** Writes down what its transaction tells it: statuses, `timeout`, `transport`, or the reason of a server's failure. */
export class Listener implements ClientUser, ServerUser {
  readonly heard: (number | string)[] = [];

  onResponse(response: SipResponse): void {
    this.heard.push(response.status);
  }

  onTimeout(): void {
    this.heard.push('timeout');
  }

  onTransportError(reason: string): void {
    this.heard.push(`transport: ${reason}`);
  }

  onServerFailure(reason: string): void {
    this.heard.push(reason);
  }
}

export class Bench {
  readonly clock = new VirtualClock();
  readonly layer: TransactionLayer;
  readonly flow: RecordingFlow;
  readonly user = new Listener();

  constructor(transport: TransportName = 'UDP', timers: Partial<TimerValues> = {}) {
    this.layer = new TransactionLayer(this.clock, { ...DEFAULT_TIMERS, ...timers });
    this.flow = new RecordingFlow(this.clock, transport);
  }

  /** Moves to this many ms after the beginning. */
  at(ms: number): void {
    this.clock.advance(ms - this.clock.elapsed);
  }

  /** A client transaction, started. */
  ask(method = 'INVITE', lines: Lines = []) {
    const transaction = this.layer.createClient(request(method, lines), this.flow, this.user);
    transaction.start();
    return transaction;
  }

  /** A response to what was sent first arrives. False where no transaction wants it. */
  answer(status: number, toTag = 'b'): boolean {
    const asked = this.flow.sent[0]?.message as SipRequest;
    return this.layer.receiveResponse(responseTo(asked, status, { toTag }));
  }

  /** A server transaction of a request that has come. */
  serve(method = 'INVITE', lines: Lines = []) {
    const transaction = this.layer.createServer(request(method, lines), this.flow);
    transaction.user = this.user;
    return transaction;
  }

  /** A request arrives. False where no transaction wants it. */
  comes(method: string, lines: Lines = []): boolean {
    return this.layer.receiveRequest(request(method, lines));
  }

  /** What is still held: transactions, and timers that wait. */
  get left(): { clients: number; servers: number; timers: number } {
    return { ...this.layer.size, timers: this.clock.size };
  }
}

export const NOTHING_LEFT = { clients: 0, servers: 0, timers: 0 };

type Lines = readonly (readonly [string, string])[];

/** A request with a Via of its own; lines with the name of a usual one take its place. */
export function request(method = 'INVITE', lines: Lines = [], uri = 'sip:bob@home.example'): SipRequest {
  const usual: Lines = [
    ['Via', 'SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa1'],
    ['Max-Forwards', '70'],
    ['From', '<sip:alice@home.example>;tag=a'],
    ['To', '<sip:bob@home.example>'],
    ['Call-ID', 'c1@10.0.0.2'],
    ['CSeq', `1 ${method}`],
  ];
  const given = new Set(lines.map(([name]) => name));
  const all = [...usual.filter(([name]) => !given.has(name)), ...lines];
  return new SipRequest(
    method,
    uri,
    all.map(([name, value]) => headerField(name, value)),
  );
}
