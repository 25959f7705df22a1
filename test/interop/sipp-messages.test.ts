/** SIPp writes pager-mode messages through `cpm-engine serve`: none fails, each is recorded once, nothing is left. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { nothingLeft, serve, until } from '../support/server.ts';
import { recv, scenario, send, startSipp } from '../support/sipp.ts';

const MESSAGES = 600;
const RATE = 200;
const SECONDS = 60;

const WRITER = scenario('writer', [
  send(
    [
      'MESSAGE sip:bob@home.example SIP/2.0',
      'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
      'Max-Forwards: 70',
      'From: <sip:alice@home.example>;tag=alice-[pid]-[call_number]',
      'To: <sip:bob@home.example>',
      'Call-ID: [call_id]',
      'CSeq: 1 MESSAGE',
      'P-Asserted-Identity: <sip:alice@home.example>',
      'P-Served-User: <sip:alice@home.example>;sescase=orig',
      'P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg',
      'Conversation-ID: conversation-1',
      'Contribution-ID: contribution-1',
      'Content-Type: message/cpim',
      'Content-Length: [len]',
      '',
      'From: <sip:alice@home.example>',
      'To: <sip:bob@home.example>',
      'NS: imdn <urn:ietf:params:imdn>',
      'imdn.Message-ID: m[call_number]',
      '',
      'Content-Type: text/plain',
      '',
      'Message [call_number]',
    ],
    'retrans="500"',
  ),
  recv(200),
]);

const READER = scenario('reader', [
  recv('MESSAGE'),
  send([
    'SIP/2.0 200 OK',
    '[last_Via:]',
    '[last_From:]',
    '[last_To:];tag=bob-[pid]-[call_number]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    'Content-Length: 0',
    '',
  ]),
]);

// Real programs in real time: a machine that stalls for half a second makes one give up. A defect fails every time.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

describeWith(['sipp'], 'SIPp, 200 messages a second', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.close());

  it(
    'each arrives, is answered and is recorded once',
    async () => {
      const [writing, reading] = [await freePort(), await freePort()];
      const server = await serve(scene, {
        sip: { core: `sip:127.0.0.1:${reading};lr` },
        policy: { defaultAllowOfflineStorage: true },
        timers: { t1: 100 },
      });
      scene.file('writer.xml', WRITER);
      scene.file('reader.xml', READER);
      const reader = startSipp(scene, 'reader.xml', { port: reading, seconds: 2 * SECONDS });
      const target = server.ports.udp ?? 0;
      const options = { port: writing, target, calls: MESSAGES, rate: RATE, seconds: SECONDS };
      await startSipp(scene, 'writer.xml', options).succeeds();
      await nothingLeft(server);
      await reader.program.end();
      expect(await server.counts('messages_total')).toMatchObject({ passed: MESSAGES, deferred: 0 });
      const folder = '/api/history/sip%3Aalice%40home.example/conversation-1/contribution-1';
      await until('all are stored', async () => {
        const { objects = [] } = await server.get<{ objects?: readonly unknown[] }>(folder);
        return objects.length === MESSAGES;
      });
    },
    3 * SECONDS * 1000,
  );
});
