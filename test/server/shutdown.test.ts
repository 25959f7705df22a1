/** How the server stops: new sessions are refused, live ones end in time, what is recorded is written, exit code 0. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { type SqliteHistory, sqliteHistory } from '../../src/history/sqlite.ts';
import { sqliteSessions } from '../../src/store/sqlite.ts';
import type { Call } from '../../src/testing/index.ts';
import { command } from '../support/command.ts';
import { Scene } from '../support/processes.ts';
import { attach, type RunningServer, serve, until } from '../support/server.ts';
import { UdpPhone } from '../support/udp-phone.ts';

let scene: Scene;
let server: RunningServer;
let alice: UdpPhone;
let bob: UdpPhone;

beforeEach(async () => {
  scene = new Scene();
  bob = await UdpPhone.open('bob', '127.0.0.1:9');
});

afterEach(async () => {
  alice.close();
  bob.close();
  await scene.close();
});

async function start(shutdown: Record<string, unknown>): Promise<void> {
  server = await serve(scene, {
    sip: { core: `sip:127.0.0.1:${bob.port};lr` },
    policy: { defaultAllowOfflineStorage: true },
    timers: { t1: 100 },
    shutdown,
  });
  bob.peer.pf = `127.0.0.1:${server.ports.udp}`;
  alice = await UdpPhone.open('alice', bob.peer.pf);
}

async function establish(): Promise<{ near: Call; far: Call }> {
  const near = alice.invite();
  expect((await alice.outcome(near)).status).toBe(200);
  const [far] = bob.calls.values();
  await until('the callee has its ACK', async () => bob.heard(far as Call).includes('ACK'));
  return { near, far: far as Call };
}

/** Exit code and how long it took, ms. */
async function exited(): Promise<{ code: number | null; ms: number }> {
  const begun = performance.now();
  const code = await server.program.exit(20_000);
  return { code, ms: performance.now() - begun };
}

function storedSessions(): number {
  const store = sqliteSessions({ path: join(scene.folder, 'pf-sessions.sqlite') });
  let number = 0;
  store.load(() => number++);
  const waiting = store.intents().length;
  store.close();
  expect(waiting).toBe(0);
  return number;
}

function recordedTypes(history: SqliteHistory): string[] {
  const types: string[] = [];
  history.folders('sip:alice@home.example', (_error, folders = []) => {
    for (const folder of folders) {
      history.objects(folder, (_failed, objects = []) => {
        for (const { content } of objects) types.push(/^Content-Type: (\S+)/m.exec(content)?.[1] ?? '');
      });
    }
  });
  history.close();
  return types;
}

it('SIGTERM ends live sessions by BYE on every leg, seals what was recorded, and exits 0', async () => {
  await start({ graceMs: 10_000 });
  const { near, far } = await establish();
  server.program.child.kill('SIGTERM');
  const { code, ms } = await exited();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(8_000);
  expect(alice.heard(near)).toContain('BYE');
  expect(bob.heard(far)).toContain('BYE');
  expect(storedSessions()).toBe(0);
  expect(recordedTypes(sqliteHistory({ path: join(scene.folder, 'pf-history.sqlite') }))).toEqual([
    'Application/X-CPM-Session',
    'Application/group-state-object+xml',
  ]);
});

it('meanwhile new sessions get 503 with Retry-After, and a silent peer costs shutdown.graceMs at the most', async () => {
  await start({ graceMs: 1_500 });
  const { near } = await establish();
  alice.answers = bob.answers = () => false;
  server.program.child.kill('SIGTERM');
  await until('it drains', async () => alice.heard(near).includes('BYE'));
  const refused = await alice.outcome(alice.invite());
  expect({ status: refused.status, after: refused.header('retry-after') }).toEqual({ status: 503, after: '10' });
  const ready = await fetch(`${server.admin}/readyz`);
  expect(ready.status).toBe(503);
  const { code, ms } = await exited();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(4_000);
});

it('a second SIGTERM ends it at once, and the next start finishes what was under way', async () => {
  await start({ graceMs: 60_000 });
  const { near, far } = await establish();
  alice.answers = bob.answers = () => false;
  server.program.child.kill('SIGTERM');
  await until('it drains', async () => alice.heard(near).includes('BYE'));
  server.program.child.kill('SIGTERM');
  const { code, ms } = await exited();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(3_000);
  expect(bob.heard(far)).toContain('BYE');
  alice.answers = bob.answers = () => true;
  server = await attach(scene, server.configFile);
  expect(await server.metric('sessions_restored_total')).toBe(1);
  await until('it has ended', async () => (await server.metric('sessions')) === 0);
});

it('shutdown.sessions: keep leaves live sessions to the next start, and nobody is told', async () => {
  await start({ sessions: 'keep' });
  const { near, far } = await establish();
  server.program.child.kill('SIGTERM');
  expect((await exited()).code).toBe(0);
  expect([...alice.heard(near), ...bob.heard(far)]).not.toContain('BYE');
  expect(storedSessions()).toBe(1);
});

it('a start that fails at the admin address ends nothing: what was taken up waits for the next one', async () => {
  await start({ graceMs: 10_000 });
  const { near, far } = await establish();
  server.program.child.kill('SIGKILL');
  await server.program.exit(5_000);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const config = parse(readFileSync(server.configFile, 'utf8'));
  const file = scene.file('taken.yaml', stringify({ ...config, admin: { listen: `127.0.0.1:${port}` } }));
  const { code, err } = await command(['serve', '--config', file], { cwd: scene.folder });
  taken.close();
  expect({ code, said: /admin\.listen/.test(err) }).toEqual({ code: 1, said: true });
  expect(storedSessions()).toBe(1);
  expect([...alice.heard(near), ...bob.heard(far)]).not.toContain('BYE');
});
