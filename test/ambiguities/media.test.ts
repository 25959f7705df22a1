/** Media policy lets through, in an offer that comes with the INVITE and in one that comes late: A-38. */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, chatSdp, World } from '../../src/testing/index.ts';
import { ISF, interworkedInvite, invite, leftovers, ports } from '../support/session.ts';

const chatOnly = { mediaPath: 'always', allowedMedia: ['message'] } as const;
const mixed = (owner: string) => chatSdp(owner, [2855, 2856], ['message', 'video']);

describe('an offer in the INVITE', () => {
  it('A-38: pruned, it goes on with the bad lines at port 0 in their place; none left is a 488', () => {
    const world = new World({ policy: { ...chatOnly, sdpCheck: 'all' } });
    const near = invite(world, 'term', { sdp: mixed('alice') });
    world.settle();
    const far = world.core.incoming();
    expect(ports(bodyOf(far.invite))).toEqual([2855, 0]);
    far.respond(200, { sdp: chatSdp('bob', [4000, 0], ['message', 'video']) });
    world.settle();
    expect(ports(bodyOf(near.response(200)))).toEqual([4000, 0]);

    const bad = invite(world, 'term', { sdp: chatSdp('alice', [2856], ['video']) });
    world.settle();
    bad.response(488);
  });

  it('A-38: a pruned line is not one that an IWF rejected, and no client has to be able to take it', () => {
    const world = new World({ policy: { ...chatOnly, sdpCheck: 'all' }, isf: [ISF] });
    const near = interworkedInvite(world, 'term', { sdp: mixed('alice') });
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf', [4000, 0], ['message', 'video']) });
    world.settle();
    expect(ports(bodyOf(near.response(200)))).toEqual([4000, 0]);
    expect(world.isf.waiting).toEqual([]);

    const unfit = new World({
      policy: { ...chatOnly, sdpCheck: 'all' },
      profile: { clients: [{ instance: '', services: ['session'], media: ['video'] }] },
    });
    const refused = invite(unfit, 'term', { sdp: mixed('alice') });
    unfit.settle();
    refused.response(480);
  });

  it('A-38: the originating side checks nothing', () => {
    const world = new World({ policy: chatOnly });
    invite(world, 'orig', { sdp: mixed('alice') });
    world.settle();
    expect(ports(bodyOf(world.core.incoming().invite))).toEqual([2855, 2856]);
  });
});

describe('a late offer', () => {
  it('A-38: it is tested on the answer: 488 for the inviter, an ACK that takes nothing and a BYE for the client', () => {
    const world = new World({ policy: chatOnly });
    const near = invite(world, 'term', { sdp: null });
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: mixed('bob') });
    world.settle();
    near.response(488);
    near.ack();
    // RFC 3261 13.2.2.4: an unacceptable offer is answered all the same, then the dialog is ended.
    expect(ports(bodyOf(far.expect('ACK')))).toEqual([0, 0]);
    far.respond(200, { to: far.expect('BYE') });
    world.settle();
    expect(leftovers(world)).toEqual([]);
    expect(world.pf.engine.counters.byReason).toEqual({ refused: 1 });
  });

  it('A-38: pruned, it reaches the inviter with the bad lines at port 0', () => {
    const world = new World({ policy: { ...chatOnly, sdpCheck: 'all' } });
    const near = invite(world, 'term', { sdp: null });
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: mixed('bob') });
    world.settle();
    expect(ports(bodyOf(near.response(200)))).toEqual([2855, 0]);
    near.ack({ sdp: chatSdp('alice', [3000, 0], ['message', 'video']) });
    world.settle();
    expect(ports(bodyOf(far.expect('ACK')))).toEqual([3000, 0]);
  });

  it('A-38: one that is all right passes, and a proxy judges none', () => {
    for (const [mediaPath, sdp] of [
      ['always', chatSdp('bob')],
      ['never', mixed('bob')],
    ] as const) {
      const world = new World({ policy: { ...chatOnly, mediaPath } });
      const near = invite(world, 'term', { sdp: null });
      world.settle();
      world.core.incoming().respond(200, { sdp });
      world.settle();
      expect(ports(bodyOf(near.response(200)))).toEqual(ports(sdp));
    }
  });

  it('RFC 3261 13.2.2.4: a late offer that comes after the CANCEL is answered before its BYE', () => {
    const world = new World({ policy: { mediaPath: 'always' } });
    const near = invite(world, 'term', { sdp: null });
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    near.cancel();
    far.respond(200, { sdp: mixed('bob') });
    world.settle();
    expect(ports(bodyOf(far.expect('ACK')))).toEqual([0, 0]);
    far.expect('BYE');
  });
});
