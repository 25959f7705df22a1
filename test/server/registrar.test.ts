/** Registrations at the SIP surface: third-party REGISTER of the core, and static clients (digest 3.5). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bytesOfWire } from '../../src/sip/message/bytes.ts';
import { headerField } from '../../src/sip/message/header.ts';
import { SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';
import { keyOf } from '../support/udp-phone.ts';

const BOB = 'sip:bob@home.example';
const ICSI = 'urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session';

let scene: Scene;
let pf: Hosted;
beforeEach(() => {
  scene = new Scene();
});
afterEach(async () => {
  await pf.close();
  await scene.close();
});

interface Registering {
  readonly expires?: number;
  readonly to?: string;
  /** The client's own REGISTER's 200, as the S-CSCF embeds it. */
  readonly embedded?: string;
  /** Content-Type of the body; by default `message/sip`. */
  readonly type?: string;
}

let cseq = 0;

/** The core registers a user with us. */
async function register({
  expires = 600,
  to = `<${BOB}>`,
  embedded,
  type = 'message/sip',
}: Registering = {}): Promise<SipResponse> {
  const request = new SipRequest('REGISTER', `sip:127.0.0.1`, [
    headerField('Max-Forwards', '70'),
    headerField('From', '<sip:scscf.home.example>;tag=1'),
    headerField('To', to),
    headerField('Call-ID', `register-${++cseq}`),
    headerField('CSeq', `${cseq} REGISTER`),
    headerField('Contact', '<sip:scscf.home.example>'),
    headerField('Expires', String(expires)),
    ...(embedded === undefined ? [] : [headerField('Content-Type', type)]),
  ]);
  if (embedded !== undefined) request.body = bytesOfWire(embedded);
  pf.bob.peer.send(request, { to: pf.bob.peer.pf });
  return pf.bob.answerTo(keyOf(request));
}

/** A terminating INVITE for Bob: 200 where a client of his can be reached. */
async function statusOfCall(): Promise<number> {
  const headers = [
    ['P-Served-User', `<${BOB}>;sescase=term;regstate=reg`],
    ['P-Asserted-Identity', '<sip:alice@away.example>'],
  ] as const;
  return (await pf.alice.outcome(pf.alice.invite({ headers }))).status;
}

function contactOf(features: string): string {
  return [
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1',
    `To: <${BOB}>;tag=2`,
    `From: <${BOB}>;tag=1`,
    'Call-ID: 1',
    'CSeq: 1 REGISTER',
    `P-Associated-URI: <${BOB}>, <tel:+15550177>`,
    `Contact: <sip:bob@10.0.0.1>;+sip.instance="<urn:uuid:1>"${features}`,
    '',
    '',
  ].join('\r\n');
}

describe('registrar.driver: thirdParty', () => {
  beforeEach(async () => {
    pf = await host(scene, { registrar: { driver: 'thirdParty' }, policy: { noClient: 'reject' } });
  });

  it('a user is reachable from REGISTER to de-registration', async () => {
    expect(await statusOfCall()).toBe(480);
    const answer = await register();
    expect({ status: answer.status, expires: answer.header('expires') }).toEqual({ status: 200, expires: '600' });
    expect(await statusOfCall()).toBe(200);
    expect((await register({ expires: 300 })).header('expires')).toBe('300');
    expect(await pf.metric('registrations')).toBe(1);
    expect((await register({ expires: 0 })).status).toBe(200);
    expect(await pf.metric('registrations')).toBe(0);
    expect(await statusOfCall()).toBe(480);
  });

  it('a registration ends by itself when its time is over', async () => {
    await register({ expires: 1 });
    expect(await statusOfCall()).toBe(200);
    await until('it has expired', async () => (await pf.metric('registrations')) === 0);
    expect(await statusOfCall()).toBe(480);
  });

  it('A-39: the 200 in its body says what the client can do, and all addresses of the user', async () => {
    await register({ embedded: contactOf(`;+g.3gpp.icsi-ref="${ICSI}"`) });
    expect(await pf.metric('registrations')).toBe(2);
    expect(pf.server.registrations.clientsOf('tel:+15550177')).toEqual([
      { instance: '<urn:uuid:1>', services: ['session'], media: ['message'] },
    ]);
    expect(await statusOfCall()).toBe(200);
    await register({ embedded: contactOf(`;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"`) });
    expect(await statusOfCall()).toBe(480);
  });

  it('a body that is not SIP tells no more than no body', async () => {
    expect((await register({ embedded: 'nonsense' })).status).toBe(200);
    expect(await statusOfCall()).toBe(200);
  });

  it('is refused with 400 where it names nobody', async () => {
    expect((await register({ to: 'nobody' })).status).toBe(400);
    expect(await pf.metric('registrations')).toBe(0);
  });
});

describe('TS 24.229 5.4.1.7: the bodies of a third-party REGISTER', () => {
  const multipart = 'multipart/mixed;boundary="b1"';
  const whole = (...parts: [type: string, content: string][]): string =>
    `${parts.map(([type, content]) => `--b1\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`).join('')}--b1--\r\n`;
  const serviceInfo = (text: string): [string, string] => [
    'application/3gpp-ims+xml',
    `<?xml version="1.0"?><ims-3gpp version="1"><service-info>${text}</service-info></ims-3gpp>`,
  ];
  const device = (id: number, expires = 600): string =>
    `Contact: <sip:bob@10.0.0.${id}>;+sip.instance="<urn:uuid:${id}>";expires=${expires};+g.3gpp.icsi-ref="${ICSI}"`;
  const registerOf = (...contacts: string[]): string =>
    [
      'REGISTER sip:home.example SIP/2.0',
      `To: <${BOB}>`,
      `From: <${BOB}>;tag=1`,
      'Call-ID: 1',
      'CSeq: 1 REGISTER',
      ...contacts,
      '',
      '',
    ].join('\r\n');
  const okOf = (...contacts: string[]): string => registerOf(...contacts).replace(/^.*/, 'SIP/2.0 200 OK');
  const instances = (): string[] => pf.server.registrations.clientsOf(BOB).map(({ instance }) => instance);

  beforeEach(async () => {
    pf = await host(scene, { registrar: { driver: 'thirdParty' }, policy: { noClient: 'reject' } });
  });

  it('service information, REGISTER and 200 in one multipart body: the 200 has all devices', async () => {
    const embedded = whole(
      serviceInfo('x'),
      ['message/sip', registerOf(device(1))],
      ['message/sip', okOf(device(1), device(2))],
    );
    expect((await register({ embedded, type: multipart })).status).toBe(200);
    expect(instances()).toEqual(['<urn:uuid:1>', '<urn:uuid:2>']);
  });

  it('a REGISTER alone speaks of its own device only: the others stay, also when it goes', async () => {
    await register({ embedded: okOf(device(1), device(2)) });
    await register({ embedded: registerOf(device(3)) });
    expect(instances()).toEqual(['<urn:uuid:3>', '<urn:uuid:1>', '<urn:uuid:2>']);
    await register({ embedded: registerOf(device(1, 0)) });
    expect(instances()).toEqual(['<urn:uuid:3>', '<urn:uuid:2>']);
  });

  it('a device whose time is over goes before the others', async () => {
    await register({ embedded: okOf(device(1, 1), device(2)) });
    expect(instances()).toHaveLength(2);
    await until('the first has gone', async () => instances().length === 1);
    expect(instances()).toEqual(['<urn:uuid:2>']);
    expect(await statusOfCall()).toBe(200);
  });

  it('network-initiated: Expires 0 ends it, whatever devices there were', async () => {
    await register({ embedded: okOf(device(1), device(2)) });
    expect((await register({ expires: 0, embedded: okOf() })).status).toBe(200);
    expect(await statusOfCall()).toBe(480);
  });

  it('service information names the services of a client of which nothing else is known', async () => {
    const [type, content] = serviceInfo('urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg');
    await register({ embedded: content, type });
    expect(pf.server.registrations.clientsOf(BOB)).toMatchObject([{ services: ['msg'] }]);
    expect(await statusOfCall()).toBe(480);
    await register({ embedded: '<!DOCTYPE x><ims-3gpp/>', type });
    expect(await statusOfCall()).toBe(200);
  });
});

describe('other cases', () => {
  it('from a peer that is not trusted: 403, and nothing is registered', async () => {
    pf = await host(scene, { registrar: { driver: 'thirdParty' }, sip: { trusted: ['10.0.0.0/8'] } });
    expect((await register()).status).toBe(403);
    expect(await pf.metric('registrations')).toBe(0);
  });

  it('more users than registrar.maxUsers: 503 with Retry-After', async () => {
    pf = await host(scene, { registrar: { driver: 'thirdParty', maxUsers: 1 } });
    expect((await register()).status).toBe(200);
    const refused = await register({ to: '<sip:carol@home.example>' });
    expect({ status: refused.status, after: refused.header('retry-after') }).toEqual({ status: 503, after: '60' });
    expect((await register()).status).toBe(200);
  });

  it('where this is no registrar: 405 with Allow', async () => {
    pf = await host(scene, { registrar: { driver: 'none' } });
    const refused = await register();
    expect(refused.status).toBe(405);
    expect(refused.header('allow')).toContain('INVITE');
  });

  it('static: the clients in users.yaml are there, and nobody else', async () => {
    const client = { contact: 'sip:bob@127.0.0.1:6000', features: ['session'] };
    pf = await host(
      scene,
      { registrar: { driver: 'static' }, policy: { noClient: 'reject' } },
      { users: { [BOB]: { clients: [client] }, 'sip:carol@home.example': {} } },
    );
    expect(await statusOfCall()).toBe(200);
    const headers = [['P-Served-User', '<sip:carol@home.example>;sescase=term;regstate=reg']] as const;
    expect((await pf.alice.outcome(pf.alice.invite({ headers }))).status).toBe(480);
  });
});

it('registrations survive a restart of the server', async () => {
  const stores = {
    sessions: { driver: 'sqlite', path: `${scene.folder}/sessions.sqlite` },
    registrar: { driver: 'thirdParty' },
    policy: { noClient: 'reject' },
  };
  pf = await host(scene, stores);
  await register();
  await pf.close();
  pf = await host(scene, stores);
  expect(await pf.metric('registrations')).toBe(1);
  expect(await statusOfCall()).toBe(200);
});
