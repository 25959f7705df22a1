/** 8.3.2.1: answers to the invitation in the terminating network. */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, chatSdp, World } from '../../src/testing/index.ts';
import { folders, objects, pointers, types } from '../support/history.ts';
import {
  CONTRIBUTION,
  CONVERSATION,
  establish,
  ISF,
  interworkedInvite,
  invite,
  leftovers,
  origin,
  ports,
  STORING,
  TERM_FOLDER,
} from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const proxy = { policy: { mediaPath: 'never' } } as const;

describe('first 200 as B2BUA', () => {
  it('T-200B-1 T-200B-4: the inviter gets a 200 of its own, with our release in Server (A-07)', () => {
    const world = new World(b2bua);
    const near = invite(world, 'term');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    const ok = near.response(200);
    expect(ok.toTag).not.toBe(far.localTag);
    expect(ok.header('server')).toBe('CPM-serv/OMA2.0 cpm-engine/test');
  });

  it('T-200B-2: its answer follows the received one under our own origin', () => {
    const world = new World(b2bua);
    const near = invite(world, 'term', { sdp: chatSdp('alice', [2855, 2856]) });
    world.settle();
    world.core.incoming().respond(200, { sdp: chatSdp('bob', [4001, 0]) });
    world.settle();
    const sdp = bodyOf(near.response(200));
    expect(ports(sdp)).toEqual([4001, 0]);
    expect(origin(sdp).address).toBe('10.0.0.10');
  });

  it('T-200B-3: its Contact resolves back to the received URI (A-14)', () => {
    const world = new World(b2bua);
    const near = invite(world, 'term');
    world.settle();
    world.core.incoming().respond(200, {
      sdp: chatSdp('bob'),
      headers: [['Contact', '<sip:bob@10.1.1.1;gr=x>;+sip.instance="<urn:uuid:9>"']],
    });
    world.settle();
    const contact = near.response(200).contact;
    expect(contact?.params).toBe(';+sip.instance="<urn:uuid:9>"');
    invite(world, 'term', { uri: contact?.uri ?? '' });
    world.settle();
    expect(world.core.incoming().invite.uri).toBe('sip:bob@10.1.1.1;gr=x');
  });

  it('T-200B-1: the first 200 wins; a later one from another fork is acknowledged and ended (A-43)', () => {
    const world = new World(b2bua);
    const near = invite(world, 'term');
    world.settle();
    const far = world.core.incoming();
    far.respond(180, { tag: 'phone' });
    far.respond(180, { tag: 'tablet' });
    world.settle();
    const rings = [near.response(180), near.response(180)];
    expect(new Set(rings.map((ring) => ring.toTag)).size).toBe(2);
    far.respond(200, { tag: 'tablet', sdp: chatSdp('tablet') });
    world.settle();
    const ok = near.response(200);
    expect(ok.toTag).toBe(rings[1]?.toTag);
    far.respond(200, { tag: 'phone', sdp: chatSdp('phone') });
    world.settle();
    expect(near.peer.waiting).not.toContain('200 INVITE');
    expect(far.expect('ACK').toTag).toBe('phone');
    expect(far.expect('BYE').toTag).toBe('phone');
    near.ack();
    world.settle();
    expect(far.expect('ACK').toTag).toBe('tablet');
  });

  it("T-200B-4a T-200B-4a-i T-200B-4a-ii T-200B-4a-iii T-200B-4a-iv: the folder in the served user's own mailbox (A-17, A-18)", () => {
    const world = new World({ ...b2bua, profile: STORING });
    establish(world, 'term');
    expect(folders(world, 'sip:bob@home.example')).toEqual([
      { user: 'sip:bob@home.example', conversationId: CONVERSATION, contributionId: CONTRIBUTION, objects: 1 },
    ]);
    expect(types(world, TERM_FOLDER)).toEqual({ 1: 'Application/X-CPM-Session' });
    expect(pointers(world, TERM_FOLDER)).toEqual({ SessionInfoObjectID: 1 });
    expect(objects(world, TERM_FOLDER)[0]?.content).toContain('\r\nMessage-Direction: in\r\n');
  });

  it('T-200B-4a: the preference decides here too; read by its letter, the folder is made whatever it says (A-17)', () => {
    const gated = new World(b2bua);
    establish(gated, 'term');
    expect(folders(gated, 'sip:bob@home.example')).toEqual([]);
    const literal = new World({
      policy: {
        mediaPath: 'always',
        compat: { termTimerMetadata: 'both', termFolderIgnoresPreference: true, messageUid: 'sessionInfo' },
      },
    });
    establish(literal, 'term');
    expect(folders(literal, 'sip:bob@home.example')).toHaveLength(1);
  });
});

describe('first 200 as proxy', () => {
  it("T-200P-1 T-200P-2: the 200 itself is forwarded, every fork's, and the session stays proxied", () => {
    const world = new World({ ...proxy, profile: STORING });
    const near = invite(world, 'term');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { tag: 'one', sdp: chatSdp('one') });
    far.respond(200, { tag: 'two', sdp: chatSdp('two') });
    world.settle();
    expect([near.response(200).toTag, near.response(200).toTag]).toEqual(['one', 'two']);
    expect(far.has('BYE')).toBe(false);
    expect(folders(world, 'sip:bob@home.example')).toEqual([]);
  });
});

describe('final responses other than 200', () => {
  it('T-FIN T-FIN-1: a 302 is followed, best q first, on the same dialog toward the inviter (A-45)', () => {
    for (const mediaPath of ['always', 'never'] as const) {
      const world = new World({ policy: { mediaPath } });
      const near = invite(world, 'term');
      world.settle();
      world.core.incoming().respond(302, {
        headers: [['Contact', '<sip:low@home.example>;q=0.1, <sip:bob@home.example>, <sip:new@home.example>;q=0.9']],
      });
      world.settle();
      const far = world.core.incoming();
      expect(far.invite.uri).toBe('sip:new@home.example');
      expect(far.invite.header('p-asserted-identity')).toBe('<sip:alice@away.example>');
      far.respond(200, { sdp: chatSdp('new') });
      world.settle();
      expect(near.response(200).fromTag).toBe(near.localTag);
    }
  });

  it('T-FIN-1: redirections are bounded, and one that leads back is not followed (A-45)', () => {
    const world = new World(b2bua);
    const near = invite(world, 'term');
    world.settle();
    world.core.incoming().respond(302, { headers: [['Contact', '<sip:second@home.example>']] });
    world.settle();
    world.core.incoming().respond(302, { headers: [['Contact', '<sip:third@home.example>']] });
    world.settle();
    expect(near.response(302).header('contact')).toBe('<sip:third@home.example>');

    const back = new World(b2bua);
    const returned = invite(back, 'term');
    back.settle();
    back.core.incoming().respond(302, { headers: [['Contact', '<sip:bob@home.example>']] });
    back.settle();
    returned.response(302);
  });

  it('T-FIN T-FIN-2 T-FIN-2a: a status policy names goes to the ISF (A-44)', () => {
    for (const mediaPath of ['always', 'never'] as const) {
      for (const status of [404, 408, 410, 415, 480, 484, 488, 500, 501, 503, 504]) {
        const world = new World({ policy: { mediaPath }, isf: [ISF] });
        const near = invite(world, 'term');
        world.settle();
        world.core.incoming().respond(status);
        world.settle();
        world.isf.incoming().respond(200, { sdp: chatSdp('iwf') });
        world.settle();
        near.response(200);
      }
    }
  });

  it('T-FIN-2 T-FIN-2a: nobody answering counts as 408 (RFC 3261 8.1.3.1)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    invite(world, 'term');
    world.advance(33_000);
    expect(world.isf.waiting[0]).toBe('INVITE');
  });

  it("T-FIN T-FIN-2b: anything else goes upstream; a user's own refusal never becomes an SMS (A-44)", () => {
    for (const mediaPath of ['always', 'never'] as const) {
      for (const status of [403, 486, 487, 600, 603]) {
        const world = new World({ policy: { mediaPath }, isf: [ISF] });
        const near = invite(world, 'term');
        world.settle();
        world.core.incoming().respond(status, { headers: [['X-Any', 'thing']] });
        world.settle();
        expect(near.response(status).header('x-any')).toBe('thing');
        expect(world.isf.waiting).toEqual([]);
        near.ack();
        expect(leftovers(world)).toEqual([]);
      }
    }
  });

  it('T-FIN-2b: a failure of the ISF is final (A-44)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const near = invite(world, 'term');
    world.settle();
    world.core.incoming().respond(480);
    world.settle();
    world.isf.incoming().respond(503);
    world.settle();
    near.response(503);
  });
});

describe('ACK', () => {
  it('T-ACK: it reaches the client whose 200 was first, as B2BUA and as proxy (A-23)', () => {
    for (const mediaPath of ['always', 'never'] as const) {
      const world = new World({ policy: { mediaPath } });
      const near = invite(world, 'term');
      world.settle();
      const far = world.core.incoming();
      far.respond(200, { tag: 'first', sdp: chatSdp('bob') });
      world.settle();
      near.response(200);
      expect(far.has('ACK')).toBe(false);
      near.ack();
      world.settle();
      expect(far.expect('ACK').toTag).toBe('first');
    }
  });
});

describe('200 from the ISF', () => {
  const twoStreams = { sdp: chatSdp('alice', [2855, 2856]) };

  it('T-200I-1 T-200I-2-may T-200I-2a T-200I-2b T-200I-2b-i T-200I-2b-ii: rejected streams get a session of their own at the ISF', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const near = interworkedInvite(world, 'term', twoStreams);
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf1', [3001, 0]) });
    world.settle();
    const second = world.isf.incoming();
    expect(ports(bodyOf(second.invite))).toEqual([2856]);
    expect(bodyOf(second.invite)).toContain('/alice1;tcp');
    expect(second.invite.header('route')).toBe('<sip:10.0.0.30:5060;lr>');
    expect(near.peer.waiting).toEqual(['100 INVITE']);
    second.respond(200, { sdp: chatSdp('iwf2', [3002]) });
    world.settle();
    expect(ports(bodyOf(near.response(200)))).toEqual([3001, 3002]);
  });

  it('T-200I-2a: policy may accept the rejection', () => {
    const world = new World({ policy: { mediaPath: 'always', rejectedStreams: 'accept' }, isf: [ISF] });
    const near = interworkedInvite(world, 'term', twoStreams);
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf1', [3001, 0]) });
    world.settle();
    near.response(200);
    expect(world.isf.waiting).toEqual([]);
  });

  it("T-200I-1 T-200I-3: with every stream accepted all goes as for a client's 200, recording included (A-46)", () => {
    const world = new World({ ...b2bua, profile: STORING, isf: [ISF] });
    const near = interworkedInvite(world, 'term');
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf') });
    world.settle();
    expect(near.response(200).header('server')).toContain('CPM-serv/OMA2.0');
    expect(pointers(world, TERM_FOLDER)).toEqual({ SessionInfoObjectID: 1 });
  });

  it('T-200I-3: it is done after a second session as well, whatever came of that (A-46)', () => {
    const world = new World({ ...b2bua, profile: STORING, isf: [ISF] });
    const near = interworkedInvite(world, 'term', twoStreams);
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf1', [3001, 0]) });
    world.settle();
    world.isf.incoming().respond(486);
    world.settle();
    expect(ports(bodyOf(near.response(200)))).toEqual([3001, 0]);
    expect(types(world, TERM_FOLDER)).toEqual({ 1: 'Application/X-CPM-Session' });
  });
});
