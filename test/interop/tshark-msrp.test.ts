/**
 * Wireshark's MSRP dissector, a reader of other people's making, over what the relay really put on the wire: each message
 * with its Byte-Range, flag and status, none malformed.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { CAPTURED_PORT, captureOf } from '../support/capture.ts';
import { type Chat, chat } from '../support/chat.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { contentOf, MsrpPhone } from '../support/msrp-phone.ts';
import { Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';

interface Dissected {
  /** True for what the function sent. */
  readonly ours: boolean;
  /** 40001 for Alice's connection, 40002 for Bob's. */
  readonly phone: number;
  readonly method: string;
  readonly status: string;
  readonly range: string;
  readonly messageId: string;
  readonly flag: string;
}

const FIELDS = [
  'tcp.srcport',
  'tcp.dstport',
  'msrp.method',
  'msrp.status.code',
  'msrp.byte.range',
  'msrp.messageid',
  'msrp.cnt.flg',
];

function tshark(file: string, ...rest: string[]): string[] {
  const decode = ['-d', `tcp.port==${CAPTURED_PORT},msrp`];
  const { status, stdout, stderr } = spawnSync('tshark', ['-r', file, ...decode, ...rest], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tshark: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

function dissected(file: string): Dissected[] {
  return tshark(file, '-Y', 'msrp', '-T', 'fields', ...FIELDS.flatMap((field) => ['-e', field])).map((line) => {
    const [from, to, method = '', status = '', range = '', messageId = '', flag = ''] = line.split('\t');
    const ours = Number(from) === CAPTURED_PORT;
    return { ours, phone: Number(ours ? to : from), method, status, range, messageId, flag };
  });
}

describeWith(['tshark'], 'what the relay sends, read by Wireshark', () => {
  let scene: Scene;
  let hosted: Hosted;
  let talking: Chat;
  let messages: Dissected[];

  const ours = (phone: number, method: string) =>
    messages.filter((message) => message.ours && message.phone === phone && message.method === method);

  /** The chat is had once: the tests read the same capture. */
  async function capture(): Promise<Dissected[]> {
    scene = new Scene();
    hosted = await host(scene, { policy: { mediaPath: 'always' }, media: { ports: '0' } });
    const phones = [await MsrpPhone.open('alice'), await MsrpPhone.open('bob')] as const;
    for (const phone of phones) phone.passed = [];
    talking = await chat(hosted.alice, hosted.bob, { phones });
    const { alice, bob } = talking;
    for (let at = 0; at < 20; at++) await alice.say('x'.repeat(100 + at), { messageId: `small-${at}` });
    // A large one is interrupted by small ones and by answers.
    const large = alice.live.send({ ...contentOf(Buffer.alloc(400_000, 'y')), messageId: 'large' });
    for (let at = 0; at < 5; at++) await bob.say('meanwhile', { messageId: `back-${at}`, successReport: true });
    expect(await large).toMatchObject({ status: 200 });
    bob.answerTo = ({ messageId }) => (messageId === 'refused' ? 415 : 200);
    expect(await alice.say('no', { messageId: 'refused' })).toMatchObject({ status: 415 });
    await bob.messages(21);
    const file = join(scene.folder, 'msrp.pcap');
    writeFileSync(file, captureOf(phones.map(({ passed }) => passed ?? [])));
    expect(tshark(file, '-Y', '_ws.malformed || _ws.expert.severity >= "Error" || msrp.status.code.invalid')).toEqual(
      [],
    );
    return dissected(file);
  }

  it('every message, its range, its flag and its status', async () => {
    try {
      messages = await capture();
    } finally {
      await Promise.all([talking?.alice.close(), talking?.bob.close()]);
      await hosted?.close();
      await scene?.close();
    }
    const [alice, bob] = [40_001, 40_002];
    const small = ours(bob, 'SEND').filter(({ messageId }) => messageId.startsWith('small'));
    expect(small.map(({ messageId, range, flag }) => [messageId, range, flag])).toEqual(
      Array.from({ length: 20 }, (_, at) => [`small-${at}`, `1-${100 + at}/${100 + at}`, '$']),
    );
    // Parts of the large one lie one behind the other, and the last one ends it.
    const parts = ours(bob, 'SEND').filter(({ messageId }) => messageId === 'large');
    expect(parts.map(({ flag }) => flag)).toEqual([...parts.slice(1).map(() => '+'), '$']);
    const starts = parts.map(({ range }) => Number(range.split('-')[0]));
    expect(starts[0]).toBe(1);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(parts.every(({ range }) => range.endsWith('/400000'))).toBe(true);
    // Each request of a phone has its answer, and each report its way.
    const requests = messages.filter(
      (message) => !message.ours && message.phone === alice && message.method === 'SEND',
    );
    const answers = messages.filter(({ ours: isOurs, phone, status }) => isOurs && phone === alice && status !== '');
    expect(answers).toHaveLength(requests.length);
    expect(answers.map(({ status }) => status).filter((status) => status !== '200')).toEqual(['415']);
    expect(ours(bob, 'REPORT').map(({ messageId }) => messageId)).toEqual([0, 1, 2, 3, 4].map((at) => `back-${at}`));
  });
});
