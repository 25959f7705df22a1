/** 8.2.2.1: answers to the invitation in the originating network. */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, chatSdp, uriIn, World } from '../../src/testing/index.ts';
import { folders, objects, pointers, types } from '../support/history.ts';
import {
  answer,
  CONTRIBUTION,
  CONVERSATION,
  establish,
  FOLDER,
  ISF,
  interworkedInvite,
  invite,
  leftovers,
  origin,
  ports,
  STORING,
} from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const proxy = { policy: { mediaPath: 'never' } } as const;

describe('200 from the ISF: rejected streams', () => {
  const twoStreams = { sdp: chatSdp('alice', [2855, 2856, 0]) };

  it('O-200B-1 O-200B-1-may O-200B-1a O-200B-1b O-200B-1b-iii: what the IWF rejected gets one more INVITE, to the ISF (A-11, A-12)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const near = interworkedInvite(world, 'orig', twoStreams);
    world.settle();
    const first = world.isf.incoming();
    first.respond(200, { sdp: chatSdp('iwf1', [3001, 0, 0]) });
    world.settle();
    const second = world.isf.incoming();
    expect(second.invite.header('route')).toBe('<sip:10.0.0.30:5060;lr>');
    expect(second.callId).not.toBe(first.callId);
    // The wait is on the inviter's side only: the first dialog has its ACK.
    first.expect('ACK');
    expect(near.peer.waiting).toEqual(['100 INVITE']);
  });

  it('O-200B-1b-i: the second INVITE is built like the first, our own Contact included (A-13)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    interworkedInvite(world, 'orig', twoStreams);
    world.settle();
    const first = world.isf.incoming();
    first.respond(200, { sdp: chatSdp('iwf1', [3001, 0, 0]) });
    world.settle();
    const { invite: second } = world.isf.incoming();
    expect(second.uri).toBe(first.invite.uri);
    for (const name of ['user-agent', 'accept-contact', 'contribution-id', 'contact', 'p-asserted-service']) {
      expect(second.header(name)).toBe(first.invite.header(name));
    }
  });

  it('O-200B-1b-ii: its offer has only the rejected streams', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    interworkedInvite(world, 'orig', { sdp: chatSdp('alice', [2855, 2856, 2857]) });
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf1', [0, 3001]) });
    world.settle();
    // Port 0 and a missing line both count as rejected.
    expect(ports(bodyOf(world.isf.incoming().invite))).toEqual([2855, 2857]);
  });

  it('O-200B-2 O-200B-4: answers are merged by m-line; what is still rejected is port 0 (A-12)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const near = interworkedInvite(world, 'orig', { sdp: chatSdp('alice', [2855, 2856, 2857]) });
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf1', [0, 3001, 0]) });
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf2', [3002, 0]) });
    world.settle();
    const ok = near.response(200);
    expect(ports(bodyOf(ok))).toEqual([3002, 3001, 0]);
    expect(bodyOf(ok)).toContain('msrp://10.9.9.9:3002/iwf20');
  });

  it('O-200B-1a: policy may accept the rejection; then there is no second INVITE', () => {
    const world = new World({ policy: { mediaPath: 'always', rejectedStreams: 'accept' }, isf: [ISF] });
    const near = interworkedInvite(world, 'orig', twoStreams);
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf1', [3001, 0, 0]) });
    world.settle();
    expect(world.isf.waiting).toEqual([]);
    expect(ports(bodyOf(near.response(200)))).toEqual([3001, 0, 0]);
  });

  it('O-200B-1: a 200 that did not come from the ISF is taken as it is', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const near = invite(world, 'orig', twoStreams);
    world.settle();
    world.core.incoming().respond(200, { sdp: chatSdp('bob', [3001, 0, 0]) });
    world.settle();
    expect(world.isf.waiting).toEqual([]);
    near.response(200);
  });

  it('O-200B-1-may: when the second session fails or is late, the first answer stands; one round only (A-12)', () => {
    for (const outcome of ['refused', 'late'] as const) {
      const world = new World({ ...b2bua, isf: [ISF] });
      const near = interworkedInvite(world, 'orig', twoStreams);
      world.settle();
      const first = world.isf.incoming();
      first.respond(200, { sdp: chatSdp('iwf1', [3001, 0, 0]) });
      world.settle();
      const second = world.isf.incoming();
      if (outcome === 'refused') second.respond(488);
      else {
        second.respond(180);
        world.advance(5000);
        second.expect('CANCEL');
      }
      world.settle();
      expect(ports(bodyOf(near.response(200)))).toEqual([3001, 0, 0]);
      near.ack();
      world.settle();
      expect(world.isf.waiting.filter((line) => line === 'INVITE')).toEqual([]);
      if (outcome === 'late') {
        // It answers after all: acknowledged and ended at once.
        second.respond(200, { sdp: chatSdp('iwf2', [3002]) });
        world.settle();
        second.expect('ACK');
        const bye = second.expect('BYE');
        second.respond(200, { to: bye });
      }
      near.bye();
      world.settle();
      const bye = first.expect('BYE');
      first.respond(200, { to: bye });
      world.settle();
      near.response(200, 'BYE');
      expect(leftovers(world)).toEqual([]);
    }
  });
});

describe('200 as B2BUA', () => {
  it('O-200B-2 O-200B-6: the client gets a 200 of its own, in its own dialog', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    const ok = near.response(200);
    expect(ok.callId).toBe(near.callId);
    expect(ok.fromTag).toBe(near.localTag);
    expect(ok.lines('via')).toHaveLength(1);
    expect(ok.header('via')).toContain('10.0.1.3');
  });

  it('O-200B-3: Server names our release, the far side behind it (A-07)', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(200, { sdp: chatSdp('bob'), headers: [['Server', 'CPM-client/OMA1.0 Bob/2']] });
    world.settle();
    expect(near.response(200).header('server')).toBe('CPM-serv/OMA2.0 cpm-engine/test CPM-client/OMA1.0 Bob/2');
  });

  it('O-200B-4: the answer is the far one under an origin of our own for this leg', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    const sdp = bodyOf(near.response(200));
    expect(sdp.replace(/^o=.*$/m, '')).toBe(chatSdp('bob').replace(/^o=.*$/m, ''));
    expect(origin(sdp).id).not.toBe(origin(bodyOf(far.invite)).id);
  });

  it('O-200B-5: the Contact is a SIP URI of ours that resolves back, also long after the session and a restart (A-14)', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(200, {
      sdp: chatSdp('focus'),
      headers: [['Contact', '<sip:conf-7@focus.example;gr=1>;isfocus']],
    });
    world.settle();
    const contact = near.response(200).contact;
    expect(contact?.uri).toMatch(/^sip:c0-[0-9a-f]+@10\.0\.0\.10:5060$/);
    expect(contact?.params).toBe(';isfocus');
    world.pf.crash();
    world.pf.start();
    // A client that rejoins the group uses the Contact it kept as Request-URI.
    world.peer('alice').invite({ uri: contact?.uri ?? '' });
    world.settle();
    expect(world.core.incoming().invite.uri).toBe('sip:conf-7@focus.example;gr=1');
  });

  it('O-200B-7 O-200B-7-rec O-200B-7a: the history begins when, and only when, allow-offline-storage is true', () => {
    for (const [profile, expected] of [
      [STORING, 1],
      [{ allowOfflineStorage: false }, 0],
    ] as const) {
      const world = new World({ ...b2bua, profile });
      establish(world, 'orig');
      expect(folders(world, 'sip:alice@home.example')).toHaveLength(expected);
    }
  });

  it('O-200B-7: preferences that come too late count as the safe default, and the call waits no longer (A-15)', () => {
    for (const [defaultAllowOfflineStorage, expected] of [
      [false, 0],
      [true, 1],
    ] as const) {
      const world = new World({
        policy: { mediaPath: 'always', defaultAllowOfflineStorage, preferencesTimeoutMs: 500 },
        profile: () => {},
      });
      const near = invite(world, 'orig');
      world.settle();
      near.response(100);
      expect(world.core.waiting).toEqual([]);
      world.advance(500);
      answer(world, near, world.core.incoming());
      expect(folders(world, 'sip:alice@home.example')).toHaveLength(expected);
    }
  });

  it('O-200B-7: preferences that come in time decide', () => {
    const world = new World({ ...b2bua });
    world.pf.profile = (_query, done) => {
      world.clock.schedule(300, { onTimer: () => done({ ...PROFILE, allowOfflineStorage: true }) }, 'xdms');
    };
    const near = invite(world, 'orig');
    world.advance(350);
    answer(world, near, world.core.incoming());
    expect(folders(world, 'sip:alice@home.example')).toHaveLength(1);
  });

  it('O-200B-7a-i O-200B-7a-ii O-200B-7a-iii O-200B-7a-iv: folder by Contribution-ID, Session Info Object, its UID in the pointer (A-18)', () => {
    const world = new World({ ...b2bua, profile: STORING });
    establish(world, 'orig', { headers: [['Subject', 'Lunch?']] });
    expect(folders(world, 'sip:alice@home.example')).toEqual([
      { user: 'sip:alice@home.example', conversationId: CONVERSATION, contributionId: CONTRIBUTION, objects: 1 },
    ]);
    expect(types(world, FOLDER)).toEqual({ 1: 'Application/X-CPM-Session' });
    expect(pointers(world, FOLDER)).toEqual({ SessionInfoObjectID: 1 });
    const content = objects(world, FOLDER)[0]?.content ?? '';
    expect(content).toContain('\r\nSubject: Lunch?\r\n');
    expect(content).toContain('\r\nMessage-Direction: out\r\n');
    expect(content).toContain('<session-type>1-1</session-type><sdp>v=0');
  });

  it('O-200B-7a-i O-200B-7a-ii: a folder that is there already is used again, with one Session Info Object (A-19)', () => {
    const world = new World({ ...b2bua, profile: STORING });
    establish(world, 'orig');
    establish(world, 'orig');
    expect(types(world, FOLDER)).toEqual({ 1: 'Application/X-CPM-Session' });
  });

  it('O-200B-7a-iv: the metadata writer has an off switch (A-54)', () => {
    const world = new World({ ...b2bua, profile: STORING, rules: { metadata: false } });
    establish(world, 'orig');
    expect(types(world, FOLDER)).toEqual({ 1: 'Application/X-CPM-Session' });
    expect(pointers(world, FOLDER)).toEqual({});
  });
});

describe('200 as proxy', () => {
  it('O-200P-1 O-200P-2: the 200 itself is forwarded, and so is what follows', () => {
    const world = new World({ ...proxy, profile: STORING });
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    near.response(180);
    far.respond(200, { sdp: chatSdp('bob'), headers: [['Server', 'Bob/1']] });
    world.settle();
    const ok = near.response(200);
    expect(ok.toTag).toBe(far.localTag);
    expect(ok.header('server')).toBe('Bob/1');
    expect(bodyOf(ok)).toBe(chatSdp('bob'));
    near.ack();
    world.settle();
    far.expect('ACK');
    far.request('INFO');
    world.settle();
    const info = near.expect('INFO');
    expect(info.lines('via')).toHaveLength(2);
    near.respond(200, { to: info });
    world.settle();
    far.response(200, 'INFO');
    expect(folders(world, 'sip:alice@home.example')).toEqual([]);
  });
});

describe('error responses', () => {
  it('O-ERR-1 O-ERR-2: a status policy names goes to the ISF, as B2BUA and as proxy (A-21)', () => {
    for (const mediaPath of ['always', 'never'] as const) {
      for (const status of [404, 405, 410, 415, 416, 488, 501]) {
        const world = new World({ policy: { mediaPath }, isf: [ISF] });
        const near = invite(world, 'orig');
        world.settle();
        world.core.incoming().respond(status);
        world.settle();
        const far = world.isf.incoming();
        expect(far.invite.uri).toBe('sip:bob@home.example');
        far.respond(200, { sdp: chatSdp('iwf') });
        world.settle();
        near.response(200);
      }
    }
  });

  it('O-ERR-1 O-ERR-2: after a 6xx a B2BUA may interwork; a proxy only if told so (A-22, RFC 3261 16.7)', () => {
    const cases = [
      [{ mediaPath: 'always' }, true],
      [{ mediaPath: 'never' }, false],
      [{ mediaPath: 'never', proxyInterworkOn6xx: true }, true],
    ] as const;
    for (const [policy, goes] of cases) {
      const world = new World({ policy, isf: [ISF] });
      const near = invite(world, 'orig');
      world.settle();
      world.core.incoming().respond(606);
      world.settle();
      expect(world.isf.waiting).toEqual(goes ? ['INVITE'] : []);
      if (!goes) near.response(606);
    }
  });

  it('O-ERR-3: any other status goes to the client, with its headers; 3xx and 480 too (A-21, A-57)', () => {
    for (const mediaPath of ['always', 'never'] as const) {
      for (const status of [302, 401, 403, 407, 480, 486, 487, 500, 503, 600, 603]) {
        const world = new World({ policy: { mediaPath }, isf: [ISF] });
        const near = invite(world, 'orig');
        world.settle();
        world.core.incoming().respond(status, {
          headers: [
            ['Retry-After', '7'],
            ['X-Any', 'thing'],
            ...(status === 302 ? ([['Contact', '<sip:new@home.example>']] as const) : []),
          ],
        });
        world.settle();
        const refusal = near.response(status);
        expect(refusal.header('x-any')).toBe('thing');
        if (status === 302) expect(uriIn(refusal.header('contact'))).toBe('sip:new@home.example');
        expect(world.isf.waiting).toEqual([]);
        near.ack();
        expect(leftovers(world)).toEqual([]);
      }
    }
  });

  it('O-ERR-1 O-ERR-3: the ISF has one chance; its own failure is final', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(404);
    world.settle();
    world.isf.incoming().respond(404);
    world.settle();
    near.response(404);
    expect(world.isf.waiting.filter((line) => line === 'INVITE')).toEqual([]);
    near.ack();
    expect(leftovers(world)).toEqual([]);
  });

  it('O-ERR-1: the user may have said no to interworking', () => {
    const world = new World({ ...b2bua, isf: [ISF], profile: { interworking: false } });
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(404);
    world.settle();
    near.response(404);
  });
});

describe('ACK', () => {
  it('O-ACK: as B2BUA the near ACK makes the far one; a late answer travels in it (A-23)', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig', { sdp: null });
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    expect(bodyOf(near.response(200))).toContain('m=message 2855');
    expect(far.has('ACK')).toBe(false);
    near.ack({ sdp: chatSdp('alice') });
    world.settle();
    const ack = far.expect('ACK');
    expect(bodyOf(ack)).toContain('/alice0;tcp');
    expect(origin(bodyOf(ack)).address).toBe('10.0.0.10');
  });

  it('O-ACK: as proxy it is forwarded by its route', () => {
    const world = new World(proxy);
    const { near, far } = establish(world, 'orig');
    expect(near.routes).toHaveLength(1);
    expect(far.routes).toHaveLength(1);
  });
});

const PROFILE = {
  known: true,
  user: null,
  services: null,
  doNotDisturb: false,
  blacklisted: false,
  interworking: null,
  clients: [],
  replacedInstance: null,
} as const;
