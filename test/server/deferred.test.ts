/** Pager-mode messages through the real server: kept, looked at, killed, delivered, told of. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseCpimHead } from '../../src/cpim/cpim.ts';
import { headerField } from '../../src/sip/message/header.ts';
import { SipRequest, type SipResponse } from '../../src/sip/message/message.ts';
import { serialize } from '../../src/sip/message/serialize.ts';
import { messageRequest, respond, textOf } from '../support/message.ts';
import { freePort, Scene } from '../support/processes.ts';
import { attach, PROJECT, type RunningServer, runCommand, serve, until } from '../support/server.ts';
import { CONTRIBUTION, CONVERSATION } from '../support/session.ts';
import { keyOf, UdpPhone } from '../support/udp-phone.ts';

const LIMIT_MS = 30_000;
const BOB = 'sip:bob@home.example';

interface Listed {
  readonly total: number;
  readonly messages: readonly { readonly id: string; readonly user: string; readonly messageId: string }[];
}

describe('messages for a user who is away', () => {
  let scene: Scene;
  let entity: UdpPhone;
  let core: UdpPhone;
  let server: RunningServer;
  /** What was delivered to Bob, and what came for Alice, by Call-ID: a copy is no second one. */
  const delivered = new Map<string, SipRequest>();

  beforeEach(async () => {
    delivered.clear();
    scene = new Scene();
    const port = await freePort();
    entity = await UdpPhone.open('entity', `127.0.0.1:${port}`);
    core = await UdpPhone.open('core', `127.0.0.1:${port}`);
    core.answers = (request) => {
      delivered.set(request.callId, request);
      respond(core.peer, request, 200);
      return false;
    };
    server = await serve(scene, {
      sip: { listen: [`udp:127.0.0.1:${port}`], core: `sip:127.0.0.1:${core.port};lr` },
      registrar: { driver: 'thirdParty' },
      policy: { noClient: 'defer', defaultAllowOfflineStorage: true },
    });
  });

  afterEach(async () => {
    entity.close();
    core.close();
    await scene.close();
  });

  /** A request of the entity's, said again until it is answered, as UDP needs it. */
  async function ask(request: SipRequest): Promise<SipResponse> {
    entity.peer.send(request, { to: entity.peer.pf });
    const again = setInterval(() => entity.peer.sendRaw(request), 500);
    try {
      return await entity.answerTo(keyOf(request));
    } finally {
      clearInterval(again);
    }
  }

  const write = (id: string, headers: [string, string][] = []) =>
    ask(messageRequest(entity.peer, 'term', { id, text: `This is ${id}`, headers: [...headers] }));

  function register(): Promise<SipResponse> {
    return ask(
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
  }

  function deferred<T>(...args: string[]): T {
    const { code, out, err } = runCommand(PROJECT, 'deferred', ...args, '--admin', server.admin, '--json');
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out) as T;
  }

  it('survive kill -9, arrive in order when he registers, and stand in his history', async () => {
    for (const id of ['one', 'two', 'three']) expect((await write(id)).status).toBe(202);
    expect((await server.get<Listed>('/api/deferred')).total).toBe(3);
    expect(await server.metric('deferred_messages')).toBe(3);
    const gone = new Promise((resolve) => server.program.child.once('exit', resolve));
    server.program.child.kill('SIGKILL');
    await gone;
    server = await attach(scene, server.configFile);
    expect(delivered.size).toBe(0);
    expect((await server.get<Listed>('/api/deferred?user=bob')).total).toBe(3);
    expect((await register()).status).toBe(200);
    await until('all are delivered', async () => (await server.metric('deferred_messages')) === 0, LIMIT_MS);
    expect([...delivered.values()].map((message) => parseCpimHead(textOf(message))?.imdnMessageId)).toEqual([
      'one',
      'two',
      'three',
    ]);
    expect(await server.counts('messages_total')).toMatchObject({ delivered: 3 });
    const folder = `/api/history/${encodeURIComponent(BOB)}/${CONVERSATION}/${CONTRIBUTION}`;
    await until(
      'all are stored',
      async () => {
        const { objects = [] } = await server.get<{ objects?: readonly unknown[] }>(folder);
        return objects.length === 3;
      },
      LIMIT_MS,
    );
  }, 90_000);

  it('can be listed and dropped, and the sender hears of it', async () => {
    await write('one');
    const { total, messages } = deferred<Listed>('list', '--user', 'bob');
    expect([total, messages[0]?.user, messages[0]?.messageId]).toEqual([1, BOB, 'one']);
    const id = messages[0]?.id ?? '';
    expect(deferred('drop', id)).toEqual({ dropped: id });
    expect(runCommand(PROJECT, 'deferred', 'drop', id, '--admin', server.admin).code).toBe(1);
    expect(runCommand(PROJECT, 'deferred', '--limit', 'many', '--admin', server.admin).code).toBe(2);
    expect(runCommand(PROJECT, 'deferred', '--admin', server.admin).out).toBe('no messages are kept\n');
    await until('the sender is told', async () => delivered.size === 1, LIMIT_MS);
    expect(textOf([...delivered.values()][0] as SipRequest)).toContain('<message-id>one</message-id>');
  }, 90_000);

  it('are delivered too when a reload of users.yaml gives him a client', async () => {
    const users = (clients: string) => scene.file('users.yaml', `users: {"${BOB}": {clients: [${clients}]}}\n`);
    const port = await freePort();
    const other = await serve(
      scene,
      {
        sip: { listen: [`udp:127.0.0.1:${port}`], core: `sip:127.0.0.1:${core.port};lr` },
        users: { driver: 'file', path: users('') },
        registrar: { driver: 'static' },
        policy: { noClient: 'defer' },
      },
      { name: 'static' },
    );
    entity.peer.pf = `127.0.0.1:${port}`;
    core.peer.pf = entity.peer.pf;
    expect((await write('one')).status).toBe(202);
    users('{contact: "sip:bob@127.0.0.1:6000", features: [msg]}');
    other.program.child.kill('SIGHUP');
    await until('it is delivered', async () => delivered.size === 1, LIMIT_MS);
    await until('nothing is kept', async () => (await other.metric('deferred_messages')) === 0, LIMIT_MS);
  }, 90_000);

  it('can be foreseen: policy explain says what a MESSAGE would get', () => {
    const file = scene.file('m.sip', Buffer.from(serialize(withVia(messageRequest(entity.peer, 'term')))).toString());
    const { code, out } = runCommand(PROJECT, 'policy', 'explain', file, '--admin', server.admin);
    expect(code).toBe(0);
    expect(out).toMatch(/^service {2}msg$/m);
    expect(out).toMatch(/^yes {2}noClientDefer/m);
    expect(out).toMatch(/^no {3}originatorBlacklisted +T-INV-3/m);
    expect(out).toMatch(/^then {5}kept\.waiting$/m);
    expect(out).toMatch(/^SIP\/2\.0 202 Accepted$/m);
  });
});

function withVia(request: SipRequest): SipRequest {
  request.prepend('Via', 'SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKexplained');
  return request;
}
