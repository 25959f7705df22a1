/** 8.2.2.4: session timer expiry in the originating network (RFC 4028, A-33). */
import { describe, expect, it } from '@jest/globals';
import { type Call, chatSdp, World } from '../../src/testing/index.ts';
import { objects, pointers } from '../support/history.ts';
import { type Established, establishTwoIwfs, FOLDER, ISF, invite, leftovers, STORING } from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
/** RFC 4028 10: the interval less a third of it, at most 32 s. */
const EXPIRY_MS = (1800 - 32) * 1000;

/** A session whose peers have both taken over the refreshing. */
function establishTimed(world: World): Established {
  const near = invite(world, 'orig');
  world.settle();
  const far = world.core.incoming();
  far.respond(200, {
    sdp: chatSdp('bob'),
    headers: [
      ['Session-Expires', '1800;refresher=uas'],
      ['Supported', 'timer'],
    ],
  });
  world.settle();
  near.response(200);
  near.ack();
  world.settle();
  far.expect('ACK');
  return { near, far };
}

function answerBye(world: World, call: Call): void {
  call.respond(200, { to: call.expect('BYE') });
  world.settle();
}

describe('expiry as B2BUA', () => {
  it('O-TMR-1 O-TMR-3 O-TMR-5a O-TMR-5b O-TMR-6: BYE to the client and to the other entity, media freed', () => {
    const world = new World(b2bua);
    const { near, far } = establishTimed(world);
    world.advance(EXPIRY_MS - 1000);
    expect(near.has('BYE')).toBe(false);
    world.advance(1000);
    const toClient = near.expect('BYE');
    expect(toClient.callId).toBe(near.callId);
    expect(toClient.header('message-uid')).toBeUndefined();
    const toEntity = far.expect('BYE');
    expect(toEntity.callId).toBe(far.callId);
    expect(world.pf.released.map((leg) => leg.slice(-1)).sort()).toEqual(['a', 'b']);
    near.respond(200, { to: toClient });
    far.respond(200, { to: toEntity });
    expect(leftovers(world)).toEqual([]);
    expect(world.pf.engine.counters.byReason).toEqual({ sessionTimer: 1 });
  });

  it('O-TMR-4a O-TMR-4b: an interworked session is ended at each IWF', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'orig');
    // Nobody answers the refreshes of the IWF legs any more.
    world.advance(900_000 + 32_000 + 100);
    for (const iwf of [first, second]) answerBye(world, iwf);
    answerBye(world, near);
    expect(leftovers(world)).toEqual([]);
  });

  it('O-TMR-2a O-TMR-2a-i O-TMR-2a-ii O-TMR-2a-iii O-TMR-2b: Group State and pointer first, then the BYE with Message-UID', () => {
    const world = new World({ ...b2bua, profile: STORING });
    const { near, far } = establishTimed(world);
    world.advance(EXPIRY_MS);
    expect(pointers(world, FOLDER)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    expect(objects(world, FOLDER)).toHaveLength(2);
    expect(near.expect('BYE').header('message-uid')).toBe('1');
    expect(far.expect('BYE').header('message-uid')).toBeUndefined();
  });

  it("O-TMR-2b: read by its letter, the text gives the Group State's UID (A-27)", () => {
    const world = new World({
      profile: STORING,
      policy: {
        mediaPath: 'always',
        compat: { termTimerMetadata: 'both', termFolderIgnoresPreference: false, messageUid: 'literal' },
      },
    });
    const { near } = establishTimed(world);
    world.advance(EXPIRY_MS);
    expect(near.expect('BYE').header('message-uid')).toBe('2');
  });

  it('O-TMR-1: a refresh in time puts the expiry off, whoever sends it (A-33)', () => {
    const world = new World(b2bua);
    const { near, far } = establishTimed(world);
    world.advance(900_000);
    // An UPDATE without an offer concerns its own leg alone.
    near.request('UPDATE', {
      headers: [
        ['Session-Expires', '1800;refresher=uac'],
        ['Supported', 'timer'],
      ],
    });
    world.settle();
    expect(near.response(200, 'UPDATE').header('session-expires')).toBe('1800;refresher=uac');
    expect(far.has('UPDATE')).toBe(false);
    far.request('UPDATE', {
      headers: [
        ['Session-Expires', '1800;refresher=uac'],
        ['Supported', 'timer'],
      ],
    });
    world.settle();
    far.response(200, 'UPDATE');
    world.advance(EXPIRY_MS - 1000);
    expect(near.has('BYE')).toBe(false);
    world.advance(1000);
    expect(near.has('BYE')).toBe(true);
  });

  it('O-TMR-1: where refreshing is ours it happens at half the interval; only its failure is the expiry (A-33)', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, {
      sdp: chatSdp('bob'),
      headers: [
        ['Session-Expires', '1800;refresher=uac'],
        ['Allow', 'INVITE, BYE'],
      ],
    });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    far.expect('ACK');
    for (let round = 0; round < 3; round++) {
      world.advance(900_000);
      const refresh = far.expect('INVITE');
      expect(refresh.header('session-expires')).toBe('1800;refresher=uac');
      far.respond(200, { to: refresh, sdp: chatSdp('bob'), headers: [['Session-Expires', '1800;refresher=uac']] });
      near.request('UPDATE', {
        headers: [
          ['Session-Expires', '1800;refresher=uac'],
          ['Supported', 'timer'],
        ],
      });
      world.settle();
      near.response(200, 'UPDATE');
      far.expect('ACK');
    }
    world.advance(900_000);
    far.respond(481, { to: far.expect('INVITE') });
    world.settle();
    far.expect('ACK');
    answerBye(world, near);
    expect(far.has('BYE')).toBe(false);
    expect(leftovers(world)).toEqual([]);
    expect(world.pf.engine.counters.byReason).toEqual({ sessionTimer: 1 });
  });

  it('O-TMR-1: UPDATE refreshes where the peer takes it; 422 is obeyed; 491 is tried again', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, {
      sdp: chatSdp('bob'),
      headers: [
        ['Session-Expires', '1800;refresher=uac'],
        ['Allow', 'INVITE, UPDATE'],
      ],
    });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    world.advance(900_000);
    far.respond(422, { to: far.expect('UPDATE'), headers: [['Min-SE', '2400']] });
    world.settle();
    const longer = far.expect('UPDATE');
    expect(longer.header('session-expires')).toBe('2400;refresher=uac');
    far.respond(491, { to: longer });
    world.settle();
    // RFC 3261 14.1: the Call-ID is ours.
    world.advance(4000);
    far.respond(200, { to: far.expect('UPDATE'), headers: [['Session-Expires', '2400;refresher=uac']] });
    world.settle();
    expect(world.pf.engine.sessions.size).toBe(1);
  });
});

describe('as proxy', () => {
  it('O-TMR-P: on expiry a proxy forgets the session and sends nothing (A-35)', () => {
    const world = new World({ policy: { mediaPath: 'never' }, profile: STORING });
    const near = invite(world, 'orig', {
      headers: [
        ['Session-Expires', '600'],
        ['Supported', 'timer'],
      ],
    });
    world.settle();
    const far = world.core.incoming();
    expect(far.invite.header('session-expires')).toBe('600');
    far.respond(200, { sdp: chatSdp('bob'), headers: [['Session-Expires', '600;refresher=uac']] });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    expect(world.pf.engine.sessions.size).toBe(1);
    world.advance(600_000);
    expect(world.pf.engine.sessions.size).toBe(0);
    expect(near.has('BYE') || far.has('BYE')).toBe(false);
    expect(leftovers(world)).toEqual([]);
  });

  it('O-TMR-P: it asks for an interval where there is none, lowers a longer one, and never below Min-SE', () => {
    const cases = [
      [[], '1800'],
      [[['Session-Expires', '7200;refresher=uac']], '1800;refresher=uac'],
      [
        [
          ['Session-Expires', '7200'],
          ['Min-SE', '3600'],
        ],
        '3600',
      ],
      [[['Session-Expires', '300']], '300'],
    ] as const;
    for (const [headers, expected] of cases) {
      const world = new World({ policy: { mediaPath: 'never' } });
      invite(world, 'orig', { headers: headers as never });
      world.settle();
      expect(world.core.incoming().invite.header('session-expires')).toBe(expected);
    }
  });

  it('O-TMR-P: where only the caller knows timers, the 200 makes it refresh (RFC 4028 8.2); below our minimum it gets 422', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(200, { sdp: chatSdp('bob') });
    world.settle();
    const ok = near.response(200);
    expect(ok.header('session-expires')).toBe('1800;refresher=uac');
    expect(ok.header('require')).toBe('timer');

    const small = invite(world, 'orig', {
      headers: [
        ['Session-Expires', '30'],
        ['Supported', 'timer'],
      ],
    });
    world.settle();
    expect(small.response(422).header('min-se')).toBe('90');
  });

  it('O-TMR-P: a refresh that passes renews what is watched', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob'), headers: [['Session-Expires', '600;refresher=uac']] });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    world.advance(300_000);
    near.request('UPDATE', { headers: [['Session-Expires', '600;refresher=uac']] });
    world.settle();
    const update = far.expect('UPDATE');
    far.respond(200, { to: update, headers: [['Session-Expires', '600;refresher=uac']] });
    world.settle();
    near.response(200, 'UPDATE');
    world.advance(500_000);
    expect(world.pf.engine.sessions.size).toBe(1);
    world.advance(100_000);
    expect(world.pf.engine.sessions.size).toBe(0);
  });
});
