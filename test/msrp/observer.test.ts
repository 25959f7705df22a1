/** The seam for a recorder: every chunk is seen as it passes, and its sender's 200 can wait until it is stored. */
import { afterEach, expect, it } from '@jest/globals';
import { NodeClock } from '../../src/host/node-clock.ts';
import { nodeMsrpIdentifiers, sessionIds } from '../../src/host/node-msrp-identifiers.ts';
import { DEFAULT_MSRP_LIMITS } from '../../src/msrp/limits.ts';
import type { Observe } from '../../src/msrp/relay/observer.ts';
import { MsrpRelay } from '../../src/msrp/relay/relay.ts';
import { MsrpNetwork } from '../../src/msrp/transport/network.ts';
import { contentOf, MsrpPhone } from '../support/msrp-phone.ts';
import { until } from '../support/server.ts';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function observed(observe: Observe): Promise<{ alice: MsrpPhone; bob: MsrpPhone }> {
  const clock = new NodeClock();
  const network = await MsrpNetwork.listen({ clock, limits: DEFAULT_MSRP_LIMITS, address: '127.0.0.1', ports: [0, 0] });
  const sessionIdOf = sessionIds('0123456789abcdef');
  const identifiers = nodeMsrpIdentifiers();
  const relay = new MsrpRelay({ clock, limits: DEFAULT_MSRP_LIMITS, identifiers, network, sessionIdOf, observe });
  const [alice, bob] = [await MsrpPhone.open('alice'), await MsrpPhone.open('bob')];
  closing.push(
    () => clock.stop(),
    () => network.close(),
    () => relay.close(),
    () => alice.close(),
    () => bob.close(),
  );
  const [offer, answer] = [alice.sdp('active'), bob.sdp('active')];
  const toBob = relay.adapt('s1', 'b', offer, { a: { received: offer, streams: null } });
  const legs = { a: { received: offer, streams: null }, b: { received: answer, streams: null } };
  const toAlice = relay.adapt('s1', 'a', answer, legs);
  bob.join(toBob, true);
  alice.join(toAlice, true);
  await until('both are connected', async () => [alice, bob].every(({ session }) => session?.open === true));
  return { alice, bob };
}

it('sees headers, bytes and ends of both directions, chunk by chunk', async () => {
  const seen: string[] = [];
  const { alice, bob } = await observed(({ session, from, stream, messageId, range, lines }) => {
    const body: Buffer[] = [];
    return {
      onBytes: (bytes) => void body.push(Buffer.from(bytes)),
      onEnd: (flag, done) => {
        expect(lines).toContain(`Message-ID: ${messageId}\r\n`);
        seen.push(`${session} ${from} ${stream} ${messageId} ${range.start} ${Buffer.concat(body)} ${flag}`);
        done(200);
      },
    };
  });
  await alice.live.send({ ...contentOf(Buffer.from('abcdefgh')), messageId: 'm1', chunkBytes: 4 });
  await bob.say('hi', { messageId: 'm2' });
  expect(seen).toEqual(['s1 a 0 m1 1 abcd +', 's1 a 0 m1 5 efgh $', 's1 b 0 m2 1 hi $']);
});

it('the 200 waits until the observer is done, and an error of the observer is what the sender gets', async () => {
  const waiting: ((status: number) => void)[] = [];
  const { alice, bob } = await observed(() => ({ onBytes: () => {}, onEnd: (_, done) => void waiting.push(done) }));
  let status: number | undefined;
  const sent = alice.say('stored before told').then((delivery) => {
    status = delivery.status;
  });
  await bob.messages(1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  // Bob has it, and Alice hears nothing yet.
  expect(status).toBeUndefined();
  const stored = performance.now();
  waiting.shift()?.(200);
  await sent;
  expect(performance.now() - stored).toBeLessThan(1000);
  expect(status).toBe(200);
  const refused = alice.say('not stored');
  await bob.messages(2);
  waiting.shift()?.(408);
  expect(await refused).toMatchObject({ status: 408 });
});
