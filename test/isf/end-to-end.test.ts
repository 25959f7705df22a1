/**
 * Alice, a CPM client, writes to people who have none: her function sends what leaves CPM to the reference ISF, and from
 * there it goes by SMTP to a real mail server, and by SMPP to an SMSC. Everything runs as its users run it: the function
 * and the ISF as programs, on loopback.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { parseCpimHead } from '../../src/cpim/cpim.ts';
import { readDelivery } from '../../src/cpim/imdn.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { bodyOf, type Call } from '../../src/testing/index.ts';
import { cpim } from '../support/cpim.ts';
import { EXIM, Exim } from '../support/exim.ts';
import { type Arrived, MsrpPhone } from '../support/msrp-phone.ts';
import { freePort, Scene } from '../support/processes.ts';
import { describeWith } from '../support/programs.ts';
import { type RunningIsf, runIsf } from '../support/reference-isf.ts';
import { type RunningServer, serve, until } from '../support/server.ts';
import { SimulatedSmsc } from '../support/smsc.ts';
import { UdpPhone } from '../support/udp-phone.ts';

const ALICE = 'sip:alice@home.example';
const NUMBER = 'tel:+15550100';
const CAROL = 'mailto:carol@mail.example';
const DAVE = 'tel:+15550199';
const ASSERTED = `<${ALICE}>, <${NUMBER}>`;

let scene: Scene;
let smsc: SimulatedSmsc;
let exim: Exim;
let isf: RunningIsf;
let pf: RunningServer;
let core: UdpPhone;
let alice: UdpPhone;
let phones: MsrpPhone[];

/** The whole scene is built once for several tests: programs take their time to start. */
function withScene(sessions: Record<string, unknown> = {}): void {
  beforeAll(() => start(sessions), 60_000);
  beforeEach(() => {
    phones = [];
    smsc.submits.length = 0;
  });
  afterEach(async () => {
    for (const phone of phones) await phone.close();
  });
  afterAll(async () => {
    alice.close();
    core.close();
    await smsc.close();
    await scene.close();
  });
}

async function start(sessions: Record<string, unknown>): Promise<void> {
  scene = new Scene();
  smsc = await SimulatedSmsc.start();
  const inbox = await freePort();
  exim = await Exim.start(scene, { inbox });
  core = await UdpPhone.open('core', '127.0.0.1:9');
  // Nobody outside has a CPM client: the core says so of each telephone number (policy.interworkOn). Alice has one.
  core.conduct = (invite) => {
    if (invite.uri.includes('alice') || invite.uri.includes('15550100')) return 'silent';
    core.calls.get(invite.callId)?.respond(404);
    return 'silent';
  };
  const pfPort = await freePort();
  isf = await runIsf(scene, {
    sip: { listen: ['udp:127.0.0.1:0'], core: `sip:127.0.0.1:${pfPort};lr` },
    reach: { 'tel:+15550188': ['erin@mail.example'] },
    sessions,
    sms: { listen: 'udp:127.0.0.1:0', smsc: `smpp://127.0.0.1:${smsc.port}`, number: '55501' },
    email: {
      listen: 'udp:127.0.0.1:0',
      domain: 'chat.home.example',
      smtp: { server: `127.0.0.1:${exim.port}` },
      inbox: { listen: `127.0.0.1:${inbox}` },
    },
  });
  pf = await serve(scene, {
    sip: { listen: [`udp:127.0.0.1:${pfPort}`], core: `sip:127.0.0.1:${core.port};lr` },
    policy: { mediaPath: 'always', defaultAllowOfflineStorage: true },
    media: { ports: '0' },
    isf: { routes: [`sip:${isf.at.isf};lr`] },
  });
  core.peer.pf = `127.0.0.1:${pfPort}`;
  alice = await UdpPhone.open('alice', core.peer.pf);
  await until('the SMSC is bound', async () => smsc.bound.length > 0);
}

async function msrpPhone(): Promise<MsrpPhone> {
  const phone = await MsrpPhone.open('alice');
  phones.push(phone);
  return phone;
}

let made = 0;

function invite(uri: string, sdp: string): { call: Call; mark: string } {
  const mark = `contribution-${++made}`;
  const call = alice.invite({
    uri,
    sdp,
    headers: [
      ['P-Asserted-Identity', ASSERTED],
      ['Contribution-ID', mark],
      ['Conversation-ID', `conversation-${mark}`],
    ],
  });
  return { call, mark };
}

/** The description of a session with one of its m-lines alone. */
function onlyLine(sdp: string, at: number): string {
  const [session = '', ...media] = sdp.split(/^(?=m=)/m);
  return session + media[at];
}

/** A chat of Alice's through her function. */
async function chatWith(uri: string): Promise<{ call: Call; phone: MsrpPhone; mark: string }> {
  const phone = await msrpPhone();
  const { call, mark } = invite(uri, phone.sdp('actpass'));
  const answer = await alice.outcome(call);
  expect(answer.status).toBe(200);
  const told = bodyOf(answer);
  phone.join(told, !/a=setup:active/.test(told));
  await until('the media are connected', async () => phone.session?.open === true);
  return { call, phone, mark };
}

const message = (text: string, id: string, to: string): string =>
  cpim(Buffer.from(text).toString('latin1'), { id, from: `<${ALICE}>`, to: `<${to}>` });

const contentOf = ({ text }: Arrived): string =>
  Buffer.from(text.slice(parseCpimHead(text)?.contentAt ?? 0), 'latin1').toString();
const texts = (phone: MsrpPhone): string[] =>
  phone.arrived.filter(({ text }) => parseCpimHead(text)?.contentType === 'text/plain').map(contentOf);
const delivered = (phone: MsrpPhone): string[] =>
  phone.arrived.flatMap((each) => {
    const told = readDelivery(contentOf(each));
    return told === undefined ? [] : [`${told.messageId} ${told.outcome}`];
  });

const heard = (what: string, of: () => readonly string[], wanted: string): Promise<void> =>
  until(`${what}: ${wanted}`, async () => of().includes(wanted), 30_000);

/** No session lives at the function, and what it has recorded is stored. */
async function ended(): Promise<void> {
  await until('the session is over', async () => (await pf.metric('sessions')) === 0, 30_000);
  await until('all is stored', async () => (await pf.metric('outbox_depth')) === 0, 30_000);
}

/** Message bodies in Alice's folder of a session, in order. */
async function recorded(mark: string): Promise<string[]> {
  const folder = `/api/history/${encodeURIComponent(ALICE)}/conversation-${mark}/${mark}`;
  const { objects } = await pf.get<{ objects: { uid: number; type: string }[] }>(folder);
  const chats = objects.filter(({ type }) => type.startsWith('message/cpim'));
  return Promise.all(
    chats.map(async ({ uid }) => {
      const stored = await (await fetch(`${pf.admin}${folder}/${uid}`)).text();
      const text = stored.slice(stored.indexOf('\r\n\r\n') + 4);
      return text.slice(parseCpimHead(text)?.contentAt ?? 0);
    }),
  );
}

/** One session with two streams, a chat and a file, to somebody who has a telephone and a mailbox. */
async function twoStreams(): Promise<{ call: Call; chat: MsrpPhone; file: MsrpPhone; offer: string; mark: string }> {
  const [chat, file] = [await msrpPhone(), await msrpPhone()];
  const [, second = ''] = file
    .sdp('actpass', ['a=sendonly', 'a=file-selector:name:"harbour.png" type:image/png size:5000'])
    .split(/^(?=m=)/m);
  const offer = chat.sdp('actpass') + second.replace('accept-types:message/cpim', 'accept-types:image/png');
  const { call, mark } = invite('tel:+15550188', offer);
  const answer = await alice.outcome(call);
  expect(answer.status).toBe(200);
  const told = bodyOf(answer);
  chat.join(onlyLine(told, 0), !/a=setup:active/.test(onlyLine(told, 0)));
  file.join(onlyLine(told, 1), !/a=setup:active/.test(onlyLine(told, 1)));
  await until('both streams are connected', async () => chat.session?.open === true && file.session?.open === true);
  await isf.sessions('sms', 1);
  await isf.sessions('email', 1);
  return { call, chat, file, offer, mark };
}

const picture = {
  contentType: 'image/png',
  size: 5000,
  read: (_at: number, length: number): Buffer => Buffer.alloc(length, 0x89),
};

describeWith([EXIM], 'Alice writes to people without a CPM client', () => {
  withScene();

  it('to a mail address: it arrives as a mail, its delivery is told, and the answer comes back', async () => {
    const { call, phone, mark } = await chatWith(CAROL);
    expect(await phone.say(message('Lunch at the harbour? Žluťoučký', 'a-1', CAROL))).toMatchObject({ status: 200 });
    const [mail = ''] = await exim.arrived('carol', 1);
    expect(mail).toMatch(/^From: alice@chat\.home\.example$/m);
    expect(mail).toMatch(/^To: carol@mail\.example$/m);
    // RFC 3461: the mail server tells of the mailbox that has it; to Alice that is a delivery notification.
    await heard('delivered', () => delivered(phone), 'a-1 delivered');

    const messageId = /^Message-ID: (.*)$/im.exec(mail)?.[1] ?? '';
    await exim.write({
      from: 'Carol <carol@mail.example>',
      to: 'alice@chat.home.example',
      subject: 'Re: Message',
      inReplyTo: messageId,
      references: messageId,
      text: 'Gladly, 12:30.\n\nOn Thu, 26 Nov 2026 at 11:00, <alice@chat.home.example> wrote:\n> Lunch at the harbour?\n',
    });
    await heard('the answer', () => texts(phone), 'Gladly, 12:30.');
    // Exim shuts its side behind QUIT; it must hear all the same that its mail was taken, or it would bring it again.
    await until('Exim is done with it', async () => /=> alice@\S+ .*C="250 taken"/.test(exim.log), 30_000);

    await phone.say(message('See you', 'a-2', CAROL));
    // A mailbox has no order within a second.
    const second = (await exim.arrived('carol', 2)).find((other) => other !== mail);
    expect(second).toMatch(/^Subject: Re: Message$/m);
    await alice.bye(call);
    await ended();
    await isf.sessions('email', 0);
    expect(await recorded(mark)).toEqual(
      expect.arrayContaining(['Lunch at the harbour? Žluťoučký', 'Gladly, 12:30.', 'See you']),
    );
  });

  it('to a phone number: it arrives as short messages, its delivery is told, and the answer comes back', async () => {
    const { call, phone, mark } = await chatWith(DAVE);
    const long = 'Running late, the ferry waits for fog. '.repeat(6);
    expect(await phone.say(message(long, 'a-1', DAVE))).toMatchObject({ status: 200 });
    await until('both parts are there', async () => smsc.submits.length === 2, 30_000);
    expect(smsc.submits.map(({ text }) => text).join('')).toBe(long);
    expect(smsc.submits[0]).toMatchObject({ from: '15550100', to: '15550199', wantsReceipt: true });
    for (const submit of smsc.submits) expect(await smsc.receipt(submit, 'DELIVRD')).toBe(0);
    await heard('delivered', () => delivered(phone), 'a-1 delivered');

    expect(await smsc.deliver({ from: '15550199', to: '15550100', text: 'No hurry €' })).toBe(0);
    await heard('the answer', () => texts(phone), 'No hurry €');
    await alice.bye(call);
    await ended();
    await isf.sessions('sms', 0);
    expect(await recorded(mark)).toEqual(expect.arrayContaining([long, 'No hurry €']));
  });

  it('a short message without a session invites her, and what she answers goes back', async () => {
    const phone = await msrpPhone();
    const delivering = smsc.deliver({ from: '15550177', to: '15550100', text: 'Is this Alice?' });
    const find = (): Call | undefined => [...core.calls.values()].find(({ invite }) => invite.uri.includes('15550100'));
    await until('she is invited', async () => find() !== undefined, 30_000);
    const call = find() as Call;
    expect(call.invite.header('p-asserted-identity')).toBe('<tel:+15550177>');
    const offer = bodyOf(call.invite);
    call.respond(200, { sdp: phone.sdp('active') });
    phone.join(offer, true);
    expect(await delivering).toBe(0);
    await heard('the text', () => texts(phone), 'Is this Alice?');
    await phone.say(message('It is', 'a-1', 'tel:+15550177'));
    await until('the answer is there', async () => smsc.submits.length === 1, 30_000);
    expect(smsc.submits[0]).toMatchObject({ from: '15550100', to: '15550177', text: 'It is' });
    expect((await core.bye(call)).status).toBe(200);
    await ended();
    await isf.sessions('sms', 0);
  });

  it('with two streams: the second goes to another IWF by a secondary session, both carry, and when Alice hangs up both are closed', async () => {
    const [smsEnded, mailEnded] = [await isf.count('sms.ended.peer'), await isf.count('email.ended.peer')];
    const { call, chat, file } = await twoStreams();
    expect(await chat.say(message('Look!', 'a-1', 'tel:+15550188'))).toMatchObject({ status: 200 });
    expect(await file.live.send(picture)).toMatchObject({ status: 200 });
    await until('the text is there', async () => smsc.submits.length === 1, 30_000);
    const [mail = ''] = await exim.arrived('erin', 1);
    expect(mail).toMatch(/^Content-Type: image\/png; name=attachment\.png$/m);
    await alice.bye(call);
    await ended();
    await isf.sessions('sms', 0);
    await isf.sessions('email', 0);
    expect(await isf.count('sms.ended.peer')).toBe(smsEnded + 1);
    expect(await isf.count('email.ended.peer')).toBe(mailEnded + 1);
  });
});

describeWith([EXIM], 'one session whose streams go to two IWFs, which have little patience with silence', () => {
  withScene({ idleMs: 4000 });

  it('when one IWF hangs up only its stream goes; when the other one does, the session', async () => {
    // Alice answers the re-INVITE that closes the stream herself.
    alice.answers = (request) => request.method !== 'INVITE';
    const { call, chat, file, offer } = await twoStreams();
    const reinvite = (): SipRequest | undefined =>
      alice.peer.received.find((each): each is SipRequest => each.kind === 'request' && each.method === 'INVITE');
    // The chat is silent and the picture stream is not, so the SMS IWF's deadline passes.
    await until(
      'a re-INVITE comes',
      async () => {
        await file.live.send({ ...picture, size: 10 });
        return reinvite() !== undefined;
      },
      30_000,
    );
    const asked = reinvite() as SipRequest;
    const told = bodyOf(asked);
    expect(onlyLine(told, 0)).toMatch(/^m=message 0 /m);
    expect(onlyLine(told, 1)).not.toMatch(/^m=message 0 /m);
    call.respond(200, { to: asked, sdp: offer.replace(/^m=message \d+/m, 'm=message 0') });
    await until('the function has acknowledged', async () => alice.heard(call).includes('ACK'), 30_000);
    expect(await isf.count('sms.ended.idle')).toBe(1);
    expect(await isf.held('email.sessions')).toBe(1);
    expect(await pf.metric('sessions')).toBe(1);
    expect(await file.live.send({ ...picture, size: 10 })).toMatchObject({ status: 200 });
    // Now nobody says anything any more.
    await until('Alice is told', async () => alice.heard(call).includes('BYE'), 30_000);
    await ended();
    await isf.sessions('email', 0);
    expect(await isf.count('email.ended.idle')).toBe(1);
    expect(chat.arrived).toHaveLength(0);
  });
});
