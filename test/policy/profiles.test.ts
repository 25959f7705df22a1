/** What the guards are told of a served user: directory, registrations and live sessions, put together. */
import { describe, expect, it } from '@jest/globals';
import type { ProfileQuery } from '../../src/engine/ports.ts';
import { type ProfileSources, profileOf } from '../../src/policy/profiles.ts';
import { UserDirectory } from '../../src/preferences/users.ts';

const STATIC = { contact: 'sip:bob@127.0.0.1', instance: '<urn:uuid:1>', services: ['session'], media: ['message'] };
const BOB = {
  address: 'sip:bob@home.example',
  services: ['session'],
  allowOfflineStorage: true,
  doNotDisturb: false,
  interworking: null,
  blacklist: new Set(['sip:mallory@evil.example']),
  clients: [STATIC],
};
const directory = new UserDirectory([{ user: BOB, aliases: ['tel:+15550177'] }]);
const sources: ProfileSources = {
  user: (address) => directory.find(address),
  clients: () => null,
  instanceOf: (user, contributionId) => `${user} ${contributionId}`,
};
const query: ProfileQuery = {
  user: 'sip:bob@home.example',
  role: 'term',
  service: 'session',
  originators: [],
  referredBy: null,
  sessionReplaces: null,
  at: 0,
};

describe('profileOf', () => {
  it('finds a user by address or alias in any spelling, under the own address', () => {
    for (const user of ['sip:bob@home.example', 'sip:bob@HOME.EXAMPLE', 'tel:+1-555-0177']) {
      expect(profileOf({ ...query, user }, sources)).toMatchObject({ known: true, user: 'sip:bob@home.example' });
    }
  });

  it('knows nothing of a stranger, who has no service and no client', () => {
    const profile = profileOf({ ...query, user: 'sip:carol@home.example' }, sources);
    expect(profile).toMatchObject({ known: false, user: null, services: [], clients: [], allowOfflineStorage: false });
  });

  it('takes registered clients where there is a registrar, else those of the directory; none for an originator', () => {
    const registered = { instance: '<urn:uuid:2>', services: ['session'], media: ['message'] };
    expect(profileOf(query, sources).clients).toEqual([STATIC]);
    expect(profileOf(query, { ...sources, clients: () => [registered] }).clients).toEqual([registered]);
    expect(profileOf(query, { ...sources, clients: () => [] }).clients).toEqual([]);
    expect(profileOf({ ...query, role: 'orig' }, sources).clients).toEqual([]);
  });

  it('T-INV-3, A-36: any asserted identity on the list counts; in a group also who referred', () => {
    const blacklisted = (more: Partial<ProfileQuery>): boolean => profileOf({ ...query, ...more }, sources).blacklisted;
    const mallory = 'sip:mallory@evil.example';
    expect(blacklisted({ originators: ['sip:alice@home.example'] })).toBe(false);
    expect(blacklisted({ originators: ['sip:alice@home.example', mallory] })).toBe(true);
    expect(blacklisted({ referredBy: mallory })).toBe(false);
    expect(blacklisted({ referredBy: mallory, service: 'session.group', originators: ['sip:focus@x.example'] })).toBe(
      true,
    );
  });

  it('A-41: asks for the instance of the session that is replaced, by the own address of the user', () => {
    expect(profileOf(query, sources).replacedInstance).toBeNull();
    expect(profileOf({ ...query, user: 'tel:+15550177', sessionReplaces: 'c1' }, sources).replacedInstance).toBe(
      'sip:bob@home.example c1',
    );
  });
});
