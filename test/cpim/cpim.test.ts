/** Heads of CPIM messages (RFC 3862, RFC 5438). */
import { describe, expect, it } from '@jest/globals';
import { composeCpim } from '../../src/cpim/compose.ts';
import { CPIM_HEAD_LIMIT, isComposing, isNotification, parseCpimHead } from '../../src/cpim/cpim.ts';
import { deliveryNotification, readDelivery } from '../../src/cpim/imdn.ts';
import { cpim } from '../support/cpim.ts';

describe('the head of a CPIM message', () => {
  it('says who, to whom, when, under which IMDN Message-ID and what', () => {
    const text = cpim('hello', { id: 'abc' });
    expect(parseCpimHead(text)).toEqual({
      from: 'Alice <sip:alice@home.example>',
      to: 'Bob <sip:bob@home.example>',
      dateTime: '2026-01-02T15:04:05Z',
      imdnMessageId: 'abc',
      contentType: 'text/plain',
      charset: 'utf-8',
      wishes: ['positive-delivery'],
      contentAt: text.length - 5,
    });
  });

  it('RFC 3862 3.4.1: the name space decides about the prefix, not its usual spelling', () => {
    const text = 'NS: x <urn:ietf:params:imdn>\r\nx.Message-ID: right\r\nimdn.Message-ID: wrong\r\n\r\n\r\n';
    expect(parseCpimHead(text)?.imdnMessageId).toBe('right');
    const unprefixed = 'NS: <urn:ietf:params:imdn>\r\nMessage-ID: right\r\n\r\n\r\n';
    expect(parseCpimHead(unprefixed)?.imdnMessageId).toBe('right');
  });

  it('RFC 3862 3.1: message headers are case-sensitive, those of the content are not', () => {
    const head = parseCpimHead('from: <sip:a@b>\r\n\r\ncontent-TYPE: Text/HTML; charset=x\r\n\r\n');
    expect(head).toMatchObject({ from: null, contentType: 'text/html' });
  });

  it('folded lines are one header; a content without a type is text/plain (RFC 2045 5.2)', () => {
    expect(parseCpimHead('From: Alice\r\n <sip:a@b>\r\n\r\n\r\nhi')).toMatchObject({
      from: 'Alice <sip:a@b>',
      contentType: 'text/plain',
    });
  });

  it('tells notifications and isComposing from what people write', () => {
    const of = (type: string) => parseCpimHead(cpim('', { type }))!;
    expect(isNotification(of('message/imdn+xml'))).toBe(true);
    expect(isComposing(of('application/im-iscomposing+xml; charset=utf-8'))).toBe(true);
    expect(isNotification(of('text/plain')) || isComposing(of('text/plain'))).toBe(false);
  });

  it.each([
    '',
    'hello',
    'From: x\r\n',
    'no colon\r\n\r\n\r\n\r\n',
    `From: ${'x'.repeat(CPIM_HEAD_LIMIT)}\r\n\r\n\r\n\r\n`,
  ])('what is none is none: %#', (text) => {
    expect(parseCpimHead(text)).toBeUndefined();
  });
});

describe('CPIM messages and notifications of ours', () => {
  it('are read back as they were meant, whatever stands in their names', () => {
    const text = composeCpim(
      {
        from: '<sip:alice@home.example>',
        to: '<tel:+1555>\r\nBcc: <sip:eve@evil.example>',
        dateTime: '2026-01-02T15:04:05Z',
        messageId: 'm-1',
        wishes: ['positive-delivery', 'negative-delivery'],
        contentType: 'text/plain; charset=utf-8',
      },
      Buffer.from('naïve'),
    ).toString('latin1');
    const head = parseCpimHead(text)!;
    expect(head).toMatchObject({ imdnMessageId: 'm-1', wishes: ['positive-delivery', 'negative-delivery'] });
    expect(head.to).toBe('<tel:+1555>  Bcc: <sip:eve@evil.example>');
    expect(Buffer.from(text.slice(head.contentAt), 'latin1').toString()).toBe('naïve');
  });

  it.each(['delivered', 'failed'] as const)('RFC 5438 7.2: %s', (outcome) => {
    const xml = deliveryNotification('<m&1>', outcome, { recipient: 'tel:+1555', dateTime: '2026-01-02T15:04:05Z' });
    expect(readDelivery(xml)).toEqual({ messageId: '<m&1>', outcome });
    expect(xml).toContain('<recipient-uri>tel:+1555</recipient-uri>');
  });

  it('a notification about something else is none of delivery', () => {
    expect(readDelivery('<imdn><message-id>a</message-id><display-notification/></imdn>')).toBeUndefined();
    expect(readDelivery('<!DOCTYPE x><imdn/>')).toBeUndefined();
  });
});
