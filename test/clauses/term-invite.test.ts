/** 8.3.2.1: an invitation to the served user, up to the INVITE that goes on. Bytes in, bytes out. */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, chatSdp, World } from '../../src/testing/index.ts';
import { ISF, invite, leftovers, origin, ports } from '../support/session.ts';

const PHONE = {
  instance: '<urn:uuid:00000000-0000-1000-8000-000000000001>',
  services: ['session', 'session.group'],
  media: ['message'],
};
const TABLET = {
  instance: '<urn:uuid:00000000-0000-1000-8000-000000000002>',
  services: ['session'],
  media: ['message', 'audio'],
};
const WATCH = { instance: '<urn:uuid:00000000-0000-1000-8000-000000000003>', services: ['msg'], media: ['message'] };
const SPEAKER = {
  instance: '<urn:uuid:00000000-0000-1000-8000-000000000004>',
  services: ['session'],
  media: ['audio'],
};

/** Both modes, since most of the steps do not ask which it is. */
const MODES = ['always', 'never'] as const;

describe('steps 1 to 3: version, anonymity, blacklist', () => {
  it('T-INV-1 T-INV-1-r T-INV-1-w: a version outside the range gets 403 with the warning; the far B2BUA may stand in front (A-04)', () => {
    for (const mediaPath of MODES) {
      const policy = { mediaPath, requiredUserAgent: { min: '2.0', max: '2.2', onMissing: 'allow' } } as const;
      const world = new World({ policy });
      const call = invite(world, 'term', { headers: [['User-Agent', 'CPM-serv/OMA2.1 CPM-client/OMA1.0']] });
      world.settle();
      expect(call.response(403).header('warning')).toBe('399 10.0.0.10 "132 Version not supported"');
      const served = new World({ policy });
      invite(served, 'term', { headers: [['User-Agent', 'CPM-serv/OMA2.1']] });
      served.settle();
      expect(served.core.waiting).toEqual(['INVITE']);
    }
  });

  it('T-INV-2 T-INV-2-w: anonymity asked for and not allowed gets 403 with the warning', () => {
    for (const mediaPath of MODES) {
      const world = new World({ policy: { mediaPath, allowAnonymity: false } });
      const call = invite(world, 'term', { headers: [['Privacy', 'user']] });
      world.settle();
      expect(call.response(403).header('warning')).toBe('399 10.0.0.10 "119 Anonymity not allowed"');
    }
  });

  it('T-INV-3 T-INV-3-r T-INV-3-w: a blacklisted originator gets 403 with the warning; all asserted identities are asked about (A-36)', () => {
    for (const mediaPath of MODES) {
      const asked: (readonly string[])[] = [];
      const world = new World({ policy: { mediaPath } });
      world.pf.profile = (query, done) => {
        asked.push(query.originators);
        done({ ...ALLOWED, blacklisted: query.originators.includes('tel:+15550666') });
      };
      const headers = [['P-Asserted-Identity', '<sip:mallory@evil.example>, <tel:+1-555-0666>']] as const;
      const call = invite(world, 'term', { headers });
      world.settle();
      expect(call.response(403).header('warning')).toBe('399 10.0.0.10 "122 Function not allowed"');
      expect(asked).toEqual([['sip:mallory@evil.example', 'tel:+15550666']]);
      expect(world.core.waiting).toEqual([]);
    }
  });

  it('T-INV-3: somebody else goes on', () => {
    const world = new World();
    invite(world, 'term');
    world.settle();
    expect(world.core.waiting).toEqual(['INVITE']);
  });

  it('T-INV-3: in a group the one who referred the invitation is asked about too (A-36)', () => {
    const world = new World();
    let referred: string | null = null;
    world.pf.profile = (query, done) => {
      referred = query.referredBy;
      done(ALLOWED);
    };
    invite(world, 'term', { headers: [['Referred-By', '<sip:+15550666@x;user=phone>']] });
    world.settle();
    expect(referred).toBe('tel:+15550666');
  });
});

describe('steps 4 and 5: do not disturb, media', () => {
  it('T-INV-4 T-INV-4-r: a do-not-disturb rule answers 480, without a Warning and never by the ISF (A-37, A-57)', () => {
    for (const mediaPath of MODES) {
      const world = new World({ policy: { mediaPath }, profile: { doNotDisturb: true }, isf: [ISF] });
      const call = invite(world, 'term');
      world.settle();
      expect(call.response(480).header('warning')).toBeUndefined();
      expect([...world.core.waiting, ...world.isf.waiting]).toEqual([]);
    }
  });

  it('T-INV-5 T-INV-5-r: a media type policy does not allow gets 488; one bad line is enough, or all must be (A-38)', () => {
    const sdp = chatSdp('alice', [2855, 2856], ['message', 'video']);
    for (const mediaPath of MODES) {
      const strict = new World({ policy: { mediaPath, allowedMedia: ['message'] } });
      const refused = invite(strict, 'term', { sdp });
      strict.settle();
      refused.response(488);

      const lenient = new World({ policy: { mediaPath, allowedMedia: ['message'], sdpCheck: 'all' } });
      invite(lenient, 'term', { sdp });
      lenient.settle();
      expect(lenient.core.waiting).toEqual(['INVITE']);
    }
  });

  it('T-INV-5: a line at port 0 offers nothing, and a late offer can not be judged', () => {
    for (const sdp of [chatSdp('alice', [2855, 0], ['message', 'video']), null]) {
      const world = new World({ policy: { allowedMedia: ['message'] } });
      invite(world, 'term', { sdp });
      world.settle();
      expect(world.core.waiting).toEqual(['INVITE']);
    }
  });
});

describe('step 6: nobody registered', () => {
  it('T-INV-6 T-INV-6-pol T-INV-6a: policy "reject" answers 480', () => {
    for (const mediaPath of MODES) {
      const world = new World({ policy: { mediaPath, noClient: 'reject' }, profile: { clients: [WATCH] }, isf: [ISF] });
      const call = invite(world, 'term');
      world.settle();
      call.response(480);
      expect(world.isf.waiting).toEqual([]);
    }
  });

  it('T-INV-6 T-INV-6-pol T-INV-6b: policy "interwork" sends the INVITE straight to the ISF, in both modes (A-40)', () => {
    for (const mediaPath of MODES) {
      const world = new World({ policy: { mediaPath }, profile: { clients: [] }, isf: [ISF] });
      const call = invite(world, 'term');
      world.settle();
      const far = world.isf.incoming();
      expect(far.invite.uri).toBe('sip:bob@home.example');
      expect(far.callId === call.callId).toBe(mediaPath === 'never');
      expect(world.core.waiting).toEqual([]);
    }
  });

  it("T-INV-6-pol: the user's own wish comes before the provider's policy", () => {
    const no = new World({ profile: { clients: [], interworking: false }, isf: [ISF] });
    const refused = invite(no, 'term');
    no.settle();
    refused.response(480);
    const yes = new World({ policy: { noClient: 'reject' }, profile: { clients: [], interworking: true }, isf: [ISF] });
    invite(yes, 'term');
    yes.settle();
    expect(yes.isf.waiting).toEqual(['INVITE']);
  });

  it('T-INV-6: a user nobody knows here is a 404 (RFC 3261 8.2.2.1)', () => {
    const world = new World({ profile: { known: false } });
    const call = invite(world, 'term');
    world.settle();
    call.response(404);
  });
});

describe('step 7: as B2BUA', () => {
  const b2bua = { policy: { mediaPath: 'always' } } as const;

  it('T-INV-7a T-INV-7b T-INV-7c T-INV-7c-v-1c: a new INVITE with the received Request-URI goes to the core', () => {
    const world = new World(b2bua);
    const call = invite(world, 'term');
    world.settle();
    const { invite: sent } = world.core.incoming();
    expect(sent.uri).toBe('sip:bob@home.example');
    expect(sent.callId).not.toBe(call.callId);
    expect(sent.lines('via')).toHaveLength(1);
    expect(sent.header('user-agent')).toContain('CPM-serv/OMA2.0');
    expect(sent.header('p-asserted-identity')).toBe('<sip:alice@away.example>');
  });

  it('T-INV-7c-i T-INV-7c-ii: Contact parameters and Accept-Contact copied, our URI inserted (A-08)', () => {
    const world = new World(b2bua);
    const call = invite(world, 'term', { headers: [['Contact', '<sip:pf1@away.example>;isfocus;+g.oma.x="1"']] });
    world.settle();
    const { invite: sent } = world.core.incoming();
    expect(sent.header('contact')).toMatch(/^<sip:c0-[0-9a-f]+@10\.0\.0\.10:5060>;isfocus;\+g\.oma\.x="1"$/);
    expect(sent.header('accept-contact')).toBe(call.invite.header('accept-contact'));
  });

  it('T-INV-7c-iii: the offer follows the received one, under our own origin', () => {
    const world = new World(b2bua);
    invite(world, 'term', { sdp: chatSdp('alice', [2855, 2856]) });
    world.settle();
    const sdp = bodyOf(world.core.incoming().invite);
    expect(ports(sdp)).toEqual([2855, 2856]);
    expect(origin(sdp).address).toBe('10.0.0.10');
  });

  it('T-INV-7c-iv: Session-Replaces leads to the client that has the session (A-41)', () => {
    const world = new World({ ...b2bua, profile: { clients: [PHONE, TABLET], replacedInstance: PHONE.instance } });
    invite(world, 'term', {
      headers: [
        ['Session-Replaces', 'c0ffee'],
        ['Request-Disposition', 'fork, no-cancel'],
      ],
    });
    world.settle();
    const { invite: sent } = world.core.incoming();
    expect(sent.lines('accept-contact').map((field) => field.value)).toContain(
      `*;+sip.instance="${PHONE.instance}";require;explicit`,
    );
    expect(sent.header('request-disposition')).toBe('no-fork');
    expect(sent.header('reject-contact')).toBeUndefined();
    expect(sent.header('session-replaces')).toBe('c0ffee');
  });

  it('T-INV-7c-iv: where that client is not known, the header is as if it were absent (A-41)', () => {
    const world = new World({ ...b2bua, profile: { clients: [PHONE], replacedInstance: null } });
    invite(world, 'term', { headers: [['Session-Replaces', 'c0ffee']] });
    world.settle();
    expect(world.core.incoming().invite.header('request-disposition')).toBe('fork, parallel');
  });

  it('T-INV-7c-v T-INV-7c-v-1a T-INV-7c-v-1b: one Reject-Contact for each unsuitable instance, fork and parallel set (A-42)', () => {
    const world = new World({ ...b2bua, profile: { clients: [PHONE, WATCH, TABLET, SPEAKER] } });
    invite(world, 'term', { headers: [['Request-Disposition', 'no-fork, sequential, no-queue']] });
    world.settle();
    const { invite: sent } = world.core.incoming();
    expect(sent.lines('reject-contact').map((field) => field.value)).toEqual([
      `*;+sip.instance="${WATCH.instance}"`,
      `*;+sip.instance="${SPEAKER.instance}"`,
    ]);
    expect(sent.list('request-disposition')).toEqual(['no-queue', 'fork', 'parallel']);
  });

  it('T-INV-7c-v-2: clients are registered, none suits the media, interworking is wanted: straight to the ISF', () => {
    const world = new World({ ...b2bua, profile: { clients: [SPEAKER] }, isf: [ISF] });
    invite(world, 'term');
    world.settle();
    expect(world.isf.waiting).toEqual(['INVITE']);
    expect(world.core.waiting).toEqual([]);
  });

  it('T-INV-7c-v-3: none suits and interworking is not wanted: 480', () => {
    const world = new World({ ...b2bua, profile: { clients: [SPEAKER], interworking: false }, isf: [ISF] });
    const call = invite(world, 'term');
    world.settle();
    call.response(480);
    call.ack();
    expect(leftovers(world)).toEqual([]);
  });
});

describe('step 8: as proxy', () => {
  const proxy = { policy: { mediaPath: 'never' } } as const;

  it('T-INV-8a T-INV-8b T-INV-8b-ii-1c: the INVITE itself is forwarded to the core, with our Record-Route', () => {
    const world = new World(proxy);
    const call = invite(world, 'term');
    world.settle();
    const { invite: sent } = world.core.incoming();
    expect(sent.callId).toBe(call.callId);
    expect(sent.lines('via')).toHaveLength(2);
    expect(sent.header('record-route')).toMatch(/@10\.0\.0\.10:5060;lr>$/);
    expect(bodyOf(sent)).toBe(bodyOf(call.invite));
  });

  it('T-INV-8b-i: Session-Replaces leads to the client that has the session', () => {
    const world = new World({ ...proxy, profile: { clients: [PHONE], replacedInstance: PHONE.instance } });
    invite(world, 'term', { headers: [['Session-Replaces', 'c0ffee']] });
    world.settle();
    const { invite: sent } = world.core.incoming();
    expect(sent.header('request-disposition')).toBe('no-fork');
    expect(sent.lines('accept-contact').at(-1)?.value).toContain('require;explicit');
  });

  it('T-INV-8b-ii T-INV-8b-ii-1a T-INV-8b-ii-1b: unsuitable instances are rejected, fork and parallel set', () => {
    const world = new World({ ...proxy, profile: { clients: [PHONE, WATCH] } });
    invite(world, 'term');
    world.settle();
    const { invite: sent } = world.core.incoming();
    expect(sent.header('reject-contact')).toBe(`*;+sip.instance="${WATCH.instance}"`);
    expect(sent.list('request-disposition')).toEqual(['fork', 'parallel']);
  });

  it('T-INV-8b-ii-2: none suits: 480, and no interworking in this mode (A-40)', () => {
    const world = new World({ ...proxy, profile: { clients: [SPEAKER] }, isf: [ISF] });
    const call = invite(world, 'term');
    world.settle();
    call.response(480);
    expect(world.isf.waiting).toEqual([]);
  });
});

const ALLOWED = {
  known: true,
  user: null,
  services: null,
  allowOfflineStorage: false,
  doNotDisturb: false,
  blacklisted: false,
  interworking: null,
  clients: [PHONE],
  replacedInstance: null,
};
