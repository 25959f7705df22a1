/** The virtual world around what a configuration file makes: the server's own settings, without its sockets. */
import { stringify } from 'yaml';
import { sqliteHistory } from '../../src/history/sqlite.ts';
import { type CpmEngine, createEngine, memorySessions } from '../../src/index.ts';
import { profiles } from '../../src/policy/profiles.ts';
import { Registrations } from '../../src/registrar/registrations.ts';
import { parseYaml } from '../../src/server/config/load.ts';
import { policyOf } from '../../src/server/config/policy.ts';
import { configSchema } from '../../src/server/config/schema.ts';
import { contactKey } from '../../src/server/contact-key.ts';
import { engineSettings } from '../../src/server/engine-settings.ts';
import { policiesOf } from '../../src/server/policies.ts';
import { servedBy, subscribers } from '../../src/server/subscribers.ts';
import { trustOf } from '../../src/server/trust.ts';
import { SipStack } from '../../src/sip/stack.ts';
import { DEFAULT_TIMERS } from '../../src/sip/transaction/timers.ts';
import { Peer, SeededRandom, VirtualClock, VirtualNetwork } from '../../src/testing/index.ts';
import type { Scene } from './processes.ts';
import type { Stage } from './session.ts';

const FUNCTION = '10.0.0.10:5060';

/** What most of these tests begin with; a test names what it is about, by section and key. */
const USUAL = {
  sip: { core: 'sip:10.0.0.20:5060;lr', trusted: ['10.0.0.0/8'] },
  policy: { mediaPath: 'always' },
  registrar: { driver: 'none' },
  history: { driver: 'sqlite', path: ':memory:' },
  sessions: { driver: 'memory' },
};

type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The users both roles are about, who have their conversations kept. */
export const KEEPERS = {
  'sip:alice@home.example': { preferences: { allowOfflineStorage: true } },
  'sip:bob@home.example': { preferences: { allowOfflineStorage: true } },
};

export class ConfiguredWorld implements Stage {
  readonly clock = new VirtualClock();
  readonly network = new VirtualNetwork(this.clock);
  readonly history = sqliteHistory({ path: ':memory:' });
  readonly core: Peer;
  readonly isf: Peer;
  readonly cpm: CpmEngine;
  /** Here users come from the configuration. */
  readonly pf: Stage['pf'] = { profile: undefined };
  readonly #random = new SeededRandom(1);
  readonly #peers = new Map<string, Peer>();

  /** The sections are written as YAML and read as the server reads its file; `users` becomes users.yaml. */
  constructor(scene: Scene, sections: Sections = {}, users?: unknown) {
    const whole: Record<string, unknown> = { ...USUAL };
    if (users !== undefined) whole.users = { driver: 'file', path: scene.file('users.yaml', stringify({ users })) };
    for (const [name, keys] of Object.entries(sections)) whole[name] = { ...(whole[name] as object), ...keys };
    const key = scene.file('contact.key', '0123456789abcdef');
    whole.sip = { contactKey: `file:${key}`, ...(whole.sip as object) };
    const config = parseYaml('pf.yaml', stringify(whole), configSchema).value;
    const { clock } = this;
    const node = this.network.attach(FUNCTION, (bytes, flow) => stack.receive(bytes, flow));
    const stack: SipStack = new SipStack({
      clock,
      identifiers: this.#random,
      network: node,
      resolver: { naptr: (_, done) => done([]), srv: (_, done) => done([]), addresses: (_, done) => done([]) },
      random: () => this.#random.next(),
      timers: { ...DEFAULT_TIMERS, trying: 0 },
      trusts: trustOf(config.sip.trusted),
    });
    const registrations = new Registrations({ clock, maxUsers: 10 });
    const served = servedBy(config);
    this.cpm = createEngine({
      ...engineSettings(config),
      policy: policiesOf(config, served),
      sip: stack,
      clock,
      contact: FUNCTION,
      isOwn: (host, port) => node.isOwn(host, port),
      contactKey: contactKey(config.sip.contactKey),
      profiles: profiles({
        ...subscribers(config, served, registrations),
        instanceOf: (user, contributionId) => this.cpm.engine.instances.get(user, contributionId),
      }),
      history: this.history,
      sessions: memorySessions(),
    });
    this.core = this.peer('core', '10.0.0.20:5060');
    this.isf = this.peer('isf', '10.0.0.30:5060');
  }

  peer(name: string, address = `10.0.1.${this.#peers.size + 1}:5060`): Peer {
    const known = this.#peers.get(name);
    if (known !== undefined) return known;
    const peer = new Peer(this.network, this.#random, name, address, FUNCTION);
    this.#peers.set(name, peer);
    return peer;
  }

  settle(): void {
    this.clock.advance(40);
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }
}

/** The policy a file's sections make, for a world that needs what a server does not have, such as slow preferences. */
export function policyFrom(sections: Sections) {
  return policyOf(parseYaml('pf.yaml', stringify(sections), configSchema).value);
}
