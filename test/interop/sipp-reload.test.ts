/** SIGHUP under 300 sessions a second: no session fails, new ones have the new policy, live ones keep theirs. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { PROJECT, type RunningServer, serve, until } from '../support/server.ts';
import { startSipp } from '../support/sipp.ts';

const SCENARIOS = join(PROJECT, 'bench', 'scenarios');
const RATE = 300;
const SECONDS = 10;
/** Two seconds of sessions are up at any time, so that every reload finds some of either policy. */
const HOLD_MS = 2000;

// Real programs in real time: a machine that stalls for long makes one give up. A defect fails every time.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

interface Seen {
  readonly mode: 'b2bua' | 'proxy';
  readonly startedAt: number;
}

describeWith(['sipp'], 'SIPp, 300 sessions a second, the policy reloaded beneath them', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
    cpSync(SCENARIOS, scene.folder, { recursive: true });
    const callee = readFileSync(join(SCENARIOS, 'uas.xml'), 'utf8');
    scene.file('uas.xml', callee.replaceAll('[local_port]>;+g', '[local_port];transport=[transport]>;+g'));
  });
  afterEach(() => scene.close());

  it(
    'no session fails; each has the policy that was in force when it began',
    async () => {
      const [uac, uas] = [await freePort(), await freePort()];
      const server = await serve(scene, {
        sip: { listen: ['tcp:127.0.0.1:0'], core: `sip:127.0.0.1:${uas};transport=tcp;lr` },
        policy: rules('always'),
        admin: { listen: '127.0.0.1:0', traces: 0 },
        log: { level: 'info', format: 'json' },
      });
      const callee = startSipp(scene, 'uas.xml', { port: uas, tcp: true, seconds: 180 });
      const caller = startSipp(scene, 'uac.xml', {
        port: uac,
        target: server.ports.tcp ?? 0,
        tcp: true,
        keys: { served_user: '<sip:alice@home.example>;sescase=orig' },
        rate: RATE,
        holdMs: HOLD_MS,
        seconds: 150,
      });
      await until('sessions are up', async () => (await server.metric('sessions')) > 0, 30_000);
      let reloads = 0;
      let kept = 0;
      let at = 0;
      for (const mediaPath of ['never', 'always', 'never'] as const) {
        const told = await reloaded(server, mediaPath, ++reloads, at);
        kept += told.kept;
        at = told.at;
        // In between, one that has a mistake: the policy in force stays.
        await refused(server);
      }
      expect(kept).toBeGreaterThan(0);
      const started = () => server.metric('sessions_started_total');
      await until('ten seconds of sessions have begun', async () => (await started()) >= RATE * SECONDS, 60_000);
      // SIPp begins no further calls, and ends with the last of them.
      caller.program.child.kill('SIGUSR1');
      await caller.succeeds();
      await until('no session is left', async () => (await server.metric('sessions')) === 0, 60_000);
      await callee.program.end();
      expect(await server.counts('config_reloads_total')).toEqual({ done: reloads, failed: reloads });
      expect(await server.metric('internal_errors_total')).toBe(0);
    },
    4 * 60_000,
  );
});

/** By rule, so that each session is compared with one. */
function rules(mediaPath: 'always' | 'never') {
  return {
    userClasses: { gold: ['sip:alice@*'] },
    rules: [{ name: 'gold', when: { userClass: ['gold'] }, set: { mediaPath } }],
  };
}

function write(server: RunningServer, policy: unknown): void {
  const config = parse(readFileSync(server.configFile, 'utf8')) as Record<string, unknown>;
  writeFileSync(server.configFile, stringify({ ...config, policy }));
}

interface Reloaded {
  /** ms since the epoch, by the server's clock. */
  readonly at: number;
  /** Sessions that were up, and had begun before. */
  readonly kept: number;
}

/** Reloads, and looks at the sessions that are up then. `previous` is when it was done last. */
async function reloaded(
  server: RunningServer,
  mediaPath: 'always' | 'never',
  count: number,
  previous: number,
): Promise<Reloaded> {
  const [before, after] = mediaPath === 'never' ? ['b2bua', 'proxy'] : ['proxy', 'b2bua'];
  write(server, rules(mediaPath));
  server.program.child.kill('SIGHUP');
  const done = async () => ((await server.counts('config_reloads_total')).done ?? 0) === count;
  await until('the configuration was read again', done, 30_000);
  // By the server's own clock: a busy one hears a message later than it came.
  const { at } = (await server.get<{ reload: { at: number } }>('/api/policy')).reload;
  const began = async (): Promise<Seen[]> =>
    (await server.get<{ sessions: Seen[] }>('/api/sessions?limit=1000&order=newest')).sessions;
  let seen: Seen[] = [];
  const newer = async (): Promise<boolean> => {
    seen = await began();
    return seen.filter(({ startedAt }) => startedAt > at).length >= 50;
  };
  await until('sessions have begun since', newer, 60_000);
  const modesOf = (some: Seen[]): string[] => [...new Set(some.map(({ mode }) => mode))];
  expect(modesOf(seen.filter(({ startedAt }) => startedAt > at))).toEqual([after]);
  // These live for two seconds only, and a busy machine may show them no more; those from before the last reload are over.
  const older = seen.filter(({ startedAt }) => startedAt < at && startedAt > previous);
  expect(modesOf(older).filter((mode) => mode !== before)).toEqual([]);
  return { at, kept: older.length };
}

async function refused(server: RunningServer): Promise<void> {
  const failed = async (): Promise<number> => (await server.counts('config_reloads_total')).failed ?? 0;
  const before = await failed();
  const good = readFileSync(server.configFile, 'utf8');
  write(server, { mediaPath: 'sometimes' });
  server.program.child.kill('SIGHUP');
  await until('the mistake was seen', async () => (await failed()) > before, 30_000);
  writeFileSync(server.configFile, good);
}
