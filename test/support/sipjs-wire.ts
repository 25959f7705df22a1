/**
 * The engine inside a sip.js core on the virtual network, so that peers played by hand can do to it what no sip.js phone
 * does. sip.js's own timers run in real time; those of the port and the engine in virtual time.
 */
import type { Profile } from '../../machines/session/policy.ts';
import { type CpmEngine, createEngine } from '../../src/index.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
import { coreOver } from '../../src/sip-js/core.ts';
import { createSipJsPort, type SipJsPort } from '../../src/sip-js/index.ts';
import { bytesOfText, textOf } from '../../src/sip-js/messages.ts';
import { hostPort, nextHop, noteOrigin, origin } from '../../src/sip-js/way.ts';
import { DEFAULT_PROFILE, Peer, SeededRandom, VirtualClock, VirtualNetwork } from '../../src/testing/index.ts';

const PF = '10.0.0.10:5060';

export class SipJsWire {
  readonly clock = new VirtualClock();
  readonly network = new VirtualNetwork(this.clock);
  readonly random = new SeededRandom(1);
  readonly alice = this.#peer('alice', '10.0.1.1:5060');
  readonly core = this.#peer('core', '10.0.0.20:5060');
  readonly port: SipJsPort;
  readonly cpm: CpmEngine;
  /** What sip.js and the port had to say. */
  readonly log: string[] = [];
  readonly userAgent: ReturnType<typeof coreOver>['core'];

  constructor(options: { readonly mediaPath?: 'always' | 'auto'; readonly profile?: Partial<Profile> } = {}) {
    const transport = { protocol: 'TCP', send: (text: string) => this.#send(text) };
    const log = (_level: string, _category: string, content: string): void => void this.log.push(content);
    const place = { host: '10.0.0.10', port: 5060 };
    const { core, receive } = coreOver(transport, place, { name: 'pf', domain: 'home.example', log });
    this.userAgent = core;
    this.network.attach(PF, (bytes, flow) => {
      const { message } = parseMessage(bytes);
      if (message !== undefined) noteOrigin(message, { host: flow.remoteAddress, port: flow.remotePort });
      receive(message === undefined ? new TextDecoder().decode(bytes) : textOf(message));
    });
    this.port = createSipJsPort(core, { identifiers: this.random, clock: this.clock, trusts: () => true });
    this.cpm = createEngine({
      sip: this.port,
      contact: PF,
      core: 'sip:10.0.0.20:5060;lr',
      clock: this.clock,
      policy: { mediaPath: options.mediaPath ?? 'always' },
      profiles: { lookUp: (_query, done) => done({ ...DEFAULT_PROFILE, ...options.profile }) },
    });
  }

  #peer(name: string, address: string): Peer {
    return new Peer(this.network, this.random, name, address, PF);
  }

  #send(text: string): Promise<void> {
    const bytes = bytesOfText(text);
    const { message } = parseMessage(bytes);
    const place = message?.kind === 'request' ? nextHop(message) : message === undefined ? undefined : origin(message);
    if (place === undefined) return Promise.reject(new Error('no way'));
    this.network.transmit(PF, hostPort(place), 'TCP', bytes);
    return Promise.resolve();
  }

  settle(): void {
    this.clock.advance(40);
  }

  /** What is left of sessions: in the engine, the port and the dialogs of its core. */
  get left(): { sessions: number; legs: number; outside: number; dialogs: number } {
    return { sessions: this.cpm.engine.sessions.size, ...this.port.held, dialogs: this.userAgent.dialogs.size };
  }

  close(): void {
    this.userAgent.dispose();
    this.cpm.close();
  }
}
