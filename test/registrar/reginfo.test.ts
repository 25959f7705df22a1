/** RFC 3680 documents, whole and in parts, with the GRUUs of RFC 5628. */
import { describe, expect, it } from '@jest/globals';
import { RegInfo } from '../../src/registrar/reginfo.ts';
import { contact, reginfo, registration } from '../support/reg-notifier.ts';

const BOB = 'sip:bob@home.example';
const TEL = 'tel:+15550177';

function having(...documents: string[]): RegInfo {
  const info = new RegInfo();
  for (const document of documents) info.apply(document);
  return info;
}

function instances(info: RegInfo): string[] {
  return info.state.clients.map(({ instance }) => instance);
}

describe('reginfo', () => {
  it('A-39: tells addresses, devices with their features, and how long they last', () => {
    const both = contact('1') + contact('2', { expires: 60, more: '<unknown-param name="video"/>' });
    const { state } = having(reginfo(0, 'full', registration(BOB, both) + registration(TEL, both, 'r2')));
    expect(state).toEqual({
      addresses: [BOB, TEL],
      clients: [
        { instance: '<urn:uuid:1>', services: ['session'], media: ['message'] },
        { instance: '<urn:uuid:2>', services: ['session'], media: ['message', 'video'] },
      ],
      lifetimes: [3600, 60],
    });
  });

  it('RFC 5628: a device is known by its GRUU where it does not say its instance', () => {
    const gruu =
      '<contact id="7" state="active" event="registered"><uri>sip:b@x</uri><gr:pub-gruu uri="sip:bob@home.example;gr=urn:uuid:7"/></contact>';
    expect(instances(having(reginfo(0, 'full', registration(BOB, gruu))))).toEqual(['<urn:uuid:7>']);
  });

  it.each(['expired', 'unregistered', 'deactivated', 'rejected', 'probation'])(
    'a contact that is %s goes, the others stay',
    (event) => {
      const gone = registration(BOB, contact('1', { state: 'terminated', event }));
      const info = having(
        reginfo(0, 'full', registration(BOB, contact('1') + contact('2'))),
        reginfo(1, 'partial', gone),
      );
      expect(instances(info)).toEqual(['<urn:uuid:2>']);
    },
  );

  it('a registration that is terminated takes its contacts with it; a full document forgets what it does not name', () => {
    const info = having(
      reginfo(0, 'full', registration(BOB, contact('1'))),
      reginfo(1, 'partial', registration(BOB, '', 'r1', 'terminated')),
    );
    expect(info.state).toEqual({ addresses: [], clients: [], lifetimes: [] });
    info.apply(reginfo(5, 'full', registration(TEL, contact('3'), 'r9')));
    expect(info.state.addresses).toEqual([TEL]);
  });

  it('RFC 3680 5.1: old versions are passed over, a gap and a part without the whole are told', () => {
    const info = new RegInfo();
    const one = registration(BOB, contact('1'));
    expect(info.apply(reginfo(0, 'partial', one))).toBe('gap');
    expect(info.apply(reginfo(3, 'full', one))).toBe('applied');
    expect(info.apply(reginfo(3, 'partial', ''))).toBe('old');
    expect(info.apply(reginfo(5, 'partial', ''))).toBe('gap');
    expect(info.apply(reginfo(4, 'partial', ''))).toBe('applied');
  });

  it.each([
    '',
    '<reginfo/>',
    '<a version="1"/>',
    '<!DOCTYPE a><reginfo version="1"/>',
    '<reginfo version="1"><x></reginfo>',
  ])('what is none is refused: %s', (text) => {
    expect(() => new RegInfo().apply(text)).toThrow();
  });
});
