/** RFC 4745 conditions, each alone and together, as user access rules bring them. */
import { describe, expect, it } from '@jest/globals';
import { type Asked, holds } from '../../src/preferences/rules.ts';
import { readAccessRules } from '../../src/preferences/xcap/access-rules.ts';
import { FOR_CPM, NO_DISTURBANCE, rule, ruleset, STORES } from '../support/xcap-documents.ts';

const ALICE = 'sip:alice@away.example';
const MALLORY = 'sip:mallory@evil.example';
const NOON = Date.parse('2026-11-24T12:00:00Z');

/** Whether the first rule holds for this originator. */
function isMet(conditions: string, asked: Partial<Asked> = {}, ...others: string[]): boolean {
  const rules = readAccessRules(ruleset(rule(conditions, NO_DISTURBANCE), ...others));
  return holds(rules[0]!, rules, { originators: [ALICE], service: 'session', at: NOON, ...asked });
}

const TABLE: readonly (readonly [what: string, conditions: string, asked: Partial<Asked>, met: boolean])[] = [
  ['no condition is met by all', '', {}, true],
  ['7.1.1 one: who is named', `<cr:identity><cr:one id="${ALICE}"/></cr:identity>`, {}, true],
  ['7.1.1 one: who is not named', `<cr:identity><cr:one id="${MALLORY}"/></cr:identity>`, {}, false],
  [
    '7.1.1 one: a number in another form',
    '<cr:identity><cr:one id="sip:+1-555@x;user=phone"/></cr:identity>',
    { originators: ['tel:+1555'] },
    true,
  ],
  ['7.1.2 many: everybody who is known', '<cr:identity><cr:many/></cr:identity>', {}, true],
  ['7.1.2 many: nobody who is not known', '<cr:identity><cr:many/></cr:identity>', { originators: [] }, false],
  ['7.1.2 many of a domain', '<cr:identity><cr:many domain="AWAY.example"/></cr:identity>', {}, true],
  ['7.1.2 many of a domain, none below it', '<cr:identity><cr:many domain="example"/></cr:identity>', {}, false],
  [
    '7.1.2 many of a domain, at a port',
    '<cr:identity><cr:many domain="away.example"/></cr:identity>',
    { originators: ['sip:a@away.example:5070'] },
    true,
  ],
  ['7.1.2 except one', `<cr:identity><cr:many><cr:except id="${ALICE}"/></cr:many></cr:identity>`, {}, false],
  [
    '7.1.2 except one, who has another address too',
    `<cr:identity><cr:many><cr:except id="${ALICE}"/></cr:many></cr:identity>`,
    { originators: ['tel:+1555', ALICE] },
    false,
  ],
  [
    '7.1.2 except a domain',
    '<cr:identity><cr:many><cr:except domain="away.example"/></cr:many></cr:identity>',
    {},
    false,
  ],
  [
    '7.1.2 an exception counts for its own part',
    `<cr:identity><cr:many><cr:except id="${ALICE}"/></cr:many><cr:one id="${ALICE}"/></cr:identity>`,
    {},
    true,
  ],
  ['anonymous-request: nobody vouches for the originator', '<anonymous-request/>', { originators: [] }, true],
  ['anonymous-request: somebody does', '<anonymous-request/>', {}, false],
  [
    'external-list: on it',
    '<external-list><entry anc="list-1"/></external-list>',
    { isListed: (list) => list === 'list-1' },
    true,
  ],
  [
    'external-list: not on it',
    '<external-list><entry anc="list-2"/></external-list>',
    { isListed: (list) => list === 'list-1' },
    false,
  ],
  ['external-list: that can not be had', '<external-list><entry anc="list-1"/></external-list>', {}, false],
  ['service-list: CPM', FOR_CPM, {}, true],
  ['service-list: CPM, a group session', FOR_CPM, { service: 'session.group' }, true],
  ['service-list: another enabler', '<service-list><service enabler="PoC"/></service-list>', {}, false],
  [
    'service-list: one service of CPM',
    '<service-list><service enabler="urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session"/></service-list>',
    { service: 'session.group' },
    false,
  ],
  [
    '7.3 validity: now',
    '<cr:validity><cr:from>2026-11-24T11:00:00Z</cr:from><cr:until>2026-11-24T14:00:00+01:00</cr:until></cr:validity>',
    {},
    true,
  ],
  [
    '7.3 validity: over',
    '<cr:validity><cr:from>2026-11-24T11:00:00Z</cr:from><cr:until>2026-11-24T12:00:00Z</cr:until></cr:validity>',
    {},
    false,
  ],
  [
    '7.3 validity: the second of two spans',
    '<cr:validity><cr:from>2025-01-01T00:00:00Z</cr:from><cr:until>2025-01-02T00:00:00Z</cr:until><cr:from>2026-11-24T11:00:00Z</cr:from><cr:until>2026-11-25T00:00:00Z</cr:until></cr:validity>',
    {},
    true,
  ],
  [
    '7.3 validity: a time that is none',
    '<cr:validity><cr:from>soon</cr:from><cr:until>2027-01-01T00:00:00Z</cr:until></cr:validity>',
    {},
    false,
  ],
  ['7 a condition nobody understands', '<cr:sphere value="work"/>', {}, false],
  ['7 all conditions must hold', `${FOR_CPM}<cr:identity><cr:one id="${MALLORY}"/></cr:identity>`, {}, false],
];

describe('a rule', () => {
  it.each(TABLE)('RFC 4745 %s', (_what, conditions, asked, met) => {
    expect(isMet(conditions, asked)).toBe(met);
  });
});

describe('other-identity', () => {
  const named = (id: string): string => rule(`<cr:identity><cr:one id="${id}"/></cr:identity>`, STORES, 'r2');

  it('A-37: is met by whoever no other rule names, by address, domain or list', () => {
    expect(isMet('<other-identity/>')).toBe(true);
    expect(isMet('<other-identity/>', {}, named(MALLORY))).toBe(true);
    expect(isMet('<other-identity/>', {}, named(ALICE))).toBe(false);
    expect(
      isMet('<other-identity/>', {}, rule('<cr:identity><cr:many domain="away.example"/></cr:identity>', STORES, 'r2')),
    ).toBe(false);
    const listed = rule('<external-list><entry anc="list-1"/></external-list>', STORES, 'r2');
    expect(isMet('<other-identity/>', { isListed: () => true }, listed)).toBe(false);
    expect(isMet('<other-identity/>', { isListed: () => false }, listed)).toBe(true);
  });

  it('is not taken away by a rule about everybody', () => {
    expect(isMet('<other-identity/>', {}, rule('<cr:identity><cr:many/></cr:identity>', STORES, 'r2'))).toBe(true);
  });
});

describe('actions', () => {
  it('are read under either name, in any namespace', () => {
    const [first] = readAccessRules(
      '<x:ruleset xmlns:x="urn:x" xmlns:y="urn:y"><x:rule><x:action><y:allow-do-not-disturb> true </y:allow-do-not-disturb></x:action></x:rule></x:ruleset>',
    );
    expect(first?.actions).toEqual({ allowOfflineStorage: undefined, doNotDisturb: true, interworking: undefined });
  });
});
