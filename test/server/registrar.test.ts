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
}

let cseq = 0;

/** The core registers a user with us. */
async function register({ expires = 600, to = `<${BOB}>`, embedded }: Registering = {}): Promise<SipResponse> {
  const request = new SipRequest('REGISTER', `sip:127.0.0.1`, [
    headerField('Max-Forwards', '70'),
    headerField('From', '<sip:scscf.home.example>;tag=1'),
    headerField('To', to),
    headerField('Call-ID', `register-${++cseq}`),
    headerField('CSeq', `${cseq} REGISTER`),
    headerField('Contact', '<sip:scscf.home.example>'),
    headerField('Expires', String(expires)),
    ...(embedded === undefined ? [] : [headerField('Content-Type', 'message/sip')]),
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
