/** SIPp through `cpm-engine serve`, in all four pairs of role and mode: no failed call, nothing left, no growth. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { liveHeap, nothingLeft, PROJECT, serve } from '../support/server.ts';
import { type SippOptions, startSipp } from '../support/sipp.ts';

const SCENARIOS = join(PROJECT, 'bench', 'scenarios');
/** Calls of each pair; the whole number is run in CI, fewer by hand. */
const CALLS = Number(process.env.SIPP_CALLS ?? 1000);
const RATE = 200;
/** Three batches: the first also warms up, the last two must not differ. */
const BATCH = Math.ceil(CALLS / 3);
const SECONDS = 120;
/** What caches and compiled code may add between two batches; with 5 000 calls, a kilobyte left of each would be more. */
const GROWTH_BYTES = 1_500_000;

const PAIRS = [
  { role: 'orig', mediaPath: 'always' },
  { role: 'orig', mediaPath: 'never' },
  { role: 'term', mediaPath: 'always' },
  { role: 'term', mediaPath: 'never' },
] as const;

const SERVED = { orig: '<sip:alice@home.example>;sescase=orig', term: '<sip:bob@home.example>;sescase=term' };

// Real programs in real time: a machine that stalls for half a second makes one give up. A defect fails every time.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

describeWith(['sipp'], 'SIPp, 200 calls a second', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
    cpSync(SCENARIOS, scene.folder, { recursive: true });
  });
  afterEach(() => scene.close());

  describe.each(PAIRS)('$role, mediaPath $mediaPath', ({ role, mediaPath }) => {
    it(
      'no call fails, no session and no memory is left',
      async () => {
        const [uac, uas] = [await freePort(), await freePort()];
        const server = await serve(
          scene,
          {
            sip: { core: `sip:127.0.0.1:${uas};lr` },
            policy: { mediaPath },
            // The last 200 sessions are kept to be looked at; here it counts what a session leaves that nobody keeps.
            admin: { listen: '127.0.0.1:0', traces: 0 },
            // Long enough for a busy machine to answer within 64*T1, short enough to wait until the last transaction has ended.
            timers: { t1: 100 },
          },
          { collectsGarbage: true },
        );
        const callee = startSipp(scene, 'uas.xml', { port: uas, seconds: 3 * SECONDS });
        const calls = { port: uac, target: server.ports.udp ?? 0, keys: { served_user: SERVED[role] } };
        const heaps: number[] = [];
        for (let batch = 0; batch < 3; batch++) {
          await runBatch(scene, calls);
          await nothingLeft(server);
          heaps.push(await liveHeap(server));
        }
        await callee.program.end();
        expect(await server.metric('sessions_started_total')).toBe(3 * BATCH);
        expect((heaps[2] ?? 0) - (heaps[1] ?? 0)).toBeLessThan(GROWTH_BYTES);
      },
      3 * (SECONDS + 10) * 1000,
    );
  });
});

async function runBatch(scene: Scene, options: SippOptions): Promise<void> {
  const caller = startSipp(scene, 'uac.xml', { ...options, calls: BATCH, rate: RATE, seconds: SECONDS });
  await caller.succeeds();
}
