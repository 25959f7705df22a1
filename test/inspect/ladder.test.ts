/** Ladders are bounded: one for each session that lives, some for those that ended, none for what never was one. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Ladders } from '../../src/inspect/ladder.ts';
import type { SipCommand, SipEvent, SipPort } from '../../src/sip/port.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

let scene: Scene;
let pf: Hosted;
beforeEach(async () => {
  scene = new Scene();
  pf = await host(scene, { policy: { otherServices: 'forward' } });
});
afterEach(async () => {
  await pf.close();
  await scene.close();
});

it('nothing grows for sessions that ended, for INVITEs that were refused or only passed', async () => {
  const { near } = await pf.establish();
  expect(pf.server.ladders.live).toBe(1);
  await pf.alice.bye(near);
  await until('it is over', async () => (await pf.metric('sessions')) === 0);
  expect(pf.server.ladders.live).toBe(0);
  const other = pf.alice.invite({
    headers: [
      ['P-Asserted-Service', null],
      ['Accept-Contact', null],
      ['Contact', '<sip:alice@127.0.0.1>'],
    ],
  });
  expect((await pf.alice.outcome(other)).status).toBe(200);
  pf.server.cpm.engine.refusing = true;
  expect((await pf.alice.outcome(pf.alice.invite())).status).toBe(503);
  await until('nothing is held', async () => (await pf.metric('sip_held')) === 0);
  expect(await pf.metric('sessions_started_total')).toBe(1);
  expect(pf.server.ladders.live).toBe(0);
});

it('a ladder keeps its beginning and its end, and those that ended make room for newer ones', () => {
  let listener: (event: SipEvent) => void = () => {};
  const port: SipPort = {
    onEvent: (heard) => {
      listener = heard;
    },
    execute: () => {},
  };
  const ladders = new Ladders(new VirtualClock(), 2);
  const watched = ladders.watch(port);
  watched.onEvent(() => {});
  const invite = (session: string): void => listener({ type: 'invite', leg: `${session}.a` } as unknown as SipEvent);
  invite('s1');
  for (let count = 0; count < 200; count++) {
    watched.execute({ type: 'request', leg: 's1.b', method: `M${count}` } as unknown as SipCommand);
  }
  const labels = ladders.of('s1')?.map(({ label }) => label) ?? [];
  expect({ length: labels.length, first: labels[0], last: labels.at(-1) }).toEqual({
    length: 64,
    first: 'INVITE',
    last: 'M199',
  });
  for (const session of ['s1', 's2', 's3']) {
    invite(session);
    ladders.end(session);
  }
  expect([ladders.of('s1'), ladders.of('s2')?.length, ladders.of('s3')?.length]).toEqual([undefined, 1, 1]);
});
