/** Whole sessions through the engine inside a sip.js core: Alice and Bob are sip.js phones, over TCP on loopback. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { UserAgent } from 'sip.js';
import { createEngine } from '../../src/index.ts';
import { createSipJsPhone, createSipJsPort, TcpTransport } from '../../src/sip-js/index.ts';
import { bodyOf, chatSdp } from '../../src/testing/index.ts';
import {
  CONTRIBUTION,
  CONVERSATION,
  NOTHING,
  ORIGINATING,
  SipJsWorld,
  type SipJsWorldOptions,
} from '../support/sipjs-world.ts';

let world: SipJsWorld;

async function start(options: SipJsWorldOptions = {}): Promise<void> {
  world = await SipJsWorld.start(options);
}

afterEach(() => world.close());

describe('a session', () => {
  it('O-INV-4a O-INV-4c O-INV-4d: INVITE, 180 and 200 pass as a B2BUA, each leg its own dialog', async () => {
    await start();
    const near = world.invite({
      headers: [
        ['Subject', 'Lunch'],
        ['Supported', 'gruu'],
      ],
    });
    const far = await world.bob.incoming();
    const invite = far.request;
    expect(invite?.uri).toBe('sip:bob@home.example');
    expect(invite?.header('contribution-id')).toBe(CONTRIBUTION);
    expect(invite?.header('subject')).toBe('Lunch');
    expect(invite?.list('via')).toHaveLength(1);
    expect(invite?.header('max-forwards')).toBe('69');
    expect(invite?.lines('user-agent')).toHaveLength(1);
    expect(invite?.header('user-agent')).toMatch(/^CPM-serv\/OMA2\.0 .* CPM-client\/OMA2\.0/);
    expect(invite?.list('supported')).toEqual(['gruu', 'timer']);
    expect(invite?.contact?.uri).toContain(world.host.address);
    expect(bodyOf(invite!)).toContain('a=path:msrp://10.9.9.9:2855/alice0;tcp');

    far.ring();
    const ringing = (await near.next('progress')).response;
    expect(ringing.status).toBe(180);
    far.accept(chatSdp('bob', [3000]));
    const answer = (await near.next('answered')).response;
    expect(answer.toTag).toBe(ringing.toTag);
    expect(answer.callId).not.toBe(invite?.callId);
    expect(answer.list('contact')).toHaveLength(1);
    expect(answer.header('server')).toMatch(/^CPM-serv/);
    expect(bodyOf(answer)).toContain('m=message 3000 TCP/MSRP *');
    expect((await far.next('acknowledged')).request.callId).toBe(invite?.callId);
  });

  it.each(['near', 'far'] as const)(
    'RFC 3261 14, 15: re-INVITE, INFO and BYE go through from the %s side',
    async (by) => {
      await start();
      const { near, far } = await world.establish();
      const [asker, asked] = by === 'near' ? [near, far] : [far, near];

      const reanswer = await asker.reinvite(chatSdp('asker', [2855, 2860]));
      expect(reanswer.status).toBe(200);
      expect(bodyOf((await asked.next('request')).request)).toContain('m=message 2860');
      await asked.next('acknowledged');
      const info = await asker.info('<isComposing/>', 'application/im-iscomposing+xml');
      expect(info.status).toBe(200);
      const received = (await asked.next('request')).request;
      expect([received.method, bodyOf(received), received.contentType]).toEqual([
        'INFO',
        '<isComposing/>',
        'application/im-iscomposing+xml',
      ]);

      const ended = asked.next('ended');
      expect((await asker.bye([['Reason', 'User;cause=1']])).status).toBe(200);
      expect((await ended).request.header('reason')).toBe('User;cause=1');
      expect(await world.ending()).toBe(by === 'near' ? 'byeFromClient' : 'byeFromEntity');
      expect(world.left).toEqual(NOTHING);
    },
  );

  it('O-BYE-2b-i: recorded, its Message-UID is in the 200 to the BYE of the client', async () => {
    await start({ profile: { allowOfflineStorage: true } });
    const { near } = await world.establish();
    const ok = await near.bye();
    expect(ok.status).toBe(200);
    const folder = { user: 'sip:alice@home.example', conversationId: CONVERSATION, contributionId: CONTRIBUTION };
    const pointers = await new Promise((done) => world.history.pointers(folder, (_, found) => done(found)));
    expect(Number(ok.header('message-uid'))).toBe((pointers as { SessionInfoObjectID: number }).SessionInfoObjectID);
    await world.ending();
    expect(world.left).toEqual(NOTHING);
  });
});

describe('a session that does not come about', () => {
  it('RFC 3261 9: CANCEL before the answer reaches the callee, and the caller has its 487', async () => {
    await start();
    const near = world.invite();
    const far = await world.bob.incoming();
    far.ring();
    await near.next('progress');
    near.cancel([['Reason', 'SIP;cause=200;text="Answered elsewhere"']]);
    expect((await near.next('refused')).status).toBe(487);
    const { request } = await far.next('cancelled');
    expect(request.header('reason')).toBe('SIP;cause=200;text="Answered elsewhere"');
    expect(request.from).toEqual(far.request?.from);
    await world.ending();
    expect(world.left).toEqual(NOTHING);
  });

  it('O-ERR-3: the refusal of the callee reaches the caller with its headers', async () => {
    await start();
    const near = world.invite();
    (await world.bob.incoming()).refuse(486, [['Warning', '399 bob.example "In a meeting"']]);
    const { status, response } = await near.next('refused');
    expect(status).toBe(486);
    expect(response?.header('warning')).toBe('399 bob.example "In a meeting"');
    await world.ending();
    expect(world.left).toEqual(NOTHING);
  });

  it('O-INV-1-r O-INV-1-w: a refusal by policy is 403 with the Warning of the clause', async () => {
    await start({ profile: { services: [] } });
    const near = world.invite();
    const { status, response } = await near.next('refused');
    expect(status).toBe(403);
    expect(response?.header('warning')).toMatch(/^399 127\.0\.0\.1 "127 Service not authorised"$/);
    await world.ending();
    expect(world.left).toEqual(NOTHING);
  });
});

it("the core of sip.js's own UserAgent does as well: a session through it, from INVITE to BYE", async () => {
  world = await SipJsWorld.start();
  const agent = new UserAgent({
    uri: UserAgent.makeURI('sip:pf@home.example')!,
    transportConstructor: TcpTransport,
    transportOptions: { listen: { host: '127.0.0.1', port: 0 } },
    logBuiltinEnabled: false,
  });
  await agent.start();
  const { host, port } = (agent.transport as TcpTransport).listening!;
  const alice = await createSipJsPhone({ name: 'alice', domain: 'home.example', proxy: `${host}:${port}` });
  const cpm = createEngine({
    sip: createSipJsPort(agent.userAgentCore, { trusts: () => true }),
    contact: `${host}:${port};transport=tcp`,
    core: `sip:${world.bob.address};transport=tcp;lr`,
    policy: { mediaPath: 'always' },
  });
  const near = alice.invite('sip:bob@home.example', { sdp: chatSdp('alice'), headers: ORIGINATING });
  const far = await world.bob.incoming();
  far.accept(chatSdp('bob'));
  await near.next('answered');
  await far.next('acknowledged');
  expect((await near.bye()).status).toBe(200);
  expect(cpm.engine.sessions.size).toBe(0);
  cpm.close();
  await Promise.all([alice.close(), agent.stop()]);
});
