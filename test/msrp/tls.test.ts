/** MSRP over TLS (RFC 4975 14.4): certificates known by their fingerprints in the descriptions. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { authority } from '../sip/transport/certificates.ts';
import { type Chat, type ChatOptions, chat } from '../support/chat.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { MsrpPhone } from '../support/msrp-phone.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

const certificates = authority('Test CA');

let scene: Scene;
let hosted: Hosted;
let open: MsrpPhone[];

beforeEach(() => {
  scene = new Scene();
  open = [];
});

afterEach(async () => {
  for (const phone of open) await phone.close();
  await hosted.close();
  await scene.close();
});

async function start(media: Record<string, unknown> = {}): Promise<void> {
  const { cert, key } = certificates.issue('IP:127.0.0.1');
  const tls = { ports: '0', cert: scene.file('media.pem', cert), key: scene.file('media.key', key) };
  hosted = await host(scene, {
    policy: { mediaPath: 'always' },
    media: { ports: '0', tls, reconnectMs: 300, ...media },
  });
}

async function phone(name: string, secure = true): Promise<MsrpPhone> {
  const made = await MsrpPhone.open(
    name,
    secure ? { ports: [0, 0], ...certificates.issue('IP:127.0.0.1') } : undefined,
  );
  open.push(made);
  return made;
}

/** The description with the fingerprint of another certificate. */
const withAnother = (sdp: string): string =>
  sdp.replace(/(SHA-256 )(\w\w)/, (_, name, byte) => name + (byte === '00' ? '01' : '00'));

async function talk(options: ChatOptions = {}): Promise<Chat> {
  return chat(hosted.alice, hosted.bob, { phones: [await phone('alice'), await phone('bob')], ...options });
}

describe('TCP/TLS/MSRP', () => {
  it.each([
    ['the phones connect', 'active'],
    ['the function connects to Bob', 'passive'],
  ] as const)('a chat where %s is encrypted on both legs, each with its own certificates', async (_, answer) => {
    await start();
    const { toAlice, toBob, alice, bob } = await talk({ answer });
    const port = hosted.server.media!.network.securePorts[0];
    for (const told of [toAlice, toBob]) {
      expect(told).toContain(`m=message ${port} TCP/TLS/MSRP *`);
      expect(told).toMatch(/a=path:msrps:\/\//);
      expect(told).toContain(`a=fingerprint:SHA-256 ${hosted.server.media!.network.fingerprint}`);
      expect(told.match(/^a=fingerprint/gm)).toHaveLength(1);
    }
    expect(await alice.say('secret', { successReport: true })).toMatchObject({ status: 200, report: 200 });
    expect(await bob.say('secret, too')).toMatchObject({ status: 200 });
  });

  it('a peer whose certificate is not the one of its description is not let into the session', async () => {
    await start({ openMs: 500 });
    const alice = await phone('alice');
    const lying = alice.sdp.bind(alice);
    alice.sdp = (setup, attributes) => withAnother(lying(setup, attributes));
    const { toAlice } = await talk({ phones: [alice, await phone('bob')], connect: false });
    alice.connect(toAlice);
    await until('she is refused', async () => hosted.server.media!.relay.counters.refusedRequests[481] === 1);
    await until('the session has ended', async () => (await hosted.metric('sessions')) === 0);
  });

  it('the function does not talk to a certificate that is not the one of the description', async () => {
    await start({ openMs: 400 });
    const bob = await phone('bob');
    const lying = bob.sdp.bind(bob);
    bob.sdp = (setup, attributes) => withAnother(lying(setup, attributes));
    await talk({ phones: [await phone('alice'), bob], answer: 'passive', connect: false });
    await until('the session has ended', async () => (await hosted.metric('sessions')) === 0);
    expect(hosted.server.media!.relay.counters.dialFailed).toBeGreaterThan(0);
  });

  it('a path of one transport is not found over the other', async () => {
    await start();
    const plain = await phone('alice', false);
    const { toAlice } = await talk({ connect: false });
    // The TLS path over the plain port.
    const port = hosted.server.media!.network.ports[0];
    plain.join(
      toAlice.replace('TCP/TLS/MSRP', 'TCP/MSRP').replace(/(a=path:)msrps(:\/\/127\.0\.0\.1):\d+/, `$1msrp$2:${port}`),
      true,
    );
    await until('it is refused', async () => hosted.server.media!.relay.counters.refusedRequests[481] === 1);
  });

  it('without a certificate of ours an encrypted stream passes end to end', async () => {
    hosted = await host(scene, { policy: { mediaPath: 'always' }, media: { ports: '0' } });
    const { toBob, alice } = await talk({ connect: false });
    expect(toBob).toContain(`a=path:${alice.uri}`);
    expect(toBob).toContain('a=fingerprint');
    expect(hosted.server.media!.relay.counters).toMatchObject({ passedThrough: 2, allocated: 0 });
  });
});
