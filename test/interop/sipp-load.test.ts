/** SIPp through `cpm-engine serve`, in all four pairs of role and mode: no failed call, nothing left, no growth. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { nothingLeft, PROJECT, type RunningServer, serve } from '../support/server.ts';
import { type SippOptions, startSipp } from '../support/sipp.ts';

const SCENARIOS = join(PROJECT, 'bench', 'scenarios');
/** Calls of each pair; the whole number is run in CI, fewer by hand. */
const CALLS = Number(process.env.SIPP_CALLS ?? 1000);
const RATE = 200;
/** Three batches: the first also warms up, the last two must not differ. */
const BATCH = Math.ceil(CALLS / 3);
const SECONDS = 120;
/** What garbage collection may leave between two batches. */
const HEAP_NOISE_BYTES = 8_000_000;

const PAIRS = [
  { role: 'orig', mediaPath: 'always' },
  { role: 'orig', mediaPath: 'never' },
  { role: 'term', mediaPath: 'always' },
  { role: 'term', mediaPath: 'never' },
] as const;

const SERVED = { orig: '<sip:alice@home.example>;sescase=orig', term: '<sip:bob@home.example>;sescase=term' };

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
        const server = await serve(scene, {
          sip: { core: `sip:127.0.0.1:${uas};lr` },
          policy: { mediaPath },
          timers: { t1: 50 },
        });
        const callee = startSipp(scene, 'uas.xml', { port: uas, seconds: 3 * SECONDS });
        const calls = { port: uac, target: server.ports.udp ?? 0, keys: { served_user: SERVED[role] } };
        const heaps: number[] = [];
        for (let batch = 0; batch < 3; batch++) heaps.push(await runBatch(scene, server, calls));
        await callee.program.end();
        await nothingLeft(server);
        expect(await server.metric('sessions_started_total')).toBe(3 * BATCH);
        expect((heaps[2] ?? 0) - (heaps[1] ?? 0)).toBeLessThan(HEAP_NOISE_BYTES);
      },
      3 * (SECONDS + 10) * 1000,
    );
  });
});

/** One batch of calls; the smallest heap the server had meanwhile, since that is what lives. */
async function runBatch(scene: Scene, server: RunningServer, options: SippOptions): Promise<number> {
  const caller = startSipp(scene, 'uac.xml', { ...options, calls: BATCH, rate: RATE, seconds: SECONDS });
  let smallest = Number.POSITIVE_INFINITY;
  const sampling = setInterval(async () => {
    smallest = Math.min(smallest, await server.metric('heap_bytes'));
  }, 100);
  await caller.succeeds().finally(() => clearInterval(sampling));
  return smallest;
}
