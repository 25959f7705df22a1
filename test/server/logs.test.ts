/** Logs: structured, the session's key on each line of a session, numbers masked and bodies absent unless asked for. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { maskNumbers } from '../../src/server/log.ts';
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

const CALLER = { from: '<sip:+15550100@home.example;user=phone>', uri: 'tel:+15550199' };

async function wholeSession(redact: boolean): Promise<string> {
  pf = await host(scene, { log: { level: 'debug', format: 'json', redact } });
  const { near } = await pf.establish(CALLER);
  const [session] = pf.server.cpm.engine.sessions.keys();
  await pf.alice.bye(near);
  await until('it is over', async () => pf.log.some(({ msg }) => msg === 'session ended'));
  return session ?? '';
}

it('each line of a session names it, from its beginning through each step to its end', async () => {
  const session = await wholeSession(true);
  const lines = pf.log.filter((line) => line.session !== undefined);
  expect(lines.filter((line) => line.session !== session)).toEqual([]);
  expect(lines[0]).toMatchObject({ msg: 'step', event: 'invite' });
  expect(lines[1]).toMatchObject({ msg: 'session begun', role: 'orig', mode: 'proxy', service: 'session' });
  expect(lines.at(-1)).toMatchObject({ msg: 'session ended', reason: 'byeFromClient' });
  const steps = lines.filter(({ msg }) => msg === 'step').map(({ event }) => event);
  expect(steps).toContain('bye');
});

it('numbers and bodies are not written down', async () => {
  await wholeSession(true);
  const text = JSON.stringify(pf.log);
  expect(text).toContain('+1555****');
  expect(text).not.toContain('15550100');
  expect(text).not.toContain('15550199');
  expect(text).not.toContain('m=message');
});

it('numbers are written down where log.redact is false', async () => {
  await wholeSession(false);
  expect(JSON.stringify(pf.log)).toContain('sip:+15550100@home.example');
});

it('masking leaves names, addresses of hosts with a port, and short numbers as they are', async () => {
  pf = await host(scene);
  const texts: Record<string, string> = {
    'tel:+15550100': 'tel:+1555****',
    'sip:+15550100@home.example;user=phone': 'sip:+1555****@home.example;user=phone',
    '<tel:+1-555-0100>': '<tel:+1-555****>',
    'sip:alice@home.example': 'sip:alice@home.example',
    'sip:bob7@home.example': 'sip:bob7@home.example',
    'connect ECONNREFUSED 127.0.0.1:5060': 'connect ECONNREFUSED 127.0.0.1:5060',
    'tel:911': 'tel:911',
  };
  for (const [text, masked] of Object.entries(texts)) expect(maskNumbers(text)).toBe(masked);
});
