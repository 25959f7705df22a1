/** Which IWF an INVITE goes to, by destination and by media, or why none (6.5). */
import { describe, expect, it } from '@jest/globals';
import { destinationOf } from '../../src/isf/reference/destination.ts';
import { type IwfName, selectIwf } from '../../src/isf/reference/selection.ts';
import { identityKey } from '../../src/sip/message/uri.ts';

const DIRECTORY = {
  mailDomains: ['mail.example'],
  also: new Map([[identityKey('tel:+15550188'), { number: undefined, mail: 'erin@mail.example' }]]),
};

const line = (...attributes: string[]): string =>
  ['m=message 2855 TCP/MSRP *', 'a=path:msrp://127.0.0.1:2855/x;tcp', ...attributes].join('\r\n');
const CHAT = line('a=accept-types:message/cpim', 'a=accept-wrapped-types:text/plain image/*');
const FILE = line('a=accept-types:image/png', 'a=file-selector:type:image/png size:5000');
const PICTURES = line('a=accept-types:message/cpim', 'a=accept-wrapped-types:image/png');
const TLS = CHAT.replace('TCP/MSRP', 'TCP/TLS/MSRP');
const AUDIO = 'm=audio 4000 RTP/AVP 0';
const REJECTED = CHAT.replace('2855', '0');
const sdp = (...lines: string[]): string =>
  `${['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines].join('\r\n')}\r\n`;

const BOTH: readonly IwfName[] = ['sms', 'email'];
const chosen = (uri: string, offer: string | undefined, there = BOTH): IwfName | number => {
  const choice = selectIwf(uri, offer, DIRECTORY, there);
  return typeof choice === 'string' ? choice : choice.status;
};

describe('by destination', () => {
  it.each([
    ['tel:+15550199', 'sms'],
    ['tel:+1-555-0199', 'sms'],
    ['tel:55501;phone-context=home.example', 'sms'],
    ['sip:+15550199@home.example;user=phone', 'sms'],
    ['mailto:carol@other.example', 'email'],
    ['mailto:carol@other.example?subject=x', 'email'],
    ['sip:carol@mail.example', 'email'],
    ['sip:carol@elsewhere.example', 404],
    ['sip:mail.example', 404],
    ['tel:nobody', 404],
    ['mailto:no-address', 404],
    ['im:carol@mail.example', 416],
    ['urn:service:sos', 416],
  ])('%s: %s', (uri, expected) => {
    expect(chosen(uri, sdp(CHAT))).toBe(expected);
  });

  it('an IWF that is not there is not chosen', () => {
    expect(chosen('tel:+15550199', sdp(CHAT), ['email'])).toBe(404);
    expect(chosen('mailto:carol@mail.example', sdp(CHAT), ['sms'])).toBe(404);
  });

  it.each([
    'mailto:a%0d%0aBcc:eve@x.example',
    'mailto:%3Ceve@x.example%3E',
    'mailto:a%20b@x.example',
    'mailto:a%00@x.example',
  ])('%s could end a line of mail or SMTP, and is no address', (uri) => {
    expect(destinationOf(uri, DIRECTORY)).toBe('unknown');
  });
});

describe('by media', () => {
  it.each([
    ['a chat', 'tel:+15550188', [CHAT], 'sms'],
    ['a file, which a telephone can not take', 'tel:+15550188', [FILE], 'email'],
    ['a stream for pictures alone', 'tel:+15550188', [PICTURES], 'email'],
    ['both: the first stream decides', 'tel:+15550188', [CHAT, FILE], 'sms'],
    ['what is rejected already does not count', 'tel:+15550188', [REJECTED, FILE], 'email'],
    ['a stream nobody takes is passed over', 'tel:+15550188', [AUDIO, CHAT], 'sms'],
    ['a file to somebody without a mailbox', 'tel:+15550199', [FILE], 488],
    ['audio', 'mailto:carol@mail.example', [AUDIO], 488],
    ['MSRP over TLS, which the function ends', 'mailto:carol@mail.example', [TLS], 488],
    ['nothing', 'mailto:carol@mail.example', [REJECTED], 488],
  ])('%s', (_what, uri, lines, expected) => {
    expect(chosen(uri, sdp(...lines))).toBe(expected);
  });

  it('an INVITE without an offer gets 488', () => {
    expect(chosen('tel:+15550199', undefined)).toBe(488);
  });
});
