/** The SMS IWF before an SMSC that behaves well, badly, or not at all. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { bodyOf } from '../../src/testing/index.ts';
import { IwfStage } from '../support/iwf-stage.ts';
import { until } from '../support/server.ts';
import { SimulatedSmsc } from '../support/smsc.ts';

const DAVE = 'tel:+15550199';
const FROM_NUMBER = [['P-Asserted-Identity', '<sip:alice@home.example>, <tel:+15550100>']] as const;

let smsc: SimulatedSmsc;
let stage: IwfStage;

async function start(sms: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): Promise<void> {
  smsc = await SimulatedSmsc.start();
  await stageBefore(sms, rest);
  await until('the SMSC is bound', async () => smsc.bound.length > 0);
}

async function stageBefore(sms: Record<string, unknown>, rest: Record<string, unknown> = {}): Promise<void> {
  const reconnect = { firstMs: 50, longestMs: 100 };
  const url = `smpp://127.0.0.1:${smsc.port}`;
  stage = await IwfStage.open({
    sms: { listen: 'udp:127.0.0.1:0', smsc: url, number: '55501', reconnect, ...sms },
    ...rest,
  });
}

afterEach(async () => {
  await stage.close();
  await smsc.close();
});

const submitted = (count: number): Promise<void> =>
  until(`${count} parts at the SMSC`, async () => smsc.submits.length >= count, 30_000);

describe('what a user writes', () => {
  it('reaches the SMSC in its alphabet, each letter of GSM 7 bit, and what has none of it in UCS-2', async () => {
    await start({ receipts: false });
    const chat = await stage.chat(DAVE, FROM_NUMBER);
    const letters = '@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà^{}\\[~]|€';
    expect(await chat.write(letters, 'a-1')).toBe(200);
    expect(await chat.write('Žluťoučký 😀', 'a-2')).toBe(200);
    await submitted(2);
    expect(smsc.submits.map(({ text, dataCoding }) => [text, dataCoding])).toEqual([
      [letters, 0],
      ['Žluťoučký 😀', 8],
    ]);
    expect(smsc.submits[0]).toMatchObject({ from: '15550100', to: '15550199', wantsReceipt: false, header: [] });
  });

  it('comes from the provider’s number where the writer has none, and the answer finds the one who wrote last', async () => {
    await start();
    const chat = await stage.chat(DAVE);
    await chat.write('Hi', 'a-1');
    await submitted(1);
    expect(smsc.submits[0]).toMatchObject({ from: '55501' });
    expect(
      await smsc.deliver({ from: '15550199', to: '55501', text: 'Who is it?', fields: { dest_addr_ton: 0 } }),
    ).toBe(0);
    await chat.heard('Who is it?');
  });

  it('in more parts than are allowed gets 413, and in as many goes', async () => {
    await start({ segments: 2 });
    const chat = await stage.chat(DAVE);
    expect(await chat.write('a'.repeat(307), 'a-1')).toBe(413);
    expect(await chat.write('a'.repeat(306), 'a-2')).toBe(200);
    await submitted(2);
    expect(smsc.submits.map(({ text }) => text).join('')).toBe('a'.repeat(306));
    // More than any text of so many parts can have is refused from its range alone.
    expect(await chat.write('a'.repeat(40_000), 'a-3')).toBe(413);
  });

  it('what is no text gets 415, and isComposing is left out', async () => {
    await start();
    const chat = await stage.chat(DAVE);
    const picture = { contentType: 'image/png', size: 4, read: () => Buffer.from('\x89PNG', 'latin1') };
    expect((await chat.phone.live.send(picture)).status).toBe(415);
    const composing = { contentType: 'application/im-iscomposing+xml', size: 1, read: () => Buffer.from('x') };
    expect((await chat.phone.live.send(composing)).status).toBe(200);
    expect(stage.count('sms.composingLeft')).toBe(1);
    expect(smsc.submits).toEqual([]);
  });
});

describe('what becomes of it', () => {
  it.each([
    ['DELIVRD', 'a-1 delivered'],
    ['UNDELIV', 'a-1 failed'],
  ])('a receipt %s is a notification: %s', async (state, told) => {
    await start();
    smsc.receipts = state;
    const chat = await stage.chat(DAVE);
    await chat.write('Hi', 'a-1');
    await chat.notified(told);
    expect(chat.notifications).toEqual([told]);
  });

  it('nobody is told what nobody asked for; a failure is reported by MSRP then', async () => {
    await start();
    smsc.receipts = 'UNDELIV';
    const chat = await stage.chat(DAVE);
    const report = new Promise<number>((resolve) => {
      chat.phone.live.onReport = (_id, status) => resolve(status);
    });
    await chat.write('Hi', 'a-1', { wants: '' });
    expect(await report).toBe(403);
    expect(chat.notifications).toEqual([]);
  });

  it('an SMSC that refuses it makes it fail, with the code in the log', async () => {
    await start();
    smsc.refusals.push(0x0b);
    const chat = await stage.chat(DAVE);
    expect(await chat.write('Hi', 'a-1')).toBe(200);
    await chat.notified('a-1 failed');
    expect(stage.log).toContainEqual(expect.objectContaining({ why: 'SMSC refused it with 0x0000000b' }));
  });

  it('an SMSC that has no room is asked again, in order', async () => {
    await start({ window: 1 });
    smsc.refusals.push(0x58);
    const chat = await stage.chat(DAVE);
    await Promise.all([chat.write('first', 'a-1'), chat.write('second', 'a-2')]);
    await submitted(2);
    expect(smsc.submits.map(({ text }) => text)).toEqual(['first', 'second']);
    expect(stage.count('sms.throttled')).toBe(1);
  });
});

describe('an SMSC that goes away', () => {
  it('is bound again, and what was written meanwhile goes then', async () => {
    await start();
    const chat = await stage.chat(DAVE);
    await smsc.away();
    await stage.happened('sms.bindsLost');
    expect(await chat.write('still there?', 'a-1')).toBe(200);
    expect(await stage.outcome(DAVE, chat.phone.sdp('actpass'))).toBe(503);
    await smsc.back();
    await submitted(1);
    expect(smsc.submits[0]?.text).toBe('still there?');
    expect(smsc.binds).toBe(2);
  });

  it('longer than a message can wait makes that fail', async () => {
    await start({ patienceMs: 100 });
    const chat = await stage.chat(DAVE);
    await smsc.away();
    await chat.write('still there?', 'a-1');
    await chat.notified('a-1 failed');
    expect(stage.log).toContainEqual(expect.objectContaining({ why: 'no answer of the SMSC in time', status: 408 }));
  });

  it('in the middle of an answer leaves it open whether it has the message: it fails and is not said twice', async () => {
    await start();
    const chat = await stage.chat(DAVE);
    smsc.answers = false;
    await chat.write('Hi', 'a-1');
    await until('it is on its way', async () => (stage.reference.held()['sms.submits'] ?? 0) === 1);
    smsc.cut();
    await chat.notified('a-1 failed');
    await stage.happened('sms.binds', 2);
    expect(smsc.submits).toEqual([]);
  });

  it('without a word is noticed by enquire_link', async () => {
    await start({ enquireMs: 50, responseMs: 200 });
    smsc.answers = false;
    await stage.happened('sms.bindsLost');
    await stage.happened('sms.binds', 2);
  });

  it('and refuses the bind is tried again, and new sessions get 503 until it takes it', async () => {
    smsc = await SimulatedSmsc.start();
    smsc.password = 'other';
    await stageBefore({});
    const phone = await stage.phone();
    await until('it was refused', async () => stage.log.some(({ msg }) => msg === 'SMSC refuses the bind'), 30_000);
    expect(stage.reference.notReady()).toEqual(['sms']);
    expect(await stage.outcome(DAVE, phone.sdp('actpass'))).toBe(503);
    smsc.password = '';
    await stage.happened('sms.binds');
    expect(stage.reference.notReady()).toEqual([]);
  });
});

describe('what the SMSC delivers', () => {
  it('in parts is one message, in order', async () => {
    await start();
    const chat = await stage.chat(DAVE, FROM_NUMBER);
    await chat.write('Hi', 'a-1');
    const part = (number: number, text: string) =>
      smsc.deliver({
        from: '15550199',
        to: '15550100',
        text: Buffer.concat([Buffer.from([5, 0, 3, 9, 2, number]), Buffer.from(text)]),
        fields: { esm_class: 0x40, data_coding: 0 },
      });
    expect(await part(2, 'and the end')).toBe(0);
    expect(await part(1, 'the beginning ')).toBe(0);
    await chat.heard('the beginning and the end');
  });

  it('of which a part never comes is told with what is missing marked', async () => {
    await start({ incomplete: { waitMs: 100 } });
    const chat = await stage.chat(DAVE, FROM_NUMBER);
    await chat.write('Hi', 'a-1');
    const text = Buffer.concat([Buffer.from([5, 0, 3, 9, 2, 1]), Buffer.from('the beginning')]);
    await smsc.deliver({ from: '15550199', to: '15550100', text, fields: { esm_class: 0x40, data_coding: 0 } });
    await chat.heard('the beginning[…]');
  });

  it('to a user without a session begins one', async () => {
    await start();
    stage.alice.conduct = () => 'silent';
    const delivering = smsc.deliver({ from: '15550177', to: '15550100', text: 'Hello' });
    const call = await stage.invited();
    expect(call.invite.uri).toBe('tel:+15550100');
    expect(call.invite.header('p-asserted-identity')).toBe('<tel:+15550177>');
    const phone = await stage.phone();
    call.respond(200, { sdp: phone.sdp('active') });
    phone.join(bodyOf(call.invite), true);
    expect(await delivering).toBe(0);
    expect((await phone.messages(1))[0]?.text).toMatch(/^From: <tel:\+15550177>\r\nTo: <tel:\+15550100>/);
  });

  it.each([
    [480, 0x64, 'to be kept by the SMSC'],
    [403, 0x65, 'for good'],
  ])('to a user who answers %i is refused with %i, %s', async (status, expected) => {
    await start();
    stage.alice.conduct = (invite) => {
      stage.alice.calls.get(invite.callId)?.respond(status);
      return 'silent';
    };
    expect(await smsc.deliver({ from: '15550177', to: '15550100', text: 'Hello' })).toBe(expected);
    expect(stage.reference.held()['sms.sessions']).toBe(0);
  });

  it('to the provider’s number from somebody nobody wrote to is refused', async () => {
    await start();
    expect(await smsc.deliver({ from: '15550177', to: '55501', text: 'Hello' })).toBe(0x65);
  });

  it('to a user who is reached by nothing but short messages does not go round in a circle', async () => {
    await start();
    // The function sends the invitation on to the ISF, with the Contribution-ID it came with.
    let comesBack = 0;
    stage.alice.conduct = (invite) => {
      const mark = invite.header('contribution-id') ?? '';
      void stage.outcome('tel:+15550100', bodyOf(invite), [['Contribution-ID', mark]]).then((status) => {
        comesBack = status;
        stage.alice.calls.get(invite.callId)?.respond(status);
      });
      return 'silent';
    };
    expect(await smsc.deliver({ from: '15550177', to: '15550100', text: 'Hello' })).toBe(0x65);
    expect(comesBack).toBe(482);
    expect(smsc.submits).toEqual([]);
  });
});

describe('a session', () => {
  it('ends by a BYE of ours after silence, and not while somebody writes', async () => {
    await start({}, { sessions: { idleMs: 1500 } });
    const chat = await stage.chat(DAVE);
    const begun = Date.now();
    for (let time = 0; Date.now() - begun < 2500; time++) {
      await chat.write('still here', `a-${time}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(stage.count('sms.ended.idle')).toBe(0);
    await until('Alice is told', async () => stage.alice.heard(chat.call).includes('BYE'), 30_000);
    expect(stage.count('sms.ended.idle')).toBe(1);
  });

  it('whose media never come, or go, ends', async () => {
    await start({}, { sessions: { reconnectMs: 200 } });
    const phone = await stage.phone();
    const call = stage.alice.invite({ uri: DAVE, sdp: phone.sdp('active') });
    expect((await stage.alice.outcome(call)).status).toBe(200);
    await until('Alice is told', async () => stage.alice.heard(call).includes('BYE'), 30_000);
    const chat = await stage.chat(DAVE);
    chat.phone.live.close();
    await until('Alice is told', async () => stage.alice.heard(chat.call).includes('BYE'), 30_000);
    expect(stage.count('sms.ended.mediaLost')).toBe(2);
  });

  it('too many at a time get 503; a re-INVITE that drops the stream ends it', async () => {
    await start({}, { sessions: { max: 1 } });
    const chat = await stage.chat(DAVE);
    expect(await stage.outcome(DAVE, chat.phone.sdp('actpass'))).toBe(503);
    const sdp = chat.phone.sdp('actpass');
    const same = await stage.alice.request(chat.call, 'INVITE', { sdp });
    expect(same.status).toBe(200);
    expect(bodyOf(same)).toMatch(/^m=message [1-9]/m);
    const answer = await stage.alice.request(chat.call, 'INVITE', {
      sdp: sdp.replace(/^m=message \d+/m, 'm=message 0'),
    });
    expect(answer.status).toBe(200);
    expect(bodyOf(answer)).toMatch(/^m=message 0 /m);
    await until('Alice is told', async () => stage.alice.heard(chat.call).includes('BYE'), 30_000);
    expect(stage.count('sms.ended.streamsGone')).toBe(1);
  });

  it('from a peer that is not trusted gets 403', async () => {
    await start({}, { sip: { trusted: ['10.0.0.0/8'] } });
    const phone = await stage.phone();
    expect(await stage.outcome(DAVE, phone.sdp('actpass'))).toBe(403);
  });
});
