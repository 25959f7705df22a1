/** Keys of the media section: as they stand in the file, each flipped and seen. What the limits do is told in test/msrp. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { configSchema } from '../../src/server/config/schema.ts';
import { limitsOf } from '../../src/server/media.ts';
import { bodyOf } from '../../src/testing/index.ts';
import { authority } from '../sip/transport/certificates.ts';
import { chat } from '../support/chat.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { MsrpPhone } from '../support/msrp-phone.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

const certificates = authority('Test CA');

let scene: Scene;
let hosted: Hosted | undefined;
beforeEach(() => {
  scene = new Scene();
});
afterEach(async () => {
  await hosted?.close();
  await scene.close();
});

const offer = (profile: string, scheme: string): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    `m=message 2855 ${profile} *`,
    'a=accept-types:*',
    'a=max-size:999999999',
    `a=path:${scheme}://192.0.2.1:2855/alice;tcp`,
    'a=setup:active',
    '',
  ].join('\r\n');

/** What Bob is offered under this media section. */
async function offered(media: Record<string, unknown>, profile = 'TCP/MSRP', scheme = 'msrp'): Promise<string> {
  hosted = await host(scene, { policy: { mediaPath: 'always' }, media: { ports: '0', ...media } });
  const { far } = await hosted.establish({ sdp: offer(profile, scheme) });
  await hosted.close();
  hosted = undefined;
  return bodyOf(far.invite);
}

it('media.listen, media.advertise, media.ports: where chats are heard, and what peers are told of it', async () => {
  expect(await offered({ listen: '127.0.0.2' })).toMatch(/a=path:msrp:\/\/127\.0\.0\.2:\d+\//);
  const told = await offered({ listen: '127.0.0.2', advertise: 'media.home.example', ports: '23200-23209' });
  expect(told).toMatch(/a=path:msrp:\/\/media\.home\.example:2320\d\//);
  expect(told).toMatch(/^m=message 2320\d TCP\/MSRP/m);
});

it('media.tls, media.tls.ports, media.tls.cert, media.tls.key: streams over TLS are relayed, or pass through', async () => {
  const tls = (name: string): Record<string, string> => {
    const { cert, key } = certificates.issue('IP:127.0.0.1');
    return { ports: '23210-23219', cert: scene.file(`${name}.pem`, cert), key: scene.file(`${name}.key`, key) };
  };
  const through = (media: Record<string, unknown>): Promise<string> => offered(media, 'TCP/TLS/MSRP', 'msrps');
  expect(await through({})).toContain('a=path:msrps://192.0.2.1:2855/alice;tcp');
  const told = await through({ tls: tls('one') });
  expect(told).toMatch(/a=path:msrps:\/\/127\.0\.0\.1:2321\d\//);
  const fingerprint = (sdp: string): string | undefined => /^a=fingerprint:(.*)$/m.exec(sdp)?.[1];
  expect(fingerprint(told)).toMatch(/^SHA-256 /);
  expect(fingerprint(await through({ tls: tls('other') }))).not.toBe(fingerprint(told));
});

it('media.tls.ca: a peer without a fingerprint is known by its authority, or not at all', async () => {
  const { cert, key } = certificates.issue('IP:127.0.0.1');
  const tls = { ports: '0', cert: scene.file('media.pem', cert), key: scene.file('media.key', key) };
  for (const known of [true, false]) {
    const ca = known ? { ca: scene.file('ca.pem', certificates.cert) } : {};
    hosted = await host(scene, {
      policy: { mediaPath: 'always' },
      media: { ports: '0', openMs: 500, tls: { ...tls, ...ca } },
    });
    const open = () => MsrpPhone.open('phone', { ports: [0, 0], ...certificates.issue('IP:127.0.0.1') });
    const phones = [await open(), await open()] as const;
    const described = phones[1].sdp.bind(phones[1]);
    phones[1].sdp = (setup, attributes) => described(setup, attributes).replace(/a=fingerprint:.*\r\n/g, '');
    await chat(hosted.alice, hosted.bob, { phones, answer: 'passive', connect: false });
    const { relay } = hosted.server.media!;
    const counted = (): number => (known ? relay.connections : relay.counters.dialFailed);
    await until('the function has tried to connect', async () => counted() > 0);
    expect(relay.counters.dialFailed > 0).toBe(!known);
    for (const phone of phones) await phone.close();
    await hosted.close();
    hosted = undefined;
  }
});

it('media.maxMessageBytes: no peer is told of a larger a=max-size', async () => {
  expect(await offered({ maxMessageBytes: 5000 })).toContain('a=max-size:5000\r\n');
  expect(await offered({ maxMessageBytes: 6000 })).toContain('a=max-size:6000\r\n');
});

it('media.maxHeadBytes, media.maxConnections, media.maxPending, media.openMs, media.reconnectMs, media.responseMs, media.stallMs, media.idleMs: the limits of the relay', () => {
  const limits = {
    maxHeadBytes: 'headBytes',
    maxConnections: 'connections',
    maxPending: 'pending',
    openMs: 'openMs',
    reconnectMs: 'reconnectMs',
    responseMs: 'responseMs',
    stallMs: 'stallMs',
    idleMs: 'idleMs',
  } as const;
  for (const [key, limit] of Object.entries(limits)) {
    const usual = limitsOf(configSchema.parse({ media: {} }).media!);
    const flipped = limitsOf(configSchema.parse({ media: { [key]: 4321 } }).media!);
    expect([key, flipped]).toEqual([key, { ...usual, [limit]: 4321 }]);
  }
});
