/** The ISF on the wire: what it sends on, and what it refuses; a session inside the dialog of its IWF. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { bodyOf, chatSdp } from '../../src/testing/index.ts';
import { IwfStage } from '../support/iwf-stage.ts';
import { until } from '../support/server.ts';

let stage: IwfStage;

beforeEach(async () => {
  stage = await IwfStage.open({
    email: {
      listen: 'udp:127.0.0.1:0',
      domain: 'chat.home.example',
      smtp: { server: '127.0.0.1:9' },
      inbox: { listen: '127.0.0.1:0' },
    },
  });
});

afterEach(() => stage.close());

it.each([
  ['im:carol@mail.example', chatSdp('alice'), 416],
  ['tel:+15550199', chatSdp('alice'), 404],
  ['mailto:carol@mail.example', chatSdp('alice', [4000], ['audio']), 488],
  ['mailto:carol@mail.example', null, 488],
])('%s with %p gets %i, and why in a Warning', async (uri, sdp, status) => {
  const call = stage.alice.invite({ uri, sdp });
  const answer = await stage.alice.outcome(call);
  expect(answer.status).toBe(status);
  expect(answer.header('warning')).toMatch(/^399 127\.0\.0\.1:\d+ "\w[^"]*"$/);
  expect(stage.count(`isf.refused.${status}`)).toBe(1);
});

it('a body that is no session description gets 415, and what is taken', async () => {
  const call = stage.alice.invite({ uri: 'mailto:carol@mail.example', body: '<x/>', type: 'text/xml' });
  const answer = await stage.alice.outcome(call);
  expect(answer.status).toBe(415);
  expect(answer.header('accept')).toBe('application/sdp');
});

it('it keeps no part in the dialog: the IWF’s own Contact, and no Record-Route', async () => {
  const phone = await stage.phone();
  const call = stage.alice.invite({ uri: 'mailto:carol@mail.example', sdp: phone.sdp('active') });
  const answer = await stage.alice.outcome(call);
  expect(answer.status).toBe(200);
  expect(answer.has('record-route')).toBe(false);
  const iwf = stage.reference.addresses.email?.replace('udp:', '');
  expect(answer.contact?.uri).toBe(`sip:iwf@${iwf}`);
  expect(bodyOf(answer)).toMatch(/^a=setup:passive\r$/m);
  expect((await stage.alice.request(call, 'OPTIONS')).status).toBe(200);
  expect((await stage.alice.request(call, 'UPDATE')).status).toBe(200);
  expect((await stage.alice.request(call, 'REFER')).status).toBe(405);
  expect((await stage.alice.bye(call)).status).toBe(200);
  expect(stage.reference.held()['email.sessions']).toBe(0);
  expect((await stage.alice.bye(call)).status).toBe(481);
});

it('a stream that is not for the IWF is at port 0 in its place', async () => {
  const phone = await stage.phone();
  const audio = 'm=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n';
  const [session = '', message = ''] = phone.sdp('active').split(/^(?=m=)/m);
  const call = stage.alice.invite({ uri: 'mailto:carol@mail.example', sdp: session + audio + message });
  const told = bodyOf(await stage.alice.outcome(call));
  expect(told.match(/^m=.*/gm)).toEqual([
    'm=audio 0 RTP/AVP 0 8',
    expect.stringMatching(/^m=message [1-9]\d* TCP\/MSRP \*\r?$/),
  ]);
});

it('when it stops, live sessions are told by BYE and new ones get 503', async () => {
  const chat = await stage.chat('mailto:carol@mail.example');
  const closing = stage.reference.close(3000);
  await until('Alice is told', async () => stage.alice.heard(chat.call).includes('BYE'), 30_000);
  await closing;
  stage.reference.close = async () => {};
});
