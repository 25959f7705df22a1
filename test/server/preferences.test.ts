/** Calls while the XCAP server is slow, dead or hostile: set up within the deadline, by the safe default, and visibly so. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { warningsOf } from '../../src/server/commands/check-config.ts';
import { configSchema } from '../../src/server/config/schema.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { type Conduct, HostileXcap, serving } from '../support/hostile-xcap.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';
import { BOB, NO_DISTURBANCE, rule, ruleset } from '../support/xcap-documents.ts';

const TIMEOUT_MS = 400;
/** What a busy machine may add to a call. */
const SLACK_MS = 1500;

let scene: Scene;
let pf: Hosted;
let xcap: HostileXcap;
beforeEach(async () => {
  scene = new Scene();
  xcap = await HostileXcap.open(serving({}));
  const { root } = xcap;
  pf = await host(scene, {
    preferences: { driver: 'xcap', root, timeoutMs: TIMEOUT_MS, requestTimeoutMs: 1000, maxAgeMs: 1 },
  });
});
afterEach(async () => {
  await pf.close();
  await xcap.close();
  await scene.close();
});

async function call(): Promise<{ status: number; ms: number }> {
  const headers = [
    ['P-Served-User', `<${BOB}>;sescase=term;regstate=reg`],
    ['P-Asserted-Identity', '<sip:alice@away.example>'],
  ] as const;
  const began = performance.now();
  const { status } = await pf.alice.outcome(pf.alice.invite({ headers }));
  return { status, ms: performance.now() - began };
}

/** Sends until nobody listens any more; what left. */
let sent = 0;
const HUNDRED_MEGABYTES: Conduct = (_request, response) => {
  response.writeHead(200);
  const piece = Buffer.alloc(65_536, '<a/>');
  const more = (): void => {
    while (sent < 104_857_600 && !response.destroyed) {
      sent += piece.length;
      if (!response.write(piece)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
};

const FAILURES: readonly (readonly [what: string, conduct: Conduct, said: RegExp])[] = [
  ['slow', () => {}, /no answer within 1000 ms/],
  ['dead', (request) => void request.socket.destroy(), /preferences can not be had: /],
  ['wrong', (_request, response) => void response.writeHead(500).end(), /it answers 500/],
  [
    'full of entities',
    (_request, response) => void response.writeHead(200).end('<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>'),
    /DOCTYPE/,
  ],
  ['sending a hundred megabytes', HUNDRED_MEGABYTES, /larger than 131072 bytes/],
  [
    'sending us elsewhere',
    (_request, response) => void response.writeHead(302, { location: 'http://evil.example/' }).end(),
    /another host: evil\.example/,
  ],
];

it.each(FAILURES)(
  'an XCAP server that is %s: the call is set up in time, and /readyz, metric and log tell',
  async (_what, conduct, said) => {
    xcap.conduct = conduct;
    sent = 0;
    const { status, ms } = await call();
    expect(status).toBe(200);
    expect(ms).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    const ready = async () => (await pf.ask<{ status: string; problems: string[] }>('GET', '/readyz')).body;
    await until('it is seen to fail', async () => (await ready()).status === 'degraded');
    expect((await ready()).problems.join()).toMatch(said);
    expect(await pf.metric('preferences_answers_total')).toBe(1);
    expect(pf.server.preferences?.answers.assumed).toBe(1);
    await until('the log tells', async () =>
      pf.log.some(({ error }) => said.test(`preferences can not be had: ${error}`)),
    );
    // What the sockets hold between the two, and no more.
    expect(sent).toBeLessThan(20_000_000);
  },
);

it('what was known last counts while it fails, and /readyz is content again when it answers', async () => {
  const good = serving({ '/access-rules': ruleset(rule('', NO_DISTURBANCE)) });
  xcap.conduct = good;
  expect((await call()).status).toBe(480);
  xcap.conduct = (_request, response) => response.writeHead(503).end();
  expect((await call()).status).toBe(480);
  expect(pf.server.preferences?.answers).toMatchObject({ asked: 1, stale: 1 });
  xcap.conduct = good;
  await until(
    'it is asked again',
    async () => (await call()).status === 480 && pf.server.preferences?.documents.lastError === null,
  );
  expect((await pf.ask('GET', '/readyz')).body).toMatchObject({ status: 'ready', problems: [] });
  expect(pf.log.map(({ msg }) => msg)).toContain('preferences can be had again');
});

it('check-config warns of what is risky, not of what is fine', () => {
  const warnings = (preferences: Record<string, unknown>, users: unknown = { driver: 'any' }): string[] =>
    warningsOf(
      configSchema.parse({ sip: { core: 'sip:c.example' }, users, preferences: { driver: 'xcap', ...preferences } }),
    );
  expect(warnings({ root: 'https://x.example/r', auth: { type: 'bearer', token: 'env:T' } })).toEqual([]);
  expect(warnings({ root: 'http://127.0.0.1/r', auth: { type: 'bearer', token: 'env:T' } })).toEqual([]);
  expect(warnings({ root: 'http://x.example/r', auth: { type: 'bearer', token: 'env:T' } })).toEqual([
    expect.stringContaining('in clear'),
  ]);
  expect(warnings({ root: 'https://x.example/r', assertedIdentity: 'none' })).toEqual([
    expect.stringContaining('who asks'),
  ]);
  expect(warnings({ root: 'https://x.example/r', staleMs: 5 })).toEqual([expect.stringContaining('staleMs')]);
  expect(warnings({ root: 'https://x.example/r' }, { driver: 'file' })).toEqual([
    expect.stringContaining('not looked at'),
  ]);
});

it('check-config warns of a reg event that nobody is asked for', () => {
  const warnings = (sip: unknown): string =>
    warningsOf(configSchema.parse({ sip, registrar: { driver: 'regEvent' } })).join();
  expect(warnings({})).toContain('subscribes at sip.core');
  expect(warnings({ core: 'sip:c.example' })).toBe('');
});
