/** Mails as they come and go: threads, quotations, delivery status (RFC 5322, RFC 3464). */
import { describe, expect, it } from '@jest/globals';
import { readDeliveryStatus } from '../../src/isf/reference/email/delivery-status.ts';
import { readMail } from '../../src/isf/reference/email/incoming.ts';
import { ownText } from '../../src/isf/reference/email/own-text.ts';
import { conversationIn, mailId, rootId } from '../../src/isf/reference/email/thread.ts';

const DOMAIN = 'chat.home.example';

describe('a thread', () => {
  it('Message-IDs hold the Conversation-ID, whatever is in it', () => {
    for (const id of ['f00d-1', 'a b@c/d<e>', 'ünï']) {
      const wanted = /^[\x21-\x7e]+$/.test(id) ? id : undefined;
      expect(mailId(id, 'abc', DOMAIN)).toMatch(/^<[\w.-]+@chat\.home\.example>$/);
      expect(conversationIn(`<other@x> ${mailId(id, 'abc', DOMAIN)}`, DOMAIN)).toBe(wanted);
      expect(conversationIn(rootId(id, DOMAIN), DOMAIN)).toBe(wanted);
    }
  });

  it('a long Conversation-ID is told by its hash, and a line with three of them is no longer than it may be', () => {
    expect(mailId('x'.repeat(4000), 'abc', DOMAIN).length).toBeLessThan(300);
  });

  it('Message-IDs of others, and ones that hold no Conversation-ID, name none', () => {
    expect(conversationIn(mailId('c', 'abc', 'evil.example'), DOMAIN)).toBeUndefined();
    expect(conversationIn(`<cpm-${Buffer.from('a\r\nb').toString('base64url')}@${DOMAIN}>`, DOMAIN)).toBeUndefined();
    expect(conversationIn(`<x@${DOMAIN}>`, DOMAIN)).toBeUndefined();
  });
});

describe('what is written anew', () => {
  it.each([
    ['above a quotation', 'Yes!\n\nOn Thu, 26 Nov 2026 at 11:00, Alice <a@x> wrote:\n> Lunch?\n> Soon?\n', 'Yes!'],
    [
      'an attribution over two lines',
      'Yes!\nOn Thu, 26 Nov 2026, Alice\n<alice@home.example> wrote:\n> Lunch?',
      'Yes!',
    ],
    ['in another language', 'Ja!\nAm 26.11.26 um 11:00 schrieb Alice:\n> Mittag?', 'Ja!'],
    ['a quotation without a lead-in', 'Yes!\n> Lunch?', 'Yes!'],
    ['a sentence of one’s own that ends in a colon', 'My answer:\n> Lunch?', 'My answer:'],
    ['above a copy', 'Yes!\n\n-----Original Message-----\nFrom: Alice\n\nLunch?', 'Yes!'],
    ['with a signature', 'Yes!\n-- \nBob\nHarbour Ltd', 'Yes!'],
    ['a signature behind the quotation', 'Yes!\nOn 26 Nov 2026 at 11:00 Alice wrote:\n> Lunch?\n-- \nBob', 'Yes!'],
    ['CRLF at its line ends', 'Yes!\r\n> Lunch?\r\n', 'Yes!'],
    ['nothing is quoted', 'a > b\nand so on', 'a > b\nand so on'],
  ])('%s', (_name, text, own) => {
    expect(ownText(text)).toBe(own);
  });

  it('answers between the lines of a quotation stay with them, since neither is clear alone', () => {
    const between = '> Lunch?\nYes\n> Where?\nHarbour';
    expect(ownText(between)).toBe(between);
  });

  it('a mail that is a quotation and nothing else is told whole', () => {
    expect(ownText('> Lunch?')).toBe('> Lunch?');
  });
});

describe('a delivery status', () => {
  it.each([
    ['delivered', 'delivered'],
    ['expanded', 'delivered'],
    ['failed', 'failed'],
    ['delayed', 'delayed'],
    ['relayed', 'unknown'],
  ])('Action: %s', (action, outcome) => {
    const text = `Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822;bob@x\r\nAction: ${action} (to mailbox)\r\nStatus: 5.1.1\r\n`;
    expect(readDeliveryStatus(text)).toEqual({ outcome, status: '5.1.1' });
  });

  it('without an action is none', () => {
    expect(readDeliveryStatus('Reporting-MTA: dns; mx\r\n\r\nStatus: 5.1.1\r\n')).toBeUndefined();
  });
});

const mail = (lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n'));

describe('a mail that comes in', () => {
  it('quoted-printable, encoded names and a charset of its own are read; attachments are named and left out', async () => {
    const read = await readMail(
      mail([
        'From: =?utf-8?Q?B=C3=B6b?= <Bob@Mail.Example>',
        'Message-ID: <1@mail.example>',
        'In-Reply-To: <a@x>',
        'References: <r@x> <a@x>',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain; charset=iso-8859-1',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'Gr=FC=DFe',
        '--b',
        'Content-Type: image/png; name="photo.png"',
        'Content-Disposition: attachment; filename="photo.png"',
        'Content-Transfer-Encoding: base64',
        '',
        'AAAA',
        '--b--',
        '',
      ]),
    );
    expect(read).toEqual({
      kind: 'message',
      from: 'bob@mail.example',
      text: 'Grüße\n[photo.png, 3 bytes, left out]',
      messageId: '<1@mail.example>',
      refersTo: '<a@x> <r@x> <a@x>',
    });
  });

  it('HTML alone becomes text, without what is in its scripts', async () => {
    const html =
      '<head><title>x</title></head><p>Yes &amp; no&#33;<script>alert("<b>")</script></p>12:30<br>Harbour' +
      '<blockquote>Lunch?<blockquote>a</blockquote>b</blockquote>';
    const read = await readMail(mail(['From: bob@mail.example', 'Content-Type: text/html', '', html]));
    expect(read).toMatchObject({ kind: 'message', text: 'Yes & no!\n12:30\nHarbour' });
  });

  it.each(['auto-replied', 'auto-generated; owner-email="x"'])(
    'Auto-Submitted: %s is nobody’s answer',
    async (said) => {
      expect(await readMail(mail(['From: bob@mail.example', `Auto-Submitted: ${said}`, '', 'Away']))).toEqual({
        kind: 'automatic',
      });
    },
  );

  it('without anybody in From it is nobody’s', async () => {
    expect(await readMail(mail(['Subject: x', '', 'hello']))).toEqual({ kind: 'automatic' });
  });
});
