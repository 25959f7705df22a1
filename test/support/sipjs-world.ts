/** Alice and Bob, two sip.js phones, and between them the engine inside a sip.js core: over TCP on loopback. */
import type { Policy, Profile } from '../../machines/session/policy.ts';
import { MemoryHistory } from '../../src/history/memory.ts';
import { type CpmEngine, createEngine } from '../../src/index.ts';
import {
  type CallOptions,
  createSipJsCore,
  createSipJsPhone,
  createSipJsPort,
  type HeaderLines,
  type PhoneCall,
  type SipJsCore,
  type SipJsPhone,
  type SipJsPort,
} from '../../src/sip-js/index.ts';
import { chatSdp, DEFAULT_PROFILE, SESSION_SERVICE } from '../../src/testing/index.ts';

export const CONVERSATION = 'f00dfeed-1111-4d3e-9f4a-000000000001';
export const CONTRIBUTION = 'c0ffee00-1111-4a1b-8c2d-000000000001';

export const ORIGINATING: HeaderLines = [
  ['P-Asserted-Identity', '<sip:alice@home.example>'],
  ['P-Served-User', '<sip:alice@home.example>;sescase=orig;regstate=reg'],
  ['P-Asserted-Service', SESSION_SERVICE],
  ['Contribution-ID', CONTRIBUTION],
  ['Conversation-ID', CONVERSATION],
];

export interface SipJsWorldOptions {
  readonly policy?: Partial<Policy>;
  readonly profile?: Partial<Profile>;
  readonly trusts?: (address: string) => boolean;
}

export class SipJsWorld {
  readonly alice: SipJsPhone;
  readonly bob: SipJsPhone;
  readonly host: SipJsCore;
  readonly port: SipJsPort;
  readonly cpm: CpmEngine;
  readonly history: MemoryHistory;
  readonly #endings: string[] = [];
  #onEnding: () => void = () => {};

  private constructor(host: SipJsCore, alice: SipJsPhone, bob: SipJsPhone, options: SipJsWorldOptions) {
    this.host = host;
    this.alice = alice;
    this.bob = bob;
    this.history = new MemoryHistory();
    this.port = createSipJsPort(host.core, { trusts: options.trusts ?? ((address) => address === '127.0.0.1') });
    this.cpm = createEngine({
      sip: this.port,
      contact: `${host.address};transport=tcp`,
      core: `sip:${bob.address};transport=tcp;lr`,
      policy: { mediaPath: 'always', ...options.policy },
      profiles: { lookUp: (_query, done) => done({ ...DEFAULT_PROFILE, ...options.profile }) },
      history: this.history,
      ended: (session) => {
        this.#endings.push(session.context.ending?.reason ?? 'none');
        this.#onEnding();
      },
    });
  }

  static async start(options: SipJsWorldOptions = {}): Promise<SipJsWorld> {
    const listen = { host: '127.0.0.1', port: 0 };
    const host = await createSipJsCore({ name: 'pf', domain: 'home.example', listen });
    const domain = 'home.example';
    const alice = await createSipJsPhone({ name: 'alice', domain, proxy: host.address });
    const bob = await createSipJsPhone({ name: 'bob', domain, proxy: host.address });
    return new SipJsWorld(host, alice, bob, options);
  }

  /** Alice invites Bob to a chat. */
  invite(options: Partial<CallOptions> & { readonly to?: string } = {}): PhoneCall {
    const { to = 'sip:bob@home.example', sdp = chatSdp('alice'), headers = [] } = options;
    const given = headers.map(([name]) => name);
    const usual = ORIGINATING.filter(([name]) => !given.includes(name));
    return this.alice.invite(to, { sdp, headers: [...usual, ...headers] });
  }

  /** Alice and Bob in a session, all acknowledged. */
  async establish(): Promise<{ readonly near: PhoneCall; readonly far: PhoneCall }> {
    const near = this.invite();
    const far = await this.bob.incoming();
    far.accept(chatSdp('bob'));
    await near.next('answered');
    await far.next('acknowledged');
    return { near, far };
  }

  /** The reason of the next session that ends. */
  async ending(timeoutMs = 5000): Promise<string> {
    if (this.#endings.length === 0) {
      await new Promise<void>((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error(`no session has ended within ${timeoutMs} ms`)), timeoutMs);
        this.#onEnding = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    return this.#endings.shift() as string;
  }

  /** What is left of sessions: in the engine, the port and the dialogs of its core. */
  get left(): { sessions: number; legs: number; outside: number; dialogs: number } {
    return { sessions: this.cpm.engine.sessions.size, ...this.port.held, dialogs: this.host.core.dialogs.size };
  }

  async close(): Promise<void> {
    this.cpm.close();
    await Promise.all([this.alice.close(), this.bob.close(), this.host.close()]);
  }
}

export const NOTHING = { sessions: 0, legs: 0, outside: 0, dialogs: 0 };
