/**
 * Sessions nobody hears of, before the first real one: the compiler of the runtime has then seen the whole way through
 * parser, transactions, statechart, engine and stores, and the first callers do not wait for it. An engine of its own
 * on a virtual network, with its stores in memory, so that nothing is left of it: no socket, file, metric or log line.
 */
import type { EngineCounters } from '../engine/engine.ts';
import { sqliteHistory } from '../history/sqlite.ts';
import { nodeIdentifiers } from '../host/node-identifiers.ts';
import { createEngine, sqliteSessions } from '../index.ts';
import { Ladders } from '../inspect/ladder.ts';
import { DEFAULT_PROFILE } from '../policy/defaults.ts';
import { SipStack } from '../sip/stack.ts';
import { type Call, chatSdp, Peer, VirtualClock, VirtualNetwork } from '../testing/index.ts';

export interface WarmUpOptions {
  /** Sessions at the most. */
  readonly sessions?: number;
  /** Milliseconds at the most; what has begun is finished. */
  readonly limitMs?: number;
}

/** What was run; for tests. */
export interface WarmedUp {
  /** Sessions that began and ended. */
  readonly sessions: number;
  /** The same, by how they ended. */
  readonly byEnding: EngineCounters['byReason'];
  readonly ms: number;
}

/** By then the hot functions are optimised; more gains little. */
const SESSIONS = 600;
/** A start shall not take noticeably longer for it. */
const LIMIT_MS = 1_200;
/** Sessions that run side by side, as many as a busy turn of the event loop stores together. */
const BATCH = 10;
/** A message crosses the virtual network in 1 ms; nothing of a session waits longer unless a timer makes it. */
const SETTLE_MS = 20;
/** 64*T1 and what comes after it: every transaction is over. */
const LINGER_MS = 80_000;

const FUNCTION = '10.0.0.10:5060';
const CORE = '10.0.0.20:5060';

/** Runs whole sessions in both roles, as B2BUA and as proxy, ended by either side. */
export async function warmUp(options: WarmUpOptions = {}): Promise<WarmedUp> {
  const { sessions = SESSIONS, limitMs = LIMIT_MS } = options;
  const begun = performance.now();
  const stage = new Stage();
  try {
    for (let batch = 0; batch * BATCH < sessions && performance.now() - begun < limitMs; batch++) {
      await stage.run(batch);
    }
  } finally {
    stage.close();
  }
  const { ended, byReason } = stage.counters;
  return { sessions: ended, byEnding: byReason, ms: performance.now() - begun };
}

class Stage {
  readonly #clock = new VirtualClock();
  readonly #network = new VirtualNetwork(this.#clock);
  readonly #identifiers = nodeIdentifiers();
  readonly #alice = this.#peer('alice', '10.0.0.1:5060');
  readonly #core = this.#peer('bob', CORE);
  readonly #sessions = sqliteSessions({ path: ':memory:' });
  readonly #history = sqliteHistory({ path: ':memory:' });
  readonly #cpm = this.#engine();

  #peer(name: string, address: string): Peer {
    return new Peer(this.#network, this.#identifiers, name, address, FUNCTION);
  }

  #engine() {
    const node = this.#network.attach(FUNCTION, (bytes, flow) => stack.receive(bytes, flow));
    const stack = new SipStack({
      clock: this.#clock,
      identifiers: this.#identifiers,
      network: node,
      resolver: { naptr: (_, done) => done([]), srv: (_, done) => done([]), addresses: (_, done) => done([]) },
      random: Math.random,
      trusts: () => true,
    });
    const ladders = new Ladders(this.#clock, 0);
    return createEngine({
      sip: ladders.watch(stack),
      clock: this.#clock,
      contact: FUNCTION,
      core: `sip:${CORE};lr`,
      isOwn: (host, port) => node.isOwn(host, port),
      profiles: { lookUp: (_query, done) => done({ ...DEFAULT_PROFILE, allowOfflineStorage: true }) },
      history: this.#history,
      sessions: this.#sessions,
      ended: ({ id }) => ladders.end(id),
    });
  }

  get counters(): EngineCounters {
    return this.#cpm.engine.counters;
  }

  /** A batch of sessions from INVITE to the answer of the BYE, all in one role and mode. */
  async run(batch: number): Promise<void> {
    const { engine } = this.#cpm;
    engine.policy = { ...engine.policy, mediaPath: batch % 2 === 0 ? 'always' : 'never' };
    const role = batch % 4 < 2 ? 'orig' : 'term';
    const near = Array.from({ length: BATCH }, (_, at) => this.#alice.invite({ headers: headersOf(role, batch, at) }));
    await this.#settle();
    const far = near.map(() => this.#core.incoming());
    for (const call of far) call.respond(180);
    await this.#settle();
    for (const call of far) call.respond(200, { sdp: chatSdp('bob') });
    await this.#settle();
    for (const call of near) {
      call.response(200);
      call.ack();
    }
    await this.#settle();
    const [enders, others] = batch % 8 < 4 ? [near, far] : [far, near];
    await this.#end(enders, others);
    this.#forget();
  }

  async #end(enders: readonly Call[], others: readonly Call[]): Promise<void> {
    for (const call of enders) call.bye();
    await this.#settle();
    for (const call of others) call.respond(200, { to: call.expect('BYE') });
    await this.#settle();
  }

  /** Lets messages arrive; the engine stores at the end of a turn of the event loop, so some turns must pass. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      this.#clock.advance(SETTLE_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#clock.advance(SETTLE_MS);
  }

  #forget(): void {
    this.#network.transcript.length = 0;
    for (const { inbox, received } of [this.#alice, this.#core]) {
      inbox.length = 0;
      received.length = 0;
    }
  }

  close(): void {
    this.#clock.advance(LINGER_MS);
    this.#cpm.engine.flush();
    this.#cpm.close();
    this.#sessions.close();
    this.#history.close();
  }
}

function headersOf(role: 'orig' | 'term', batch: number, at: number): [string, string][] {
  const name = `${batch}-${at}`;
  const folder: [string, string][] = [
    ['Contribution-ID', `contribution-${name}`],
    ['Conversation-ID', `conversation-${name}`],
  ];
  if (role === 'orig') return folder;
  return [...folder, ['P-Served-User', '<sip:bob@home.example>;sescase=term;regstate=reg']];
}
