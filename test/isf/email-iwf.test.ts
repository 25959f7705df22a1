/** The e-mail IWF before mail servers that take, refuse, delay and report (RFC 5321, RFC 3461, RFC 3464). */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { bodyOf } from '../../src/testing/index.ts';
import { IwfStage } from '../support/iwf-stage.ts';
import { MailServer } from '../support/mail-server.ts';
import { until } from '../support/server.ts';

const CAROL = 'mailto:carol@mail.example';
const CONVERSATION = [['Conversation-ID', 'f00d-1']] as const;

let server: MailServer;
let stage: IwfStage;
let inbox: { host: string; port: number };

async function start(email: Record<string, unknown> = {}, options = {}): Promise<void> {
  server = await MailServer.start(options);
  const { smtp, inbox: more, ...rest } = email as { smtp?: object; inbox?: object };
  stage = await IwfStage.open({
    email: {
      listen: 'udp:127.0.0.1:0',
      domain: 'chat.home.example',
      domains: ['mail.example'],
      smtp: { server: `127.0.0.1:${server.port}`, retry: { firstMs: 50, longestMs: 50 }, ...smtp },
      inbox: { listen: '127.0.0.1:0', ...more },
      ...rest,
    },
  });
  const [host = '', port = ''] = (stage.reference.addresses.inbox ?? '').split(':');
  inbox = { host, port: Number(port) };
}

afterEach(async () => {
  await stage.close();
  await server.close();
});

const taken = (count: number): Promise<void> =>
  until(`${count} mails`, async () => server.taken.length >= count, 30_000);
const headerOf = (text: string, name: string): string =>
  (new RegExp(`^${name}: ((?:.*)(?:\\r\\n[ \\t].*)*)`, 'im').exec(text)?.[1] ?? '').replace(/\r\n\s+/g, ' ');

/** A mail to the inbox; SMTP's answer, 250 or an error's. */
async function bring(mail: SendMailOptions): Promise<number> {
  const transport = createTransport({ ...inbox, ignoreTLS: true });
  try {
    await transport.sendMail({ from: 'carol@mail.example', to: 'alice@chat.home.example', ...mail });
    return 250;
  } catch (error) {
    return (error as { responseCode?: number }).responseCode ?? 0;
  } finally {
    transport.close();
  }
}

/** What a mail server reports to the sender of a mail's envelope. */
function report(to: string, action: string, status: string): Promise<number> {
  const parts = [
    '--r\r\nContent-Type: text/plain\r\n\r\nReport\r\n',
    `--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nAction: ${action}\r\nStatus: ${status}\r\n\r\n`,
    '--r--\r\n',
  ];
  const head =
    `From: MAILER-DAEMON@mail.example\r\nTo: ${to}\r\nMIME-Version: 1.0\r\n` +
    'Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n';
  return bring({ envelope: { from: '', to: [to] }, raw: head + parts.join('') });
}

describe('what a user writes', () => {
  beforeEach(() => start());

  it('is a mail from the user, in one thread, whose delivery is asked for', async () => {
    const chat = await stage.chat(CAROL, CONVERSATION);
    expect(await chat.write('Lunch? Žluťoučký', 'a-1')).toBe(200);
    expect(await chat.write('At the harbour', 'a-2')).toBe(200);
    await taken(2);
    const [first, second] = server.taken.map(({ text }) => text) as [string, string];
    expect(headerOf(first, 'From')).toBe('alice@chat.home.example');
    expect(headerOf(first, 'To')).toBe('carol@mail.example');
    expect(headerOf(first, 'Subject')).toBe('Message');
    expect(headerOf(second, 'Subject')).toBe('Re: Message');
    const root = `<cpm-${Buffer.from('f00d-1').toString('base64url')}@chat.home.example>`;
    expect(headerOf(first, 'References')).toBe(root);
    expect(headerOf(second, 'In-Reply-To')).toBe(headerOf(first, 'Message-ID'));
    expect(headerOf(second, 'References')).toBe(`${root} ${headerOf(first, 'Message-ID')}`);
    const envelope = server.taken[0]!.envelope;
    expect(envelope.mailFrom).toMatchObject({ address: expect.stringMatching(/^d-[0-9a-f]{24}@chat\.home\.example$/) });
    expect(envelope.rcptTo[0]?.dsn).toMatchObject({ notify: ['SUCCESS', 'FAILURE', 'DELAY'] });
    expect(envelope.dsn).toMatchObject({ ret: 'HDRS', envid: expect.stringMatching(/^[0-9a-f]{24}$/) });
  });

  it('that is a picture is an attachment', async () => {
    const chat = await stage.chat(CAROL);
    const picture = { contentType: 'image/png', size: 4, read: () => Buffer.from('\x89PNG', 'latin1') };
    expect((await chat.phone.live.send(picture)).status).toBe(200);
    await taken(1);
    expect(server.taken[0]?.text).toMatch(/Content-Type: image\/png; name=attachment\.png/);
    expect(server.taken[0]?.text).toContain('iVBORw==');
  });

  it('with lines that look like headers or like the end of a mail changes neither', async () => {
    const chat = await stage.chat(CAROL);
    await chat.write('x\r\n.\r\nBcc: eve@evil.example\r\n..y', 'a-1');
    await taken(1);
    expect(server.taken[0]?.envelope.rcptTo.map(({ address }) => address)).toEqual(['carol@mail.example']);
    expect(server.taken[0]?.text).toContain('\r\n\r\nx\r\n.\r\nBcc: eve@evil.example\r\n..y');
  });
});

describe('a message that is too large', () => {
  it('gets 413, and one that is not goes', async () => {
    await start({ maxBytes: 4096 });
    const chat = await stage.chat(CAROL);
    expect(await chat.write('x'.repeat(5000), 'a-1')).toBe(413);
    expect(await chat.write('x'.repeat(3000), 'a-2')).toBe(200);
    await taken(1);
  });
});

describe('what becomes of it', () => {
  it.each([
    ['delivered', '2.0.0', 'a-1 delivered'],
    ['failed', '5.1.1', 'a-1 failed'],
  ])('a status "%s" is a notification', async (action, status, told) => {
    await start();
    const chat = await stage.chat(CAROL);
    await chat.write('Lunch?', 'a-1');
    await taken(1);
    const envelope = server.taken[0]!.envelope;
    const address = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
    expect(await report(address, 'delayed', '4.0.0')).toBe(250);
    expect(await report(address, action, status)).toBe(250);
    await chat.notified(told);
    // A copy of the report, and one about something else, change nothing.
    expect(await report(address, action, status)).toBe(250);
    expect(await report(`d-${'0'.repeat(24)}@chat.home.example`, 'failed', '5.0.0')).toBe(250);
    expect(chat.notifications).toEqual([told]);
    expect(stage.count('email.statusUnknown')).toBe(2);
  });

  it('a server that refuses the recipient for good makes it fail: at once, and once', async () => {
    await start();
    server.refusals.push(550);
    const chat = await stage.chat(CAROL);
    expect(await chat.write('Lunch?', 'a-1')).toBe(200);
    await chat.notified('a-1 failed');
    expect(server.attempts).toBe(1);
    expect(stage.log).toContainEqual(expect.objectContaining({ status: 403, why: expect.stringContaining('550') }));
  });

  it('is reported by MSRP where no notification is asked for', async () => {
    await start();
    server.refusals.push(550);
    const chat = await stage.chat(CAROL);
    const reported = new Promise<string>((resolve) => {
      chat.phone.live.onReport = (id, status) => resolve(`${id} ${status}`);
    });
    await chat.write('Lunch?', 'a1', { wants: '' });
    expect(await reported).toBe('msrpa1 403');
  });

  it('a server that says "later" is asked again, until it takes it', async () => {
    await start();
    server.refusals.push(451, 421);
    const chat = await stage.chat(CAROL);
    await chat.write('Lunch?', 'a-1');
    await taken(1);
    expect(server.attempts).toBe(3);
    expect(chat.notifications).toEqual([]);
  });

  it('or until its sender has waited long enough', async () => {
    await start({ smtp: { patienceMs: 200 } });
    server.refusals.push(...Array.from({ length: 1000 }, () => 451));
    const chat = await stage.chat(CAROL);
    await chat.write('Lunch?', 'a-1');
    await chat.notified('a-1 failed');
    expect(stage.log).toContainEqual(expect.objectContaining({ status: 408 }));
    expect(server.taken).toEqual([]);
  });

  it('a server without RFC 3461 takes it, and nothing more is told', async () => {
    await start({}, { dsn: false });
    const chat = await stage.chat(CAROL);
    await chat.write('Lunch?', 'a-1');
    await taken(1);
    expect(server.taken[0]?.envelope.dsn).toBeUndefined();
    expect(chat.notifications).toEqual([]);
  });
});

describe('what is answered', () => {
  beforeEach(() => start());

  it('comes into the session, without what it quotes, and the next mail refers to it', async () => {
    const chat = await stage.chat(CAROL, CONVERSATION);
    await chat.write('Lunch?', 'a-1');
    await taken(1);
    const asked = headerOf(server.taken[0]?.text ?? '', 'Message-ID');
    const text = 'Gladly.\n\nOn Thu, 26 Nov 2026 at 11:00 Alice wrote:\n> Lunch?\n';
    expect(await bring({ messageId: '<c1@mail.example>', inReplyTo: asked, text })).toBe(250);
    await chat.heard('Gladly.');
    await chat.write('Good', 'a-2');
    await taken(2);
    expect(headerOf(server.taken[1]?.text ?? '', 'In-Reply-To')).toBe('<c1@mail.example>');
  });

  it('of two conversations with one person goes into the one it refers to', async () => {
    const [one, two] = [
      await stage.chat(CAROL, CONVERSATION),
      await stage.chat(CAROL, [['Conversation-ID', 'f00d-2']]),
    ];
    await one.write('one', 'a-1');
    await taken(1);
    await two.write('two', 'a-2');
    await taken(2);
    const references = headerOf(server.taken[0]?.text ?? '', 'Message-ID');
    await bring({ inReplyTo: references, references, text: 'to one' });
    await one.heard('to one');
    await bring({ text: 'to the last' });
    await two.heard('to the last');
    expect(one.texts).toEqual(['to one']);
  });

  it('by somebody else than it was written to does not come into the session, whatever it refers to', async () => {
    const chat = await stage.chat(CAROL, CONVERSATION);
    await chat.write('Lunch?', 'a-1');
    await taken(1);
    stage.alice.conduct = (invite) => {
      stage.alice.calls.get(invite.callId)?.respond(403);
      return 'silent';
    };
    const asked = headerOf(server.taken[0]?.text ?? '', 'Message-ID');
    expect(await bring({ from: 'eve@evil.example', inReplyTo: asked, text: 'It is me' })).toBe(550);
    expect(chat.texts).toEqual([]);
  });

  it('after the session is over begins another one of the same conversation', async () => {
    const chat = await stage.chat(CAROL, CONVERSATION);
    await chat.write('Lunch?', 'a-1');
    await taken(1);
    await chat.hangUp();
    stage.alice.conduct = () => 'silent';
    const asked = headerOf(server.taken[0]?.text ?? '', 'Message-ID');
    const bringing = bring({ inReplyTo: asked, text: 'Gladly' });
    const call = await stage.invited();
    expect(call.invite.uri).toBe('sip:alice@home.example');
    expect(call.invite.header('conversation-id')).toBe('f00d-1');
    expect(call.invite.header('p-asserted-identity')).toBe(`<${CAROL}>`);
    const phone = await stage.phone();
    call.respond(200, { sdp: phone.sdp('active') });
    phone.join(bodyOf(call.invite), true);
    expect(await bringing).toBe(250);
    expect((await phone.messages(1))[0]?.text).toContain('\r\n\r\nGladly');
  });

  it('by a machine, or about nothing of ours, is taken and told to nobody', async () => {
    const chat = await stage.chat(CAROL);
    await chat.write('Lunch?', 'a-1');
    await taken(1);
    expect(await bring({ headers: { 'Auto-Submitted': 'auto-replied' }, text: 'Away' })).toBe(250);
    expect(stage.count('email.automatic')).toBe(1);
    expect(chat.texts).toEqual([]);
  });
});

describe('the inbox', () => {
  it('refuses other domains, too many recipients at a time, and what is too large; a user who is away is told "later"', async () => {
    await start({ inbox: { maxBytes: 65_536 } });
    expect(await bring({ to: 'someone@other.example', text: 'x' })).toBe(550);
    expect(await bring({ text: 'x'.repeat(70_000) })).toBe(552);
    stage.alice.conduct = (invite) => {
      stage.alice.calls.get(invite.callId)?.respond(480);
      return 'silent';
    };
    expect(await bring({ text: 'x' })).toBe(450);
    const answers = await raw([
      'EHLO x',
      'MAIL FROM:<c@mail.example>',
      'RCPT TO:<a@chat.home.example>',
      'RCPT TO:<b@chat.home.example>',
      'QUIT',
    ]);
    expect(answers.at(-2)).toMatch(/^452 /);
  });

  it('takes mail from where it is allowed only', async () => {
    await start({ inbox: { from: ['10.0.0.0/8'] } });
    expect(await bring({ text: 'x' })).toBe(554);
  });

  it('answers a server that has shut its side behind QUIT, as Exim does', async () => {
    await start();
    const chat = await stage.chat(CAROL);
    await chat.write('Lunch?', 'a-1');
    const answers = await raw([
      'EHLO x',
      'MAIL FROM:<carol@mail.example>',
      'RCPT TO:<alice@chat.home.example>',
      'DATA',
      'From: carol@mail.example\r\n\r\nGladly\r\n.\r\nQUIT',
    ]);
    await chat.heard('Gladly');
    expect(answers.slice(-2)).toEqual([expect.stringMatching(/^250 taken/), expect.stringMatching(/^221 /)]);
  });
});

/** Lines said one after the other, the last with an end of what is sent; each final line of the answers. */
function raw(lines: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...inbox, allowHalfOpen: true });
    const answers: string[] = [];
    let said = 0;
    const say = (): void => {
      const line = lines[said++];
      if (line === undefined) return;
      if (said === lines.length) socket.end(`${line}\r\n`);
      else socket.write(`${line}\r\n`);
    };
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().split('\r\n')) {
        if (!/^\d{3} /.test(line)) continue;
        answers.push(line);
        say();
      }
    });
    socket.once('error', reject);
    socket.once('end', () => {
      socket.destroy();
      resolve(answers);
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no more is said: ${answers.join(' | ')}`)));
  });
}
