/**
 * What connections read into is used again at once. Here it perishes as soon as it has been told of: whatever the relay,
 * a recorder behind it and both ends do with it - pass it on, hold it for a peer that is late or slow, cut and interrupt
 * it - each message arrives byte by byte. Seeded: a failure names the seed that makes the same messages again.
 */
import { afterAll, afterEach, expect, it } from '@jest/globals';
import { NodeClock } from '../../src/host/node-clock.ts';
import { nodeMsrpIdentifiers, sessionIds } from '../../src/host/node-msrp-identifiers.ts';
import { DEFAULT_MSRP_LIMITS } from '../../src/msrp/limits.ts';
import type { Observe } from '../../src/msrp/relay/observer.ts';
import { MsrpRelay } from '../../src/msrp/relay/relay.ts';
import { MsrpNetwork } from '../../src/msrp/transport/network.ts';
import type { Setup } from '../../src/sdp/msrp-lines.ts';
import { SeededRandom } from '../../src/testing/index.ts';
import { contentOf, MsrpPhone, shaOf } from '../support/msrp-phone.ts';
import { letPerish } from '../support/perishable.ts';

/** How long it runs; a longer one is `CPM_PERISH_MS=600000`. */
const RUN_MS = Number(process.env.CPM_PERISH_MS ?? 3000);
const AT_A_TIME = 10;
/** A shorter chunk size would make more of a message than anybody waits for. */
const MOST_CHUNKS = 300;
const SIZES = [1, 60, 1024, 3000, 200_000, 2_000_000];

const clock = new NodeClock();
let network: MsrpNetwork;
let relay: MsrpRelay;
/** What a recorder sees of the messages, by their ids. */
const seen = new Map<string, Buffer[]>();

/** Phones of conversations that are under way. */
const phones = new Set<MsrpPhone>();

const recording: Observe = ({ messageId }) => {
  const parts = seen.get(messageId) ?? [];
  seen.set(messageId, parts);
  return { onBytes: (bytes) => void parts.push(Buffer.from(bytes)), onEnd: (_, done) => void setImmediate(done, 200) };
};

async function start(observe: Observe | undefined): Promise<void> {
  const limits = DEFAULT_MSRP_LIMITS;
  network = await MsrpNetwork.listen({ clock, limits, address: '127.0.0.1', ports: [0, 0] });
  relay = new MsrpRelay({
    clock,
    limits,
    network,
    identifiers: nodeMsrpIdentifiers(),
    sessionIdOf: sessionIds('0123456789abcdef'),
    ...(observe === undefined ? {} : { observe }),
  });
  letPerish(network);
}

afterEach(async () => {
  for (const phone of phones) await phone.close();
  phones.clear();
  relay.close();
  await network.close();
});

afterAll(() => clock.stop());

interface Ends {
  readonly alice: MsrpPhone;
  readonly bob: MsrpPhone;
  readonly close: () => Promise<void>;
}

/** A session of two phones; Bob connects, is connected to, or is late. */
async function session(id: string, random: SeededRandom): Promise<Ends> {
  const [alice, bob] = [await MsrpPhone.open('alice'), await MsrpPhone.open('bob')];
  for (const phone of [alice, bob]) phones.add(phone);
  const answer: Setup = random.below(3) === 0 ? 'passive' : 'active';
  const [offered, answered] = [alice.sdp('active'), bob.sdp(answer)];
  const legs = { a: { received: offered, streams: null } };
  const toBob = relay.adapt(id, 'b', offered, legs);
  const toAlice = relay.adapt(id, 'a', answered, { ...legs, b: { received: answered, streams: null } });
  alice.join(toAlice, true);
  bob.join(toBob, false);
  if (answer === 'active') setTimeout(() => bob.connect(toBob), random.below(2) * random.below(60));
  return {
    alice,
    bob,
    async close() {
      relay.end(id);
      await Promise.all([alice.close(), bob.close()]);
      for (const phone of [alice, bob]) phones.delete(phone);
    },
  };
}

function body(random: SeededRandom): Buffer {
  const bytes = Buffer.allocUnsafe(1 + random.below(SIZES[random.below(SIZES.length)] as number));
  for (let at = 0; at < bytes.length; at++) bytes[at] = at < 997 ? random.below(256) : (bytes[at - 997] as number);
  return bytes;
}

/** What they say to each other arrives; what has gone wrong. */
async function converse(seed: number, recorded: boolean): Promise<unknown[]> {
  const random = new SeededRandom(seed);
  const { alice, bob, close } = await session(`s${seed}`, random);
  const said = { alice: new Map<string, string>(), bob: new Map<string, string>() };
  const deliveries: Promise<{ status: number }>[] = [];
  for (let count = 1 + random.below(6); count > 0; count--) {
    // Alice's first ones have to wait where Bob is late; he says nothing before he is there.
    const from = bob.session?.open === true && random.below(2) === 0 ? bob : alice;
    const bytes = body(random);
    const chunkBytes = 1 + random.below(random.below(2) === 0 ? 3000 : 150_000);
    const messageId = `${seed}-${count}`;
    said[from === bob ? 'alice' : 'bob'].set(messageId, shaOf(bytes));
    const many = bytes.length / chunkBytes > MOST_CHUNKS;
    deliveries.push(
      from.live.send({
        ...contentOf(bytes),
        messageId,
        chunkBytes: many ? bytes.length : chunkBytes,
        successReport: random.below(3) === 0,
      }),
    );
    if (random.below(3) === 0) pauseAWhile(random.below(2) === 0 ? alice : bob, random.below(30));
    // What the relay answers by itself interrupts whatever is on its way there.
    if (random.below(3) === 0) alice.live.hello();
    if (random.below(2) === 0) await new Promise((resolve) => setTimeout(resolve, random.below(10)));
  }
  const wrong: unknown[] = (await Promise.all(deliveries)).filter(({ status }) => status !== 200);
  for (const phone of [alice, bob]) {
    for (const [id, sha] of said[phone.name as 'alice' | 'bob']) {
      const [arrived] = (await phone.messages(said[phone.name as 'alice' | 'bob'].size)).filter(
        (each) => each.id === id,
      );
      if (arrived?.sha !== sha) wrong.push({ seed, id, arrived });
      if (recorded && shaOf(Buffer.concat(seen.get(id) ?? [])) !== sha)
        wrong.push({ seed, id, seen: seen.get(id)?.length });
      seen.delete(id);
    }
  }
  await close();
  return wrong;
}

function pauseAWhile(phone: MsrpPhone, ms: number): void {
  phone.session?.pause();
  setTimeout(() => phone.session?.resume(), ms);
}

it.each([
  ['and nobody records', undefined],
  ['while what passes is recorded', recording],
] as const)(
  'nobody keeps a view of what was read, %s',
  async (_, observe) => {
    await start(observe);
    const end = Date.now() + RUN_MS;
    let seed = 0;
    const run = async (): Promise<unknown[]> => {
      const wrong = [];
      while (Date.now() < end && wrong.length === 0) wrong.push(...(await converse(++seed, observe !== undefined)));
      return wrong;
    };
    expect((await Promise.all(Array.from({ length: AT_A_TIME }, run))).flat()).toEqual([]);
    expect(relay.bindings).toBe(0);
  },
  RUN_MS + 60_000,
);
