/** Overload: new sessions get 503 with Retry-After, while those that live go on. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

let scene: Scene;
let pf: Hosted;
beforeEach(() => {
  scene = new Scene();
});
afterEach(async () => {
  await pf.close();
  await scene.close();
});

async function refusal() {
  const answer = await pf.alice.outcome(pf.alice.invite());
  return { status: answer.status, after: answer.header('retry-after') };
}

it('more sessions than sip.overload.maxSessions: refused until one ends, in-dialog requests pass', async () => {
  pf = await host(scene, { sip: { overload: { maxSessions: 2, maxLagMs: 60_000, retryAfter: 7 } } });
  const first = await pf.establish();
  const second = await pf.establish();
  expect(await refusal()).toEqual({ status: 503, after: '7' });
  expect((await pf.ask<{ problems: string[] }>('GET', '/readyz')).body.problems).toEqual([
    'overloaded: new sessions get 503',
  ]);
  expect((await pf.ask('GET', '/readyz')).status).toBe(503);
  expect((await pf.alice.request(first.near, 'INFO')).status).toBe(200);
  expect((await pf.bob.bye(second.far)).status).toBe(200);
  await until('there is room', async () => (await pf.metric('sessions')) === 1);
  await pf.establish();
  const { body } = await pf.ask<string>('GET', '/metrics');
  expect(body).toContain('cpm_sip_messages_total{outcome="overloaded"} 1');
});

it('an event loop that lags beyond sip.overload.maxLagMs: refused until it has caught up, BYE passes', async () => {
  pf = await host(scene, { sip: { overload: { maxLagMs: 150, retryAfter: 3 } } });
  await until('the loop is quiet', async () => pf.server.overload.lagMs < 20);
  const { near } = await pf.establish();
  const busy = setInterval(() => {
    const end = performance.now() + 400;
    while (performance.now() < end);
  }, 10);
  try {
    await until('the lag was measured', async () => pf.server.overload.lagMs > 250);
    expect(pf.server.overload.retryAfter()).toBe(3);
    expect(await refusal()).toEqual({ status: 503, after: '3' });
  } finally {
    clearInterval(busy);
  }
  expect((await pf.alice.bye(near)).status).toBe(200);
  await until('the loop is quiet again', async () => pf.server.overload.lagMs < 20);
  await pf.establish();
});
