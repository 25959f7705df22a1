/** SIGHUP reads policy and users again: in force for new sessions, while live ones keep theirs; a mistake changes nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { configSchema } from '../../src/server/config/schema.ts';
import { needsRestart } from '../../src/server/reload.ts';
import type { InviteOptions } from '../../src/testing/index.ts';
import { Scene } from '../support/processes.ts';
import { type RunningServer, serve, until } from '../support/server.ts';
import { UdpPhone } from '../support/udp-phone.ts';

let scene: Scene;
let server: RunningServer;
let alice: UdpPhone;
let bob: UdpPhone;

beforeEach(async () => {
  scene = new Scene();
  bob = await UdpPhone.open('bob', '127.0.0.1:9');
  writeUsers({ 'sip:alice@home.example': {} });
  server = await serve(scene, {
    sip: { core: `sip:127.0.0.1:${bob.port};lr` },
    users: { driver: 'file', path: join(scene.folder, 'users.yaml') },
    policy: { allowAnonymity: true },
    log: { level: 'info', format: 'json' },
    timers: { t1: 50 },
  });
  bob.peer.pf = `127.0.0.1:${server.ports.udp}`;
  alice = await UdpPhone.open('alice', bob.peer.pf);
});

afterEach(async () => {
  alice.close();
  bob.close();
  await scene.close();
});

function writeUsers(users: unknown): void {
  writeFileSync(join(scene.folder, 'users.yaml'), stringify({ users }));
}

function changeConfig(change: (config: Record<string, Record<string, unknown>>) => void): void {
  const config = parse(readFileSync(server.configFile, 'utf8'));
  change(config);
  writeFileSync(server.configFile, stringify(config));
}

/** SIGHUP, and what the server then says, in so many lines at the least. */
async function reload(lines = 1): Promise<Record<string, unknown>[]> {
  const before = server.program.stderr.length;
  server.program.child.kill('SIGHUP');
  const said = (): string => server.program.stderr.slice(before);
  await until(
    'the server says what became of it',
    async () => /read again/.test(said()) && said().split('\n').length > lines,
  );
  return said()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function statusOf(options: InviteOptions): Promise<number> {
  return (await alice.outcome(alice.invite(options))).status;
}

const ANONYMOUS = { headers: [['Privacy', 'id']] } as const;

it('policy and users are in force at once for new sessions, and live ones keep theirs', async () => {
  const CAROL = { from: '<sip:carol@home.example>' };
  expect(await statusOf(CAROL)).toBe(403);
  const live = alice.invite(ANONYMOUS);
  expect((await alice.outcome(live)).status).toBe(200);
  writeUsers({ 'sip:alice@home.example': {}, 'sip:carol@home.example': {} });
  changeConfig((config) => {
    config.policy = { allowAnonymity: false };
  });
  expect(await reload()).toMatchObject([
    {
      level: 30,
      msg: expect.stringContaining('read again'),
      changes: ['policy.allowAnonymity: true → false', 'users: 1 added'],
    },
  ]);
  expect(await statusOf(CAROL)).toBe(200);
  expect(await statusOf(ANONYMOUS)).toBe(403);
  expect(await server.metric('sessions')).toBe(2);
  expect((await alice.bye(live)).status).toBe(200);
});

it('a mistake in users.yaml or policy is logged with its place, and the old ones stay in force', async () => {
  writeUsers({ 'sip:alice@home.example': { servics: ['session'] } });
  changeConfig((config) => {
    config.policy = { allowAnonymity: false };
  });
  const [first] = await reload();
  expect(first).toMatchObject({
    level: 50,
    error: expect.stringMatching(
      /users\.yaml:3: users\.sip:alice@home\.example\.servics: unknown key; did you mean services\?$/,
    ),
  });
  expect(await statusOf(ANONYMOUS)).toBe(200);
  writeUsers({});
  changeConfig((config) => {
    config.policy = { mediaPath: 'sometimes' };
  });
  const [second] = await reload();
  expect(second).toMatchObject({
    level: 50,
    error: expect.stringMatching(/pf\.yaml:\d+: policy\.mediaPath: Invalid option/),
  });
  expect(await statusOf({})).toBe(200);
});

it('what has changed is told: keys, rules by name, users by their number; nothing where nothing has', async () => {
  const rule = (name: string, set: object) => ({ name, set });
  const changesAfter = async (change: Parameters<typeof changeConfig>[0]): Promise<unknown> => {
    changeConfig(change);
    const [line] = await reload();
    return line?.changes;
  };
  expect(await changesAfter(() => {})).toEqual([]);
  expect(
    await changesAfter((config) => {
      config.policy = { rules: [rule('gone', {}), rule('first', { maxRedirects: 3 }), rule('second', {})] };
    }),
  ).toEqual(['policy.rules + gone', 'policy.rules + first: maxRedirects 3', 'policy.rules + second']);
  writeUsers({ 'sip:alice@home.example': { class: 'gold' }, 'sip:bob@home.example': {} });
  expect(
    await changesAfter((config) => {
      config.policy = { noClient: 'reject', rules: [rule('second', {}), rule('first', { maxRedirects: 2 })] };
      config.compat = { messageUid: 'literal' };
    }),
  ).toEqual([
    'policy.noClient: interwork → reject',
    'compat.messageUid: sessionInfo → literal',
    'policy.rules - gone',
    'policy.rules ~ first: set.maxRedirects: 3 → 2',
    'policy.rules in another order: second, first',
    'users: 1 added, 1 changed',
  ]);
  const { reload: last, rules } = await server.get<{ reload: { changes: string[] }; rules: { name: string }[] }>(
    '/api/policy',
  );
  expect(last.changes).toHaveLength(6);
  expect(rules.map(({ name }) => name)).toEqual(['second', 'first']);
});

it('a file that can not be taken is told of by /readyz and a metric until one is taken again', async () => {
  const health = () => server.get<{ status: string; problems: string[] }>('/readyz');
  expect(await health()).toMatchObject({ status: 'ready', problems: [] });
  changeConfig((config) => {
    config.policy = { rules: [{ name: 'night', when: { userClass: ['gold'] }, set: {} }] };
  });
  await reload();
  expect(await health()).toMatchObject({
    ready: true,
    status: 'degraded',
    problems: [
      expect.stringMatching(/stays in force: \S*pf\.yaml:\d+: policy\.rules\.0: rule night is for the class gold/),
    ],
  });
  changeConfig((config) => {
    config.policy = {};
  });
  await reload();
  expect(await health()).toMatchObject({ status: 'ready', problems: [] });
  expect(await server.counts('config_reloads_total')).toEqual({ done: 1, failed: 1 });
});

it('what needs a restart is named', async () => {
  changeConfig((config) => {
    config.timers = { t1: 500 };
  });
  const lines = await reload(2);
  expect(lines[1]).toMatchObject({ level: 40, keys: ['timers'] });
});

describe('needsRestart', () => {
  it('names sections that differ, but not what a reload takes up', () => {
    const running = configSchema.parse({});
    expect(needsRestart(running, configSchema.parse({}))).toEqual([]);
    expect(
      needsRestart(running, configSchema.parse({ policy: { mediaPath: 'never' }, users: { driver: 'file' } })),
    ).toEqual([]);
    expect(
      needsRestart(
        running,
        configSchema.parse({ domain: 'x.example', policy: { otherServices: 'reject' }, media: {} }),
      ),
    ).toEqual(['domain', 'media', 'policy.otherServices']);
  });
});
