/** Chats for a user who is away, through the real server: taken, kept, killed, delivered as a session, told of. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseCpimHead } from '../../src/cpim/cpim.ts';
import { headerField } from '../../src/sip/message/header.ts';
import { SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { bodyOf, type Call } from '../../src/testing/index.ts';
import { cpim, respond, textOf } from '../support/message.ts';
import { MsrpPhone } from '../support/msrp-phone.ts';
import { freePort, Scene } from '../support/processes.ts';
import { attach, type RunningServer, serve, until } from '../support/server.ts';
import { CONTRIBUTION, CONVERSATION } from '../support/session.ts';
import { keyOf, UdpPhone } from '../support/udp-phone.ts';

const LIMIT_MS = 30_000;
const TEST_MS = 90_000;
const BOB = 'sip:bob@home.example';

interface Kept {
  readonly total: number;
  readonly messages: readonly { readonly user: string; readonly messageId: string; readonly conversationId: string }[];
}

describe('a chat for a user who is away', () => {
  let scene: Scene;
  let entity: UdpPhone;
  let core: UdpPhone;
  let server: RunningServer;
  let port: number;
  const phones: MsrpPhone[] = [];
  /** MESSAGEs that came to the core for Alice, by Call-ID: a copy is no second one. */
  const told = new Map<string, SipRequest>();

  beforeEach(async () => {
    told.clear();
    scene = new Scene();
    port = await freePort();
    entity = await UdpPhone.open('entity', `127.0.0.1:${port}`);
    core = await UdpPhone.open('core', `127.0.0.1:${port}`);
    core.conduct = () => 'silent';
    core.answers = (request) => {
      if (request.method !== 'MESSAGE') return true;
      told.set(request.callId, request);
      respond(core.peer, request, 200);
      return false;
    };
  });

  afterEach(async () => {
    for (const phone of phones.splice(0)) await phone.close();
    entity.close();
    core.close();
    await scene.close();
  });

  async function start(policy: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Promise<void> {
    server = await serve(scene, {
      sip: { listen: [`udp:127.0.0.1:${port}`], core: `sip:127.0.0.1:${core.port};lr` },
      registrar: { driver: 'thirdParty' },
      media: { listen: '127.0.0.1', ports: `${await freePort()}`, reconnectMs: 2000 },
      policy: { noClient: 'defer', defaultAllowOfflineStorage: true, ...policy },
      timers: { t1: 100 },
      shutdown: { graceMs: 500 },
      ...more,
    });
  }

  async function phone(name: string): Promise<MsrpPhone> {
    const opened = await MsrpPhone.open(name);
    phones.push(opened);
    return opened;
  }

  function invite(alice: MsrpPhone): Call {
    return entity.invite({
      sdp: alice.sdp('active'),
      headers: [
        ['P-Served-User', `<${BOB}>;sescase=term`],
        ['P-Asserted-Identity', '<sip:alice@home.example>'],
        ['From', 'Alice <sip:alice@home.example>;tag=alice'],
        ['Subject', 'Supper'],
        ['Conversation-ID', CONVERSATION],
        ['Contribution-ID', CONTRIBUTION],
      ],
    });
  }

  /** Alice's session with whoever answers, and her media side connected. */
  async function chat(): Promise<{ readonly call: Call; readonly alice: MsrpPhone }> {
    const alice = await phone('alice');
    const call = invite(alice);
    const response = await entity.outcome(call);
    expect(response.status).toBe(200);
    alice.join(bodyOf(response), true);
    await until('Alice is connected', async () => alice.session?.open === true, LIMIT_MS);
    return { call, alice };
  }

  const say = async (alice: MsrpPhone, id: string): Promise<number> =>
    (await alice.say(cpim({ id, text: `This is ${id}` }))).status;

  async function ask(request: SipRequest): Promise<SipResponse> {
    entity.peer.send(request, { to: entity.peer.pf });
    const again = setInterval(() => entity.peer.sendRaw(request), 500);
    try {
      return await entity.answerTo(keyOf(request));
    } finally {
      clearInterval(again);
    }
  }

  async function register(): Promise<void> {
    const { status } = await ask(
      new SipRequest('REGISTER', 'sip:127.0.0.1', [
        headerField('Max-Forwards', '70'),
        headerField('From', '<sip:scscf.home.example>;tag=1'),
        headerField('To', `<${BOB}>`),
        headerField('Call-ID', 'register-1'),
        headerField('CSeq', '1 REGISTER'),
        headerField('Contact', '<sip:scscf.home.example>'),
        headerField('Expires', '600'),
      ]),
    );
    expect(status).toBe(200);
  }

  /** Bob's client takes the session that comes to him. */
  async function taken(): Promise<{ readonly call: Call; readonly bob: MsrpPhone }> {
    await until('Bob is invited', async () => core.calls.size > 0, LIMIT_MS);
    const call = [...core.calls.values()][0] as Call;
    const bob = await phone('bob');
    bob.join(bodyOf(call.invite), true);
    const answer = (): void => call.respond(200, { sdp: bob.sdp('active') });
    const saying = setInterval(answer, 200);
    answer();
    await until('Bob has his ACK', async () => core.heard(call).includes('ACK'), LIMIT_MS);
    clearInterval(saying);
    return { call, bob };
  }

  it(
    'is taken, survives kill -9, and is had in order when he registers',
    async () => {
      await start();
      const { alice } = await chat();
      expect(await say(alice, 'one')).toBe(200);
      await alice.say(cpim({ id: 'typing', type: 'application/im-iscomposing+xml', text: '<isComposing/>' }));
      expect(await say(alice, 'two')).toBe(200);
      const kept = await server.get<Kept>('/api/deferred');
      expect(kept.messages.map(({ user, messageId }) => [user, messageId])).toEqual([
        [BOB, 'one'],
        [BOB, 'two'],
      ]);
      expect(kept.messages[0]?.conversationId).toBe(CONVERSATION);
      const gone = new Promise((resolve) => server.program.child.once('exit', resolve));
      server.program.child.kill('SIGKILL');
      await gone;
      server = await attach(scene, server.configFile);
      expect(core.calls.size).toBe(0);
      await register();
      const { call, bob } = await taken();
      const header = (name: string): string | undefined => call.invite.header(name);
      expect(header('p-asserted-identity')).toBe('<sip:alice@home.example>');
      expect(header('p-asserted-service')).toBe('urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session');
      expect([header('conversation-id'), header('contribution-id')]).toEqual([CONVERSATION, CONTRIBUTION]);
      expect([header('subject'), header('p-served-user')]).toEqual(['Supper', undefined]);
      expect(header('from')).toMatch(/^Alice <sip:alice@home\.example>;tag=/);
      const messages = await bob.messages(2, LIMIT_MS);
      expect(messages.map(({ text }) => parseCpimHead(text)?.imdnMessageId)).toEqual(['one', 'two']);
      expect(messages[0]?.text).toBe(cpim({ id: 'one', text: 'This is one' }));
      await until('nothing is kept', async () => (await server.metric('deferred_messages')) === 0, LIMIT_MS);
      // What Bob's client says of them reaches Alice, whose session is over.
      await bob.say(
        cpim({ id: 'n', type: 'message/imdn+xml', from: `<${BOB}>`, text: '<imdn>one</imdn>', asks: null }),
      );
      await until('Alice is told', async () => told.size === 1, LIMIT_MS);
      const [notification] = [...told.values()] as [SipRequest];
      expect([notification.uri, notification.header('p-asserted-identity')]).toEqual([
        'sip:alice@home.example',
        `<${BOB}>`,
      ]);
      expect(textOf(notification)).toContain('<imdn>one</imdn>');
      await until('the session is left', async () => core.heard(call).includes('BYE'), LIMIT_MS);
      expect(await server.counts('messages_total')).toMatchObject({ delivered: 2 });
      expect(core.calls.size).toBe(1);
    },
    TEST_MS,
  );

  it(
    'is told to its sender as failed when it expires',
    async () => {
      await start({ deferred: { lifetimeSeconds: 1 } });
      const { alice } = await chat();
      expect(await say(alice, 'late')).toBe(200);
      await until('Alice is told', async () => told.size === 1, LIMIT_MS);
      const [notification] = [...told.values()] as [SipRequest];
      expect(notification.uri).toBe('sip:alice@home.example');
      expect(textOf(notification)).toContain('<message-id>late</message-id>');
      expect(textOf(notification)).toContain('<failed/>');
      expect(await server.metric('deferred_messages')).toBe(0);
    },
    TEST_MS,
  );

  it(
    'is bounded: what there is no room for is refused, and is not kept twice',
    async () => {
      await start({ deferred: { perUser: 1 } });
      const { alice } = await chat();
      // Text, and nothing that is too long to be one.
      expect((await alice.say(cpim({ id: 'long', text: 'x'.repeat(20_000) }))).status).toBe(413);
      expect([await say(alice, 'one'), await say(alice, 'one'), await say(alice, 'two')]).toEqual([200, 200, 413]);
      expect((await server.get<Kept>('/api/deferred')).total).toBe(1);
    },
    TEST_MS,
  );

  it(
    'is tried again when he does not take it',
    async () => {
      await start({ deferred: { retry: { firstMs: 200, longestMs: 200 } } });
      const { alice } = await chat();
      await say(alice, 'one');
      await register();
      await until('Bob is invited', async () => core.calls.size === 1, LIMIT_MS);
      const [first] = [...core.calls.values()] as [Call];
      first.respond(480);
      await until('Bob is invited again', async () => core.calls.size === 2, LIMIT_MS);
      expect((await server.get<Kept>('/api/deferred')).total).toBe(1);
    },
    TEST_MS,
  );

  it(
    'is in his history once',
    async () => {
      await start();
      const { call, alice } = await chat();
      await say(alice, 'one');
      await entity.bye(call);
      const count = async (): Promise<number> => {
        const folder = `/api/history/${encodeURIComponent(BOB)}/${CONVERSATION}/${CONTRIBUTION}`;
        const { objects = [] } = await server.get<{ objects?: readonly { kind?: string }[] }>(folder);
        return objects.length;
      };
      await until('it is stored', async () => (await count()) > 1, LIMIT_MS);
      const before = await count();
      await register();
      const { bob } = await taken();
      await bob.messages(1, LIMIT_MS);
      await until('nothing is kept', async () => (await server.metric('deferred_messages')) === 0, LIMIT_MS);
      await until('the session is over', async () => (await server.metric('sessions')) === 0, LIMIT_MS);
      expect(await count()).toBe(before);
    },
    TEST_MS,
  );

  it.each([
    ['without a media section', {}, { media: undefined }],
    ['where no media pass here', { mediaPath: 'never' }, {}],
    ['where policy refuses', { noClient: 'reject' }, {}],
  ])(
    'is refused with 480 %s',
    async (_name, policy, more) => {
      await start(policy, more);
      expect((await entity.outcome(invite(await phone('alice')))).status).toBe(480);
    },
    TEST_MS,
  );
});
