/** SIPp through `cpm-engine serve`, in all four pairs of role and mode: no failed call, nothing left, no growth. */
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { type RunningServer, serve, until } from '../support/server.ts';

const SCENARIOS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bench', 'scenarios');
/** Calls of each pair; the whole number is run in CI, fewer by hand. */
const CALLS = Number(process.env.SIPP_CALLS ?? 1000);
const RATE = 200;

describeWith(['sipp'], 'SIPp, 200 calls a second', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
    cpSync(SCENARIOS, scene.folder, { recursive: true });
  });
  afterEach(() => scene.close());

  for (const role of ['orig', 'term'] as const) {
    for (const mediaPath of ['always', 'never'] as const) {
      it(`${role === 'orig' ? 'originating' : 'terminating'}, ${mediaPath === 'always' ? 'B2BUA' : 'proxy'}: no call fails, no session and no memory is left`, async () => {
        const [uac, uas] = [await freePort(), await freePort()];
        const server = await serve(scene, {
          sip: { core: `sip:127.0.0.1:${uas};lr` },
          policy: { mediaPath },
          timers: { t1: 50 },
        });
        const callee = scene.start('sipp', [
          '-sf',
          'uas.xml',
          '-i',
          '127.0.0.1',
          '-p',
          String(uas),
          '-cp',
          String(uas + 1),
          '-nostdin',
        ]);
        const heaps: number[] = [];
        for (let batch = 0; batch < 3; batch++) {
          heaps.push(await runBatch(scene, server, { uac, role, calls: Math.ceil(CALLS / 3) }));
        }
        callee.child.kill('SIGTERM');
        await until('nothing is held', async () => (await server.metric('sip_held')) === 0);
        expect(await server.metric('sessions')).toBe(0);
        expect(await server.metric('sessions_started_total')).toBe(3 * Math.ceil(CALLS / 3));
        // The smallest heap seen in a batch is what lives; the first batch also warms up.
        expect((heaps[2] ?? 0) - (heaps[1] ?? 0)).toBeLessThan(8_000_000);
      }, 240_000);
    }
  }
});

/** One batch of calls; the smallest heap the server had meanwhile. */
async function runBatch(
  scene: Scene,
  server: RunningServer,
  { uac, role, calls }: { uac: number; role: 'orig' | 'term'; calls: number },
): Promise<number> {
  const served = role === 'orig' ? '<sip:alice@home.example>;sescase=orig' : '<sip:bob@home.example>;sescase=term';
  const target = `127.0.0.1:${server.ports.udp}`;
  const args = [
    '-sf',
    'uac.xml',
    '-i',
    '127.0.0.1',
    '-p',
    String(uac),
    '-cp',
    String(uac + 1),
    '-nostdin',
    '-trace_err',
  ];
  const caller = scene.start('sipp', [
    ...args,
    '-error_file',
    'uac.err',
    '-key',
    'served_user',
    served,
    '-r',
    String(RATE),
    '-m',
    String(calls),
    '-l',
    '5000',
    '-timeout',
    '120',
    target,
  ]);
  let smallest = Number.POSITIVE_INFINITY;
  const sampling = setInterval(async () => {
    smallest = Math.min(smallest, await server.metric('heap_bytes'));
  }, 100);
  const code = await caller.exit(150_000);
  clearInterval(sampling);
  expect({ code, failed: /Failed call\s*\|[^|]*\|\s*(\d+)/.exec(caller.stdout)?.[1] ?? '0' }).toEqual({
    code: 0,
    failed: '0',
  });
  return smallest;
}
