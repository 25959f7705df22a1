/** 8.3.2.3 and 8.3.2.4: BYE and session timer expiry in the terminating network; the terminating rows of the BYE table. */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, type Call, chatSdp, World } from '../../src/testing/index.ts';
import { objects, pointers, types } from '../support/history.ts';
import {
  establish,
  establishInterworked,
  establishTwoIwfs,
  ISF,
  interworkedInvite,
  invite,
  leftovers,
  ports,
  STORING,
  TERM_FOLDER,
} from '../support/session.ts';
import { resume, stall } from '../support/store.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const storing = { ...b2bua, profile: STORING } as const;

function answerBye(world: World, call: Call): void {
  call.respond(200, { to: call.expect('BYE') });
  world.settle();
}

describe('as proxy', () => {
  it('T-BYE-P-1 T-BYE-P-2: BYE and its 200 are forwarded along the path, from either side', () => {
    for (const by of ['near', 'far'] as const) {
      const world = new World({ policy: { mediaPath: 'never' }, profile: STORING });
      const { near, far } = establish(world, 'term');
      const [sender, receiver] = by === 'near' ? [near, far] : [far, near];
      sender.bye();
      world.settle();
      const bye = receiver.expect('BYE');
      expect(bye.callId).toBe(sender.callId);
      expect(bye.header('message-uid')).toBeUndefined();
      receiver.respond(200, { to: bye });
      world.settle();
      sender.response(200, 'BYE');
      expect(leftovers(world)).toEqual([]);
    }
  });
});

describe('BYE from the served client', () => {
  it('T-BYE-1 T-BYE-2a T-BYE-2b T-BYE-2c-i T-BYE-2c-iii: media freed, the other entity told, the client answered after it', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'term');
    far.bye();
    world.settle();
    expect(world.pf.released.map((leg) => leg.slice(-1)).sort()).toEqual(['a', 'b']);
    const bye = near.expect('BYE');
    expect(bye.callId).toBe(near.callId);
    expect(far.peer.waiting).not.toContain('200 BYE');
    near.respond(200, { to: bye });
    world.settle();
    expect(far.response(200, 'BYE').header('message-uid')).toBeUndefined();
    expect(leftovers(world)).toEqual([]);
  });

  it('T-BYE-2c-ii T-BYE-2c-ii-1 T-BYE-2c-ii-2 T-BYE-2c-ii-3: Group State and pointer are stored before the 200', () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'term');
    stall(world);
    far.bye();
    world.settle();
    answerBye(world, near);
    world.advance(1000);
    expect(far.peer.waiting).not.toContain('200 BYE');
    resume(world);
    world.settle();
    far.response(200, 'BYE');
    expect(types(world, TERM_FOLDER)).toEqual({
      1: 'Application/X-CPM-Session',
      2: 'Application/group-state-object+xml',
    });
    expect(pointers(world, TERM_FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    expect(leftovers(world)).toEqual([]);
  });

  it('T-BYE-2c-ii-1 T-BYE-2c-ii-3: an update is a new object and a pointer that moves; old ones are kept or removed (A-47)', () => {
    for (const [keepOldGroupState, uids] of [
      [true, ['1', '2', '3']],
      [false, ['1', '3']],
    ] as const) {
      const world = new World({ ...storing, rules: { keepOldGroupState } });
      for (let round = 0; round < 2; round++) {
        const { near, far } = establish(world, 'term');
        far.bye();
        world.settle();
        answerBye(world, near);
        far.response(200, 'BYE');
      }
      expect(Object.keys(types(world, TERM_FOLDER))).toEqual(uids);
      expect(pointers(world, TERM_FOLDER).GroupStateObjectID).toBe(3);
    }
  });

  it("T-BYE-2c-ii-4 T-BYE-2c-ii-5: the 200 to the client carries the Session Info Object's UID, read back where it was not known", () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'term');
    for (const session of world.pf.engine.sessions.values()) {
      (session.context.history as { sessionInfoUid: number | null }).sessionInfoUid = null;
    }
    far.bye();
    world.settle();
    answerBye(world, near);
    expect(far.response(200, 'BYE').header('message-uid')).toBe('1');
  });
});

describe('BYE from the other CPM entity', () => {
  it('T-BYE-1 T-BYE-3c-i T-BYE-3c-iii T-BYE-3d: the client is told; the entity has its 200 once the client has answered', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'term');
    near.bye();
    world.settle();
    const bye = far.expect('BYE');
    expect(bye.header('message-uid')).toBeUndefined();
    expect(near.peer.waiting).toEqual([]);
    far.respond(200, { to: bye });
    world.settle();
    near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('T-BYE-3a T-BYE-3c-ii: stored first; the BYE to the client carries the UID, the 200 to the entity does not', () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'term');
    stall(world);
    near.bye();
    world.advance(1000);
    expect(far.has('BYE')).toBe(false);
    resume(world);
    world.settle();
    const bye = far.expect('BYE');
    expect(bye.header('message-uid')).toBe('1');
    expect(pointers(world, TERM_FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    far.respond(200, { to: bye });
    world.settle();
    expect(near.response(200, 'BYE').header('message-uid')).toBeUndefined();
  });

  it('T-BYE-3a: the object is stored also where nothing can be said of it in time', () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'term');
    stall(world);
    near.bye();
    world.advance(1600);
    answerBye(world, far);
    near.response(200, 'BYE');
    resume(world);
    expect(leftovers(world)).toEqual([]);
    expect(objects(world, TERM_FOLDER)).toHaveLength(2);
  });

  it('T-BYE-3b-i T-BYE-3b-ii T-BYE-3d: an interworked session is ended at every IWF, without a UID', () => {
    const single = new World({ ...storing, isf: [ISF] });
    const one = establishInterworked(single, 'term');
    one.near.bye();
    single.settle();
    const bye = one.far.expect('BYE');
    expect(bye.header('message-uid')).toBeUndefined();
    one.far.respond(200, { to: bye });
    single.settle();
    one.near.response(200, 'BYE');
    expect(leftovers(single)).toEqual([]);

    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'term');
    near.bye();
    world.settle();
    answerBye(world, first);
    expect(near.peer.waiting).toEqual([]);
    answerBye(world, second);
    near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('T-BYE-3d: no answer of the client is waited for longer than the join limit (A-26)', () => {
    const world = new World(b2bua);
    const { near } = establish(world, 'term');
    near.bye();
    world.advance(1900);
    expect(near.peer.waiting).toEqual([]);
    world.advance(200);
    near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });
});

describe('BYE from an IWF', () => {
  it('T-BYE-4a: one of several takes its streams along: re-INVITE to the other entity, the BYE answered at once (A-31)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'term');
    second.bye();
    world.settle();
    second.response(200, 'BYE');
    const reinvite = near.expect('INVITE');
    expect(ports(bodyOf(reinvite))).toEqual([3001, 0]);
    expect(reinvite.callId).toBe(near.callId);
    near.respond(200, { to: reinvite });
    world.settle();
    near.expect('ACK');
    near.bye();
    world.settle();
    answerBye(world, first);
    near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('T-BYE-4b-ii T-BYE-4b-iii T-BYE-4b-iv: the last one ends it: BYE to the other entity, whose 200 lets the IWF have its own (A-48)', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, far } = establishInterworked(world, 'term');
    far.bye();
    world.settle();
    const bye = near.expect('BYE');
    expect(far.peer.waiting).toEqual([]);
    near.respond(200, { to: bye });
    world.settle();
    far.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('T-BYE-4b-i T-BYE-4b-ii: the whole session closes where policy says so: stored first, every other IWF told (A-32)', () => {
    const world = new World({ ...storing, policy: { mediaPath: 'always', partialClose: 'session' }, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'term');
    stall(world);
    first.bye();
    world.advance(500);
    expect(near.has('BYE') || second.has('BYE')).toBe(false);
    resume(world);
    world.settle();
    expect(pointers(world, TERM_FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    const toEntity = near.expect('BYE');
    // There is no CPM client on this session, so nobody gets a Message-UID.
    expect(toEntity.header('message-uid')).toBeUndefined();
    answerBye(world, second);
    expect(first.peer.waiting).not.toContain('200 BYE');
    near.respond(200, { to: toEntity });
    world.settle();
    first.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });
});

describe('session timer expiry', () => {
  const EXPIRY_MS = (1800 - 32) * 1000;
  const refreshing = {
    headers: [
      ['Session-Expires', '1800;refresher=uas'],
      ['Supported', 'timer'],
    ],
  } as const;

  function timed(world: World, interworked: boolean): { near: Call; far: Call } {
    const near = interworked ? interworkedInvite(world, 'term') : invite(world, 'term');
    world.settle();
    const far = interworked ? world.isf.incoming() : world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob'), ...refreshing });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    far.expect('ACK');
    return { near, far };
  }

  it('T-TMR-1 T-TMR-2 T-TMR-3 T-TMR-5a T-TMR-5b T-TMR-5c: Group State stored, both pointers set, then BYE with Message-UID to the client (A-01)', () => {
    const world = new World(storing);
    const { far } = timed(world, false);
    stall(world);
    world.advance(EXPIRY_MS + 1000);
    expect(far.has('BYE')).toBe(false);
    const written: string[] = [];
    const history = world.pf.history;
    const set = history.setPointer.bind(history);
    history.setPointer = (folder, pointer, uid, done) => {
      written.push(`${pointer}=${uid}`);
      set(folder, pointer, uid, done);
    };
    resume(world);
    world.settle();
    expect(written).toEqual(['GroupStateObjectID=2', 'SessionInfoObjectID=1']);
    expect(far.expect('BYE').header('message-uid')).toBe('1');
  });

  it('T-TMR-3: by its letter only the Session Info pointer is written, by symmetry only the Group State one (A-01)', () => {
    for (const [termTimerMetadata, expected] of [
      ['literal', { SessionInfoObjectID: 1 }],
      ['symmetric', { SessionInfoObjectID: 1, GroupStateObjectID: 2 }],
    ] as const) {
      const compat = { termTimerMetadata, termFolderIgnoresPreference: false, messageUid: 'sessionInfo' } as const;
      const world = new World({ profile: STORING, policy: { mediaPath: 'always', compat } });
      timed(world, false);
      world.advance(EXPIRY_MS);
      expect(types(world, TERM_FOLDER)[2]).toBe('Application/group-state-object+xml');
      expect(pointers(world, TERM_FOLDER)).toEqual(expected);
    }
  });

  it('T-TMR-6 T-TMR-7 T-TMR-8: the other entity gets its BYE, media is freed; without storage no UID (A-34)', () => {
    const world = new World(b2bua);
    const { near, far } = timed(world, false);
    world.advance(EXPIRY_MS);
    const toEntity = near.expect('BYE');
    const toClient = far.expect('BYE');
    expect(toClient.header('message-uid')).toBeUndefined();
    expect(world.pf.released.map((leg) => leg.slice(-1)).sort()).toEqual(['a', 'b']);
    near.respond(200, { to: toEntity });
    far.respond(200, { to: toClient });
    expect(leftovers(world)).toEqual([]);
  });

  it('T-TMR-4a T-TMR-4b T-TMR-6: an interworked session is ended at each IWF and at the other entity', () => {
    const world = new World({ ...storing, isf: [ISF] });
    const { near, far } = timed(world, true);
    world.advance(EXPIRY_MS);
    const toIwf = far.expect('BYE');
    expect(toIwf.header('message-uid')).toBeUndefined();
    far.respond(200, { to: toIwf });
    near.respond(200, { to: near.expect('BYE') });
    expect(leftovers(world)).toEqual([]);
    expect(pointers(world, TERM_FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });

    const several = new World({ ...b2bua, isf: [ISF] });
    const two = establishTwoIwfs(several, 'term');
    several.advance(900_000 + 32_000 + 100);
    for (const call of [two.first, two.second, two.near]) answerBye(several, call);
    expect(leftovers(several)).toEqual([]);
  });

  it('T-TMR-P: a proxy forgets and sends nothing (RFC 4028 8, A-35)', () => {
    const world = new World({ policy: { mediaPath: 'never' }, profile: STORING });
    const near = invite(world, 'term');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob'), headers: [['Session-Expires', '600;refresher=uas']] });
    world.settle();
    near.response(200);
    near.ack();
    world.advance(600_100);
    expect(world.pf.engine.sessions.size).toBe(0);
    expect(near.has('BYE') || far.has('BYE')).toBe(false);
  });
});
