/** The warm-up runs whole sessions that nobody hears of, within its time, and leaves nothing behind. */
import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configSchema } from '../../src/server/config/schema.ts';
import { warmUp } from '../../src/server/warm-up.ts';
import { Scene } from '../support/processes.ts';
import { serve } from '../support/server.ts';

const CONFIG = configSchema.parse({ log: { level: 'warn' } });

/** Of this process, by the system's names. */
function openSockets(): string[] {
  const descriptors = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      // The one the folder was read by.
      return '';
    }
  });
  return descriptors.filter((name) => name.startsWith('socket:')).sort();
}

describe('warmUp', () => {
  it('brings every session it begins to its end, in both roles and modes, ended from either side', async () => {
    // Each of two servers runs eight batches of ten, which are every combination.
    const { sessions, byEnding } = await warmUp(CONFIG, { sessions: 160, limitMs: 30_000 });
    expect(sessions).toBe(160);
    expect(byEnding).toEqual({ byeFromClient: 80, byeFromEntity: 80 });
  });

  it('stops when its time is over', async () => {
    const { sessions, ms } = await warmUp(CONFIG, { sessions: 1_000_000, limitMs: 100 });
    expect(sessions).toBeGreaterThan(0);
    expect(ms).toBeLessThan(5_000);
  });

  it('leaves no socket behind', async () => {
    const before = openSockets();
    await warmUp(CONFIG, { sessions: 20, limitMs: 30_000 });
    expect(openSockets()).toEqual(before);
  });
});

describe('serve', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.close());

  it('with warmUp: nothing of it is in metrics, log, ladders or files', async () => {
    const server = await serve(scene, {
      warmUp: true,
      sip: { core: 'sip:127.0.0.1:9;lr' },
      log: { level: 'debug', format: 'json' },
    });
    for (const name of [
      'sessions',
      'sessions_started_total',
      'sip_messages_total',
      'sip_held',
      'outbox_depth',
      'timers',
    ]) {
      expect({ name, value: await server.metric(name) }).toEqual({ name, value: 0 });
    }
    expect(server.program.stderr).toBe('');
    const files = readdirSync(scene.folder, { recursive: true }).map(String).sort();
    expect(files.filter((file) => !/^pf|^data/.test(file))).toEqual([]);
    expect(await server.get('/api/history/sip%3Aalice%40home.example')).toEqual({ folders: [] });
  });
});
