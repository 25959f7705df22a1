/** URIs (RFC 3261 19.1 and 25.1, RFC 3966): taken apart, compared, and made identities of. */
import { describe, expect, it } from '@jest/globals';
import { identityKey, isSipUri, parseUri, type SipUri, sameUri, uriParam } from '../../../src/sip/message/uri.ts';

const sip = (text: string): SipUri => {
  const uri = parseUri(text);
  if (uri === undefined || !isSipUri(uri)) throw new Error(`not a SIP URI: ${text}`);
  return uri;
};

describe('a SIP URI', () => {
  const none = { user: undefined, password: undefined, port: undefined, params: '', headers: '' };

  it.each([
    ['sip:example.com', { ...none, host: 'example.com' }],
    ['SIPS:Example.COM', { ...none, scheme: 'sips', host: 'example.com' }],
    ['sip:alice@example.com', { ...none, user: 'alice', host: 'example.com' }],
    ['sip:alice:secret@example.com', { ...none, user: 'alice', password: 'secret', host: 'example.com' }],
    ['sip:alice:@example.com', { ...none, user: 'alice', password: '', host: 'example.com' }],
    ['sip:a;b?c/d&e=f+g$h,i@example.com', { ...none, user: 'a;b?c/d&e=f+g$h,i', host: 'example.com' }],
    ['sip:a;b:c:d@example.com', { ...none, user: 'a;b', password: 'c:d', host: 'example.com' }],
    [
      'sip:+1-555(0100)@gw.example;user=phone',
      { ...none, user: '+1-555(0100)', host: 'gw.example', params: ';user=phone' },
    ],
    ['sip:a%40b@c', { ...none, user: 'a%40b', host: 'c' }],
    ['sip:%00@host5.example.com', { ...none, user: '%00', host: 'host5.example.com' }],
    ['sip:10.0.0.1:5060', { ...none, host: '10.0.0.1', port: 5060 }],
    ['sip:a@b:65535', { ...none, user: 'a', host: 'b', port: 65535 }],
    ['sip:[2001:DB8::1]', { ...none, host: '[2001:db8::1]' }],
    ['sip:a@[::1]:5061;lr', { ...none, user: 'a', host: '[::1]', port: 5061, params: ';lr' }],
    ['sip:a@[::ffff:10.0.0.1]', { ...none, user: 'a', host: '[::ffff:10.0.0.1]' }],
    ['sip:h;lr;transport=tcp', { ...none, host: 'h', params: ';lr;transport=tcp' }],
    ['sip:h?Subject=x&to=y', { ...none, host: 'h', headers: '?Subject=x&to=y' }],
    ['sip:h;a=[/:&+$]?x=[/?:+$]', { ...none, host: 'h', params: ';a=[/:&+$]', headers: '?x=[/?:+$]' }],
    ["sip:u_n-d.e!r~s*c'o(r)e@a_b.example", { ...none, user: "u_n-d.e!r~s*c'o(r)e", host: 'a_b.example' }],
    ['sip:bj\xc3\xb6rn@example.com', { ...none, user: 'bj\xc3\xb6rn', host: 'example.com' }],
  ])('RFC 3261 19.1.1: %s is taken apart', (text, parts) => {
    expect(parseUri(text)).toEqual({ scheme: 'sip', ...parts, text });
  });

  it.each([
    ['nothing behind the colon', 'sip:'],
    ['no host', 'sip:alice@'],
    ['an empty user', 'sip:@example.com'],
    ['a password without a user', 'sip::secret@example.com'],
    ['two hosts', 'sip:alice@example.com@evil.example'],
    ['an @ in a parameter', 'sip:example.com;x=a@b;lr@evil.example'],
    ['a space', 'sip:alice @example.com'],
    ['a tab in a parameter', 'sip:example.com;\tlr'],
    ['NUL', 'sip:alice\0@example.com'],
    ['another control character', 'sip:ali\x07ce@example.com'],
    ['DEL in the host', 'sip:alice@exam\x7fple.com'],
    ['an angle bracket', 'sip:<alice@example.com'],
    ['a quote', 'sip:"alice"@example.com'],
    ['a comma in the host', 'sip:alice@a,b'],
    ['an unfinished escape', 'sip:alice%4@example.com'],
    ['an escape of no hexadecimal digits', 'sip:%zz@example.com'],
    ['an escape in the host', 'sip:alice@exam%70le.com'],
    ['an empty port', 'sip:example.com:'],
    ['port zero', 'sip:example.com:0'],
    ['a port above 65535', 'sip:example.com:65536'],
    ['a port of six digits', 'sip:example.com:005060'],
    ['a port of letters', 'sip:example.com:sip'],
    ['a bare IPv6 address', 'sip:2001:db8::1'],
    ['an open bracket', 'sip:[2001:db8::1'],
    ['a bracket around a name', 'sip:[example]'],
    ['a parameter without a name', 'sip:example.com;=x'],
    ['text behind the host', 'sip:example.com/path'],
    ['no scheme', 'alice@example.com'],
    ['a scheme that begins with a digit', '1sip:example.com'],
    ['a space in front', ' sip:example.com'],
    ['nothing at all', ''],
  ])('RFC 3261 25.1: with %s is none', (_, text) => {
    expect(parseUri(text)).toBeUndefined();
  });
});

describe('a URI of another scheme', () => {
  it.each(['tel:+1-555-0100;phone-context=x', 'im:bob@example.com', 'mailto:carol@mail.example?subject=x', 'urn:a:b'])(
    'passes as it is: %s',
    (text) => {
      expect(parseUri(text)).toEqual({ scheme: text.slice(0, text.indexOf(':')), text });
    },
  );

  it.each(['tel:', 'tel:+1 555', 'mailto:<a@b>', 'im:"bob"@x', 'urn:a\0b', 'urn:a\nb'])('is none: %j', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });

  it('has a scheme in any case', () => {
    expect(parseUri('TEL:+15550100')?.scheme).toBe('tel');
  });
});

describe('a parameter of a URI', () => {
  it.each([
    [';lr', 'lr', ''],
    [';LR', 'lr', ''],
    [';lr=on', 'lr', 'on'],
    [';Transport=TCP', 'transport', 'TCP'],
    [';a=1;a=2', 'a', '1'],
    [';%6C%72', 'lr', ''],
    [';n%61me=v%61lue%25%34%31', 'name', 'value%41'],
    [';x=%3Bmaddr=evil', 'maddr', undefined],
    [';lrx', 'lr', undefined],
    ['', 'lr', undefined],
  ])('RFC 3261 19.1.1, RFC 4475 3.1.1.3: in %j, %s is %j', (params, name, value) => {
    expect(uriParam(sip(`sip:h${params}`), name)).toBe(value);
  });
});

describe('sameUri', () => {
  const SAME: readonly (readonly [string, string])[] = [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    ['sip:carol@chicago.com;newparam=5', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['sip:a@h;%6C%72;x=%41', 'sip:a@h;lr;x=a'],
    ['sip:a:%70w@h', 'sip:a:pw@h'],
    ['SIP:a@h', 'sip:a@h'],
    ['sip:a@[2001:DB8::1]', 'sip:a@[2001:db8::1]'],
    ['tel:+1-555-0100', 'tel:+1(555)0100'],
    ['tel:7042;phone-context=Example.com;ext=1', 'tel:70-42;ext=1;phone-context=example.com'],
    ['tel:7042;phone-context=+1-914', 'tel:7042;phone-context=+1914'],
    ['mailto:Carol@mail.example', 'MAILTO:carol@Mail.example'],
  ];
  const DIFFERENT: readonly (readonly [string, string])[] = [
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@h', 'sips:a@h'],
    ['sip:a@h', 'sip:h'],
    ['sip:a@h', 'sip:a:@h'],
    ['sip:a:pw@h', 'sip:a:PW@h'],
    ['sip:a@h;maddr=10.0.0.1', 'sip:a@h'],
    ['sip:a@h;ttl=1', 'sip:a@h'],
    ['sip:a@h;user=phone', 'sip:a@h'],
    ['sip:a@h?x=1', 'sip:a@h?x=1&y=2'],
    ['sip:%00@host5.example.com', 'sip:%00%00@host5.example.com'],
    ['tel:+15550100', 'tel:15550100'],
    ['tel:7042;phone-context=a.example', 'tel:7042;phone-context=b.example'],
    ['tel:+15550100', 'tel:+15550100;ext=1'],
    ['tel:+15550100', 'sip:+15550100@h;user=phone'],
    ['sip:', 'sip:a@h'],
  ];

  it.each(SAME)('RFC 3261 19.1.4, RFC 3966 4: %s is %s', (left, right) => {
    expect([sameUri(left, right), sameUri(right, left), sameUri(left, left)]).toEqual([true, true, true]);
  });

  it.each(DIFFERENT)('RFC 3261 19.1.4, RFC 3966 4: %s is not %s', (left, right) => {
    expect([sameUri(left, right), sameUri(right, left)]).toEqual([false, false]);
  });
});

describe('identityKey', () => {
  it.each([
    ['escapes and the case of the host', 'sip:%61lice@Home.Example', 'sip:alice@home.example'],
    ['sip and sips', 'sips:alice@home.example', 'sip:alice@home.example'],
    ['parameters and headers', 'sip:alice@home.example;transport=tcp?x=y', 'sip:alice@home.example'],
    ['a password', 'sip:alice:pw@home.example', 'sip:alice@home.example'],
    ['tel and sip with user=phone', 'tel:+1-555-0100', 'sip:+15550100@gw.example;user=phone'],
    ['hosts of a global number', 'sip:+15550100@a.example;user=phone', 'sip:+1.555.0100@b.example;USER=Phone'],
    ['parameters of a global number', 'tel:+15550100;x=y', 'tel:+15550100'],
    ['an escaped plus', 'sip:%2B15550100@a.example;user=phone', 'tel:+15550100'],
    ['a local number and its context', 'tel:70-42;phone-context=Home.Example', 'tel:7042;phone-context=home.example'],
    ['a local number at its host', 'sip:7042@home.example;user=phone', 'tel:7042;phone-context=home.example'],
    [
      'a local number with its context in a sip URI',
      'sip:7042;phone-context=+1-914@h;user=phone',
      'tel:7042;phone-context=+1914',
    ],
    ['other schemes in any case', 'mailto:Carol@Mail.Example', 'MAILTO:carol@mail.example'],
  ])('A-36: is the same for %s', (_, left, right) => {
    expect(identityKey(left)).toBe(identityKey(right));
  });

  it.each([
    ['users that differ in case', 'sip:Alice@home.example', 'sip:alice@home.example'],
    ['hosts', 'sip:alice@home.example', 'sip:alice@away.example'],
    ['ports', 'sip:alice@home.example:5070', 'sip:alice@home.example'],
    ['a user and none', 'sip:alice@home.example', 'sip:home.example'],
    ['one NUL and two', 'sip:%00@h', 'sip:%00%00@h'],
    ['numbers', 'tel:+15550100', 'tel:+15550101'],
    ['a number and a name', 'sip:+15550100@h', 'tel:+15550100'],
    ['the same local number in two networks', 'sip:7042@home.example;user=phone', 'sip:7042@evil.example;user=phone'],
    ['a local number in two contexts', 'tel:7042;phone-context=a.example', 'tel:7042;phone-context=b.example'],
  ])('RFC 3966 5.1.5: differs for %s', (_, left, right) => {
    expect(identityKey(left)).not.toBe(identityKey(right));
  });

  it('leaves what is no URI as it is', () => {
    expect(identityKey('not a uri')).toBe('not a uri');
  });
});
