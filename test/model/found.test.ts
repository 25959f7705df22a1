/** What the model check found in the statechart, each as it looks from outside, on the virtual network. */
import { describe, expect, it } from '@jest/globals';
import { chatSdp, World } from '../../src/testing/index.ts';
import { establish, ISF, interworkedInvite, invite, leftovers } from '../support/session.ts';

const ROLES = ['orig', 'term'] as const;
const b2bua = { policy: { mediaPath: 'always' } } as const;
const proxy = { policy: { mediaPath: 'never' } } as const;

function orderEnd(world: World, by: 'operator' | 'shutdown' = 'shutdown'): void {
  for (const id of [...world.pf.engine.sessions.keys()]) world.pf.engine.end(id, by);
  world.settle();
}

describe('invariant 1, RFC 3261 15: an inviter whose ACK was heard by a process that is gone', () => {
  it.each(ROLES)('still hears BYE when the far side ends the session (%s)', (role) => {
    const world = new World(b2bua);
    const near = invite(world, role);
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    // The session is stored with the INFO that is under way, so after the 200 and before its ACK.
    far.request('INFO');
    world.settle();
    near.respond(200, { to: near.expect('INFO') });
    near.ack();
    world.settle();
    world.pf.crash();
    world.advance(100);
    world.pf.start();
    world.settle();
    far.bye();
    world.advance(40_000);
    expect(near.has('BYE')).toBe(true);
    near.respond(200, { to: near.expect('BYE') });
    expect(leftovers(world)).toEqual([]);
  });
});

describe('invariant 5, RFC 3261 16.10: an order that ends a session in proxy mode before its answer', () => {
  it.each(ROLES)('is a CANCEL, and the 487 that follows goes to the caller (%s)', (role) => {
    const world = new World(proxy);
    const near = invite(world, role);
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    near.response(180);
    orderEnd(world);
    expect(near.peer.waiting).not.toContain('503 INVITE');
    far.respond(200, { to: far.expect('CANCEL') });
    far.respond(487);
    world.settle();
    near.response(487);
    near.ack();
    expect(leftovers(world)).toEqual([]);
    expect(world.pf.engine.counters.byReason).toEqual({ shutdown: 1 });
  });

  it.each(ROLES)('lets a 2xx through that crosses the CANCEL, and says nothing of its own (%s)', (role) => {
    const world = new World(proxy);
    const near = invite(world, role);
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    orderEnd(world);
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    far.expect('ACK');
    expect(far.has('BYE')).toBe(false);
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    world.settle();
    near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('lets an early BYE be answered, and waits for the end of the INVITE all the same', () => {
    const world = new World(proxy);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    near.response(180);
    near.bye();
    world.settle();
    const bye = far.expect('BYE');
    orderEnd(world);
    far.respond(200, { to: bye });
    world.settle();
    near.response(200, 'BYE');
    expect(world.pf.engine.sessions.size).toBe(1);
    far.respond(487);
    world.settle();
    near.response(487);
    near.ack();
    expect(leftovers(world)).toEqual([]);
  });

  it('answers 408 where nothing follows the CANCEL', () => {
    const world = new World(proxy);
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(180);
    world.settle();
    orderEnd(world);
    world.advance(40_000);
    near.response(408);
    near.ack();
    expect(leftovers(world)).toEqual([]);
  });
});

describe('RFC 3261 13.2.2.4: a far side that says BYE before the inviter has sent its ACK', () => {
  it.each(ROLES)('has its 2xx acknowledged all the same (%s)', (role) => {
    const world = new World(b2bua);
    const near = invite(world, role);
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    far.bye();
    world.settle();
    far.expect('ACK');
    near.response(200);
    near.ack();
    world.settle();
    near.respond(200, { to: near.expect('BYE') });
    world.settle();
    far.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });
});

describe('invariant 11, RFC 3261 15: BYE of a second IWF that has not answered yet', () => {
  it.each(ROLES)('is refused, and its INVITE is not forgotten (%s)', (role) => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const near = interworkedInvite(world, role, { sdp: chatSdp('alice', [2855, 2856]) });
    world.settle();
    const first = world.isf.incoming();
    first.respond(200, { sdp: chatSdp('iwf1', [3001, 0]) });
    world.settle();
    first.expect('ACK');
    const second = world.isf.incoming();
    second.respond(180);
    world.settle();
    second.bye();
    world.settle();
    second.response(481, 'BYE');
    second.respond(200, { sdp: chatSdp('iwf2', [3002]) });
    world.settle();
    second.expect('ACK');
    near.response(200);
    near.ack();
    world.settle();
    near.bye();
    world.settle();
    for (const iwf of [first, second]) iwf.respond(200, { to: iwf.expect('BYE') });
    expect(leftovers(world)).toEqual([]);
  });
});

describe('liveness: a session in proxy mode of which nobody keeps a timer', () => {
  it('is forgotten after a day, and its BYE still finds its way (RFC 3261 16.12)', () => {
    const world = new World(proxy);
    const { near, far } = establish(world, 'orig', { headers: [['Supported', '100rel']] });
    world.advance(86_300_000);
    expect(world.pf.engine.sessions.size).toBe(1);
    world.advance(200_000);
    expect(world.pf.engine.sessions.size).toBe(0);
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    world.settle();
    near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });
});
