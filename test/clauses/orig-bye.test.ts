/** 8.2.2.3: BYE in the originating network; the originating rows of the BYE table (digest 2.2). */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, type Call, World } from '../../src/testing/index.ts';
import { objects, pointers, types } from '../support/history.ts';
import {
  establish,
  establishInterworked,
  establishTwoIwfs,
  FOLDER,
  ISF,
  leftovers,
  origin,
  ports,
  STORING,
} from '../support/session.ts';
import { resume, stall } from '../support/store.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const storing = { ...b2bua, profile: STORING } as const;

/** Answers the BYE that waits on a call. */
function answerBye(world: World, call: Call): void {
  call.respond(200, { to: call.expect('BYE') });
  world.settle();
}

describe('as proxy', () => {
  it('O-BYE-P-1 O-BYE-P-2: BYE and its 200 are forwarded, from either side, and nothing is added', () => {
    for (const by of ['near', 'far'] as const) {
      const world = new World({ policy: { mediaPath: 'never' }, profile: STORING });
      const { near, far } = establish(world, 'orig');
      const [sender, receiver] = by === 'near' ? [near, far] : [far, near];
      sender.bye({ headers: [['Reason', 'SIP;cause=200']] });
      world.settle();
      const bye = receiver.expect('BYE');
      expect(bye.lines('via')).toHaveLength(2);
      expect(bye.header('reason')).toBe('SIP;cause=200');
      expect(bye.header('message-uid')).toBeUndefined();
      expect(sender.peer.waiting).not.toContain('200 BYE');
      receiver.respond(200, { to: bye, headers: [['X-Seen', 'yes']] });
      world.settle();
      const ok = sender.response(200, 'BYE');
      expect(ok.header('x-seen')).toBe('yes');
      expect(ok.header('message-uid')).toBeUndefined();
      expect(leftovers(world)).toEqual([]);
      expect(world.pf.released).toEqual([]);
    }
  });
});

describe('BYE from the served client', () => {
  it('O-BYE-1 O-BYE-2b-i O-BYE-2b-ii: media is freed and the other entity gets a BYE in its own dialog', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.bye({ headers: [['Reason', 'User;cause=1']] });
    world.settle();
    const bye = far.expect('BYE');
    expect(bye.callId).toBe(far.invite.callId);
    expect(bye.fromTag).toBe(far.invite.fromTag);
    expect(bye.toTag).toBe(far.localTag);
    expect(bye.cseq?.number).toBe(2);
    expect(bye.header('reason')).toBe('User;cause=1');
    expect(bye.header('message-uid')).toBeUndefined();
    expect(world.pf.released.map((leg) => leg.slice(-1)).sort()).toEqual(['a', 'b']);
    expect(near.peer.waiting).toEqual([]);
  });

  it('O-BYE-2c-i O-BYE-2c-iii: the client gets its 200 once the other entity has answered', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.bye();
    world.settle();
    expect(near.peer.waiting).toEqual([]);
    answerBye(world, far);
    expect(near.response(200, 'BYE').header('message-uid')).toBeUndefined();
    expect(leftovers(world)).toEqual([]);
  });

  it('O-BYE-2c-i O-BYE-2c-iii: any final answer counts, and after the join limit none is waited for (A-26)', () => {
    for (const outcome of [481, 408, 500, 'silence'] as const) {
      const world = new World(b2bua);
      const { near, far } = establish(world, 'orig');
      near.bye();
      world.settle();
      const bye = far.expect('BYE');
      if (outcome === 'silence') {
        world.advance(1900);
        expect(near.peer.waiting).toEqual([]);
        world.advance(100);
      } else {
        far.respond(outcome, { to: bye });
        world.settle();
      }
      near.response(200, 'BYE');
      expect(near.peer.waiting).toEqual([]);
      expect(leftovers(world)).toEqual([]);
    }
  });

  it('O-BYE-2a-i O-BYE-2a-ii: an interworked session is ended at every IWF', () => {
    const single = new World({ ...b2bua, isf: [ISF] });
    const { near, far } = establishInterworked(single, 'orig');
    near.bye();
    single.settle();
    answerBye(single, far);
    near.response(200, 'BYE');
    expect(single.core.waiting).toEqual([]);

    const world = new World({ ...b2bua, isf: [ISF] });
    const two = establishTwoIwfs(world, 'orig');
    two.near.bye();
    world.settle();
    answerBye(world, two.first);
    expect(two.near.peer.waiting).toEqual(['100 INVITE'].slice(1));
    answerBye(world, two.second);
    two.near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('O-BYE-2c-ii O-BYE-2c-ii-1 O-BYE-2c-ii-2 O-BYE-2c-ii-3: the Group State Object and its pointer are there before the 200', () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'orig');
    near.bye();
    world.settle();
    // storing runs beside the far BYE.
    expect(types(world, FOLDER)).toEqual({
      1: 'Application/X-CPM-Session',
      2: 'Application/group-state-object+xml',
    });
    expect(pointers(world, FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    expect(near.peer.waiting).toEqual([]);
    answerBye(world, far);
    near.response(200, 'BYE');
    const state = objects(world, FOLDER)[1]?.content ?? '';
    expect(state).toContain('group-type="1-1"');
    expect(state).toContain('comm-addr="sip:alice@home.example"');
    expect(state).toContain('comm-addr="sip:bob@home.example"');
    expect(state).toContain('lastfocussessionid="sip:core@10.0.0.20:5060"');
  });

  it('O-BYE-2c-ii-1: a session of two may be spared its Group State Object (A-28)', () => {
    const world = new World({ ...storing, groupState: 'groupOnly' });
    const { near, far } = establish(world, 'orig');
    near.bye();
    world.settle();
    answerBye(world, far);
    expect(near.response(200, 'BYE').header('message-uid')).toBe('1');
    expect(types(world, FOLDER)).toEqual({ 1: 'Application/X-CPM-Session' });
  });

  it("O-BYE-2c-ii-4 O-BYE-2c-ii-5: Message-UID is the Session Info Object's, read from the pointer where it was not known", () => {
    const world = new World(storing);
    const first = establish(world, 'orig');
    first.near.bye();
    world.settle();
    answerBye(world, first.far);
    expect(first.near.response(200, 'BYE').header('message-uid')).toBe('1');

    // Stored before this process began: only the pointer knows.
    const again = establish(world, 'orig');
    for (const session of world.pf.engine.sessions.values()) {
      (session.context.history as { sessionInfoUid: number | null }).sessionInfoUid = null;
    }
    again.near.bye();
    world.settle();
    answerBye(world, again.far);
    expect(again.near.response(200, 'BYE').header('message-uid')).toBe('1');
  });

  it('O-BYE-2c-ii O-BYE-2c-ii-5: a store that is too slow costs the header, not the answer (A-29, A-34)', () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'orig');
    stall(world);
    near.bye();
    world.settle();
    answerBye(world, far);
    world.advance(1400);
    expect(near.peer.waiting).toEqual([]);
    world.advance(100);
    expect(near.response(200, 'BYE').header('message-uid')).toBeUndefined();
    expect(world.pf.outbox.depth).toBe(1);
    resume(world);
    world.advance(60_000);
    expect(pointers(world, FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    expect(leftovers(world)).toEqual([]);
  });

  it("O-BYE-2c-ii-5: without storage there is no Message-UID, and a client's own is not believed (A-34)", () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig', { headers: [['Message-UID', '666']] });
    expect(far.invite.header('message-uid')).toBeUndefined();
    near.bye({ headers: [['Message-UID', '666']] });
    world.settle();
    const bye = far.expect('BYE');
    expect(bye.header('message-uid')).toBeUndefined();
    far.respond(200, { to: bye, headers: [['Message-UID', '667']] });
    world.settle();
    expect(near.response(200, 'BYE').header('message-uid')).toBeUndefined();
  });
});

describe('BYE from the other CPM entity', () => {
  it('O-BYE-1 O-BYE-3a O-BYE-3c O-BYE-3d: the client is told, and the entity answered once the client has', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    far.bye();
    world.settle();
    expect(world.pf.released.length).toBeGreaterThan(0);
    const bye = near.expect('BYE');
    expect(bye.callId).toBe(near.callId);
    expect(bye.header('message-uid')).toBeUndefined();
    expect(far.peer.waiting).not.toContain('200 BYE');
    near.respond(200, { to: bye });
    world.settle();
    far.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('O-BYE-3b-i O-BYE-3b-ii O-BYE-3c: the session is stored first, and its UID goes with the BYE', () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'orig');
    stall(world);
    far.bye();
    world.advance(1000);
    // nobody is told before the store has answered or its budget is spent.
    expect(near.has('BYE')).toBe(false);
    resume(world);
    world.advance(400);
    const bye = near.expect('BYE');
    expect(bye.header('message-uid')).toBe('1');
    expect(pointers(world, FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    near.respond(200, { to: bye });
    world.settle();
    expect(far.response(200, 'BYE').header('message-uid')).toBeUndefined();
    expect(leftovers(world)).toEqual([]);
  });

  it('O-BYE-3b-ii: with the budget spent the BYE goes all the same', () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'orig');
    stall(world);
    far.bye();
    world.advance(1499);
    expect(near.has('BYE')).toBe(false);
    world.settle();
    near.respond(200, { to: near.expect('BYE') });
    world.settle();
    far.response(200, 'BYE');
    resume(world);
    expect(leftovers(world)).toEqual([]);
    expect(pointers(world, FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
  });
});

describe('BYE from an IWF', () => {
  it('O-BYE-4a: one of several takes only its streams along: re-INVITE with port 0, the BYE answered at once (A-24, A-31)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'orig');
    first.bye();
    world.settle();
    first.response(200, 'BYE');
    const reinvite = near.expect('INVITE');
    expect(ports(bodyOf(reinvite))).toEqual([0, 3002]);
    expect(origin(bodyOf(reinvite)).version).toBe(2);
    expect(world.pf.released.map((leg) => leg.split('.')[1])).toEqual(['b']);
    near.respond(200, { to: reinvite });
    world.settle();
    near.expect('ACK');
    expect(second.has('BYE')).toBe(false);
    near.bye();
    world.settle();
    answerBye(world, second);
    near.response(200, 'BYE');
    expect(first.peer.waiting).toEqual([]);
    expect(leftovers(world)).toEqual([]);
  });

  it('O-BYE-4a: 491 is tried again; 481 ends the session; the last IWF ends it too (A-31)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'orig');
    first.bye();
    world.settle();
    near.respond(491, { to: near.expect('INVITE') });
    world.settle();
    near.expect('ACK');
    expect(near.has('INVITE')).toBe(false);
    // RFC 3261 14.1: the Call-ID is the caller's.
    world.advance(2000);
    const again = near.expect('INVITE');
    expect(ports(bodyOf(again))).toEqual([0, 3002]);
    near.respond(200, { to: again });
    world.settle();
    near.expect('ACK');
    second.bye();
    world.settle();
    answerBye(world, near);
    second.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);

    const gone = new World({ ...b2bua, isf: [ISF] });
    const lost = establishTwoIwfs(gone, 'orig');
    lost.first.bye();
    gone.settle();
    lost.near.respond(481, { to: lost.near.expect('INVITE') });
    gone.settle();
    answerBye(gone, lost.second);
    expect(lost.near.has('BYE')).toBe(false);
    expect(leftovers(gone)).toEqual([]);
  });

  it("O-BYE-4b-i O-BYE-4b-iii O-BYE-4b-iv: a single IWF ends the session: BYE to the client, then the IWF's 200", () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, far } = establishInterworked(world, 'orig');
    far.bye();
    world.settle();
    const bye = near.expect('BYE');
    expect(far.peer.waiting).toEqual([]);
    near.respond(200, { to: bye });
    world.settle();
    far.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('O-BYE-4b-i O-BYE-4b-iii: where policy closes the whole session, every other IWF is told as well (A-32)', () => {
    const world = new World({ policy: { mediaPath: 'always', partialClose: 'session' }, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'orig');
    second.bye();
    world.settle();
    answerBye(world, first);
    expect(second.peer.waiting).not.toContain('200 BYE');
    answerBye(world, near);
    second.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('O-BYE-4b-ii-1 O-BYE-4b-ii-2: it is stored first; Message-UID goes to the client and never to an IWF', () => {
    const world = new World({ ...storing, policy: { mediaPath: 'always', partialClose: 'session' }, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'orig');
    first.bye();
    world.settle();
    expect(pointers(world, FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    const bye = near.expect('BYE');
    expect(bye.header('message-uid')).toBe('1');
    near.respond(200, { to: bye });
    const other = second.expect('BYE');
    expect(other.header('message-uid')).toBeUndefined();
    second.respond(200, { to: other });
    world.settle();
    expect(first.response(200, 'BYE').header('message-uid')).toBeUndefined();
    expect(leftovers(world)).toEqual([]);
  });
});
