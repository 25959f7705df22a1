/** A SIP stack with nobody behind it: hears what it hands up, sees what it sends, and decides nothing. */

import type { CounterName } from '../../src/sip/counters.ts';
import type { TransportName } from '../../src/sip/flow.ts';
import { bytesOfWire } from '../../src/sip/message/bytes.ts';
import { type AnyMessage, type SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
import type { SipEvent } from '../../src/sip/port.ts';
import { SipStack } from '../../src/sip/stack.ts';
import { type Passage, SeededRandom, VirtualClock, VirtualNetwork } from '../../src/testing/index.ts';

/** Address of the stack. */
export const HOME = '10.0.0.10:5060';
/** Where the messages come from. */
export const SOURCE = '192.0.2.200:5060';

export class BareStack {
  readonly clock = new VirtualClock();
  readonly network = new VirtualNetwork(this.clock);
  readonly events: SipEvent[] = [];
  readonly stack: SipStack;

  constructor() {
    const random = new SeededRandom(1);
    const node = this.network.attach(HOME, (bytes, flow) => this.stack.receive(bytes, flow));
    this.stack = new SipStack({
      clock: this.clock,
      identifiers: random,
      network: node,
      resolver: { naptr: (_, done) => done([]), srv: (_, done) => done([]), addresses: (_, done) => done([]) },
      random: () => random.next(),
    });
    this.stack.onEvent((event) => this.events.push(event));
  }

  /** Lets the bytes arrive and everything they cause at once happen. */
  receive(bytes: Uint8Array, transport: TransportName = 'UDP'): void {
    this.network.transmit(SOURCE, HOME, transport, bytes);
    this.clock.advance(10);
  }

  /** Requests handed up, in order. */
  get requests(): SipRequest[] {
    return this.events.flatMap((event) => (event.type === 'invite' || event.type === 'outside' ? [event.request] : []));
  }

  /** Responses the stack sent, parsed. */
  get answers(): SipResponse[] {
    return sentBy(this.network.transcript, HOME).filter((message) => message instanceof SipResponse);
  }

  /** Counters that are not zero, but for that of everything received. */
  get counted(): Partial<Record<CounterName, number>> {
    const entries = Object.entries(this.stack.counters).filter(([name, count]) => count > 0 && name !== 'received');
    return Object.fromEntries(entries);
  }
}

/** What left an address, parsed. */
export function sentBy(transcript: readonly Passage[], address: string): AnyMessage[] {
  return transcript
    .filter((passage) => passage.from === address)
    .map((passage) => parseMessage(bytesOfWire(passage.message)).message as AnyMessage);
}
