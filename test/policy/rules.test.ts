/** Policy rules: which apply to a session, what they make of the policy, and how it is told. */
import { describe, expect, it } from '@jest/globals';
import { addressOf, addressPattern } from '../../src/policy/address-pattern.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { spanTest, type TimeSpan } from '../../src/policy/local-time.ts';
import { appliedRules, RuledPolicy } from '../../src/policy/ruled-policy.ts';
import type { Conditions, PolicyQuestion, PolicyRule } from '../../src/policy/rules.ts';

const QUESTION: PolicyQuestion = {
  role: 'orig',
  service: 'session',
  user: 'sip:alice@home.example',
  destination: 'sip:bob@partner.example',
  originators: ['sip:alice@home.example', 'tel:+15550100'],
  media: ['message'],
  at: Date.parse('2026-11-26T11:30:00Z'),
};

const GOLD = (address: string): string | null => (address === 'sip:alice@home.example' ? 'gold' : null);

function appliesTo(
  conditions: { when?: Conditions; unless?: Conditions },
  more: Partial<PolicyQuestion> = {},
): boolean {
  const policies = new RuledPolicy(DEFAULT_POLICY, [{ name: 'one', ...conditions, set: { noClient: 'reject' } }], GOLD);
  return policies.choose({ ...QUESTION, ...more }).noClient === 'reject';
}

describe('conditions', () => {
  it.each<[Conditions, boolean]>([
    [{}, true],
    [{ role: 'orig' }, true],
    [{ role: 'term' }, false],
    [{ service: ['session'] }, true],
    [{ service: ['session.group'] }, false],
    [{ userClass: ['silver', 'gold'] }, true],
    [{ userClass: ['silver'] }, false],
    [{ media: ['audio', 'message'] }, true],
    [{ media: ['audio'] }, false],
    [{ destination: ['*.example'] }, true],
    [{ destination: ['home.example'] }, false],
    [{ originator: ['tel:+1*'] }, true],
    [{ originator: ['sip:carol@*'] }, false],
    [{ role: 'orig', media: ['message'], destination: ['sip:*'] }, true],
    [{ role: 'orig', media: ['audio'], destination: ['sip:*'] }, false],
  ])('%j: %s', (when, expected) => {
    expect(appliesTo({ when })).toBe(expected);
    expect(appliesTo({ unless: when })).toBe(!expected);
  });

  it('a late offer has no media, and a user without a class is in none', () => {
    expect(appliesTo({ when: { media: ['message'] } }, { media: null })).toBe(false);
    expect(appliesTo({ when: { userClass: ['gold'] } }, { user: 'sip:bob@home.example' })).toBe(false);
  });

  it('the class of a user is looked up once a session, and only where a rule asks for it', () => {
    let asked = 0;
    const classOf = (): null => {
      asked++;
      return null;
    };
    const rule = (name: string, when: Conditions): PolicyRule => ({ name, when, set: {} });
    const byClass = [rule('a', { userClass: ['gold'] }), rule('b', { userClass: ['silver'] })];
    new RuledPolicy(DEFAULT_POLICY, byClass, classOf).choose(QUESTION);
    expect(asked).toBe(1);
    new RuledPolicy(DEFAULT_POLICY, [rule('c', { role: 'orig' })], classOf).choose(QUESTION);
    expect(asked).toBe(1);
  });
});

describe('address patterns', () => {
  const matches = (pattern: string, address: string): boolean => addressPattern(pattern).matches(addressOf(address));

  it.each([
    ['tel:+49*', 'tel:+49-30-123', true],
    ['tel:+49*', 'sip:+4930123@x.example;user=phone', true],
    ['tel:+49*', 'tel:+4330123', false],
    ['sip:*@partner.example', 'sip:bob@PARTNER.example;transport=tcp', true],
    ['SIP:Bob@partner.example', 'sip:bob@partner.example', true],
    ['sip:*@partner.example', 'sips:bob@partner.example', true],
    ['sips:*', 'sip:bob@partner.example', false],
    ['sips:*', 'sips:bob@partner.example', true],
    ['mailto:', 'mailto:carol@mail.example', true],
    ['mailto:', 'sip:mailto@mail.example', false],
    ['mail.example', 'mailto:carol@mail.example?subject=a', true],
    ['*.partner.example', 'sip:bob@a.b.partner.example', true],
    ['*.partner.example', 'sip:bob@partner.example', false],
    ['partner.example', 'sip:bob@evilpartner.example', false],
    ['partner.example', 'tel:+49', false],
    ['*', 'tel:+49', true],
    ['sip:b*b@p*r.example', 'sip:bob@partner.example', true],
    ['sip:bo*ob@partner.example', 'sip:bob@partner.example', false],
  ])('%s and %s: %s', (pattern, address, expected) => {
    expect(matches(pattern, address)).toBe(expected);
  });

  it('what is no pattern is none', () => {
    for (const text of ['', 'a b', 'sip:ä', 'x'.repeat(257)]) expect(() => addressPattern(text)).toThrow(TypeError);
  });

  it('hostile: many stars against a long address take no time, and a long one is still known by both its ends', () => {
    const long = `sip:${'a'.repeat(60_000)}@partner.example`;
    const stars = addressPattern(`${'*a'.repeat(120)}:b`);
    const address = addressOf(long);
    const began = performance.now();
    for (let round = 0; round < 1000; round++) expect(stars.matches(address)).toBe(false);
    // A backtracking match would not end at all.
    expect(performance.now() - began).toBeLessThan(5000);
    expect(matches('sip:aaa*', long) && matches('*@partner.example:*', long)).toBe(false);
    expect(matches('sip:aaa*@partner.example', long)).toBe(true);
  });
});

describe('local time', () => {
  const holds = (span: TimeSpan, at: string): boolean => spanTest(span).holds(Date.parse(at));
  const BERLIN = { zone: 'Europe/Berlin' };

  it('hours of the day, by the clock of the zone and its summer time', () => {
    const office = { ...BERLIN, from: '08:00', until: '18:00' };
    expect(holds(office, '2026-11-26T07:00:00Z')).toBe(true);
    expect(holds(office, '2026-11-26T06:59:59Z')).toBe(false);
    expect(holds(office, '2026-07-01T06:00:00Z')).toBe(true);
    expect(holds(office, '2026-07-01T16:00:00Z')).toBe(false);
    expect(holds({ from: '08:00' }, '2026-07-01T23:59:59Z')).toBe(true);
    expect(holds({ until: '08:00' }, '2026-07-01T08:00:00Z')).toBe(false);
  });

  it('a span over midnight belongs to the evening on which it begins', () => {
    const friday = { ...BERLIN, days: ['fri'], from: '22:00', until: '06:00' } as const;
    // 2026-11-27 is a Friday.
    expect(holds(friday, '2026-11-27T21:00:00Z')).toBe(true);
    expect(holds(friday, '2026-11-28T04:59:00Z')).toBe(true);
    expect(holds(friday, '2026-11-28T05:00:00Z')).toBe(false);
    expect(holds(friday, '2026-11-27T04:00:00Z')).toBe(false);
    expect(holds(friday, '2026-11-28T21:30:00Z')).toBe(false);
  });

  it('the night in which clocks are changed is one night', () => {
    const saturday = { ...BERLIN, days: ['sat'], from: '22:00', until: '06:00' } as const;
    // 2026-03-29 and 2026-10-25 are Sundays on which they are.
    for (const at of ['2026-03-29T00:30:00Z', '2026-03-29T03:59:00Z', '2026-10-25T00:30:00Z', '2026-10-25T04:59:00Z']) {
      expect([at, holds(saturday, at)]).toEqual([at, true]);
    }
    expect(holds(saturday, '2026-03-29T04:00:00Z')).toBe(false);
    expect(holds(saturday, '2026-10-25T05:00:00Z')).toBe(false);
  });

  it('dates with both ends included, in the zone', () => {
    const christmas = { zone: 'Pacific/Auckland', dates: { from: '2026-12-24', until: '2026-12-26' } };
    expect(holds(christmas, '2026-12-23T10:59:00Z')).toBe(false);
    expect(holds(christmas, '2026-12-23T11:00:00Z')).toBe(true);
    expect(holds(christmas, '2026-12-26T10:59:00Z')).toBe(true);
    expect(holds(christmas, '2026-12-26T11:00:00Z')).toBe(false);
    expect(holds({ dates: { until: '2026-12-26' } }, '2020-01-01T00:00:00Z')).toBe(true);
  });

  it('the same clock asked for other minutes says other times', () => {
    const test = spanTest({ ...BERLIN, from: '12:00', until: '12:01' });
    expect(
      ['10:59:59', '11:00:00', '11:00:59', '11:01:00'].map((at) => test.holds(Date.parse(`2026-11-26T${at}Z`))),
    ).toEqual([false, true, true, false]);
  });

  it('a zone that is none is refused', () => {
    expect(() => spanTest({ zone: 'Europe/Atlantis' })).toThrow(RangeError);
  });
});

describe('what the rules make', () => {
  const RULES: readonly PolicyRule[] = [
    { name: 'gold', when: { userClass: ['gold'] }, set: { mediaPath: 'always', interworkOn: { orig: [480] } } },
    { name: 'partner', when: { destination: ['partner.example'] }, set: { mediaPath: 'never', timers: { se: 600 } } },
    { name: 'never', when: { role: 'term' }, set: { reasonText: true } },
    { name: 'last', when: { media: ['audio'] }, final: true, set: { recording: false } },
    { name: 'behind', set: { maxRedirects: 0 } },
  ];
  const policies = new RuledPolicy(DEFAULT_POLICY, RULES, GOLD);

  it('every rule that applies, in their order, the later one holding; the rest of the policy stays', () => {
    const policy = policies.choose(QUESTION);
    expect(policy).toEqual({
      ...DEFAULT_POLICY,
      mediaPath: 'never',
      interworkOn: { ...DEFAULT_POLICY.interworkOn, orig: [480] },
      timers: { ...DEFAULT_POLICY.timers, se: 600 },
      maxRedirects: 0,
    });
    expect(appliedRules(policy)).toEqual(['gold', 'partner', 'behind']);
  });

  it('nothing is looked at behind a final one that applies', () => {
    const question = { ...QUESTION, media: ['message', 'audio'] };
    expect(policies.choose(question)).toMatchObject({ recording: false, maxRedirects: DEFAULT_POLICY.maxRedirects });
    expect(policies.explain(question).rules.map(({ rule }) => rule)).toEqual(['gold', 'partner', 'never', 'last']);
  });

  it('sessions with the same rules share one policy, those with none have that of everybody', () => {
    expect(policies.choose(QUESTION)).toBe(policies.choose({ ...QUESTION, at: 0 }));
    expect(new RuledPolicy(DEFAULT_POLICY).choose(QUESTION)).toBe(DEFAULT_POLICY);
    const strict = new RuledPolicy(DEFAULT_POLICY, RULES.slice(2, 4));
    expect(strict.choose(QUESTION)).toBe(DEFAULT_POLICY);
  });

  it('a rule takes recording away, and can not give a store that is not there', () => {
    const set = (recording: boolean, configured: boolean): boolean =>
      new RuledPolicy({ ...DEFAULT_POLICY, recording: configured }, [{ name: 'r', set: { recording } }]).choose(
        QUESTION,
      ).recording;
    expect([set(false, true), set(true, true), set(true, false)]).toEqual([false, true, false]);
  });

  it('explained: each condition with what it was compared with, and the rule each key is from', () => {
    const { policy, userClass, rules, origins } = policies.explain(QUESTION);
    expect(policy).toBe(policies.choose(QUESTION));
    expect(userClass).toBe('gold');
    expect(origins).toEqual({
      mediaPath: 'partner',
      'interworkOn.orig': 'gold',
      'timers.se': 'partner',
      maxRedirects: 'behind',
    });
    expect(rules.map(({ rule, applies }) => [rule, applies])).toEqual([
      ['gold', true],
      ['partner', true],
      ['never', false],
      ['last', false],
      ['behind', true],
    ]);
    expect(rules[1]).toEqual({
      rule: 'partner',
      applies: true,
      conditions: [
        { condition: 'when.destination', holds: true, met: 'partner.example', found: ['sip:bob@partner.example'] },
      ],
      sets: ['mediaPath', 'timers.se'],
    });
    expect(rules[3]?.conditions).toEqual([{ condition: 'when.media', holds: false, met: null, found: ['message'] }]);
  });
});
