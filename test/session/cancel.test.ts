/** CANCEL in every phase (RFC 3261 9, digest 3.9), in both roles and both modes. */
import { describe, expect, it } from '@jest/globals';
import { chatSdp, World } from '../../src/testing/index.ts';
import { establish, ISF, interworkedInvite, invite, leftovers } from '../support/session.ts';

const ROLES = ['orig', 'term'] as const;

describe('CANCEL as B2BUA', () => {
  it('RFC 3261 9.2: after 180 the caller gets 200 and 487, the far side a CANCEL with the same branch', () => {
    for (const role of ROLES) {
      const world = new World({ policy: { mediaPath: 'always' } });
      const near = invite(world, role);
      world.settle();
      const far = world.core.incoming();
      far.respond(180);
      world.settle();
      near.cancel({ headers: [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']] });
      world.settle();
      near.response(200, 'CANCEL');
      near.response(487);
      near.ack();
      const cancel = far.expect('CANCEL');
      expect(cancel.branch).toBe(far.invite.branch);
      expect(cancel.cseq?.number).toBe(1);
      expect(cancel.header('reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
      far.respond(200, { to: cancel });
      far.respond(487);
      world.settle();
      far.expect('ACK');
      expect(world.pf.engine.sessions.size).toBe(0);
      expect(leftovers(world)).toEqual([]);
    }
  });

  it('RFC 3261 9.2: a CANCEL for nothing is a 481', () => {
    const world = new World();
    const { near } = establish(world, 'orig');
    near.invite.set('Via', 'SIP/2.0/UDP 10.0.1.3:5060;branch=z9hG4bKother');
    near.cancel();
    world.settle();
    near.response(481, 'CANCEL');
  });

  it('RFC 3261 9.1: a far side that never ends a cancelled INVITE is given up after 64*T1', () => {
    const world = new World({ policy: { mediaPath: 'always' } });
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    near.cancel();
    world.settle();
    near.response(487);
    near.ack();
    expect(world.pf.engine.sessions.size).toBe(1);
    world.advance(32_100);
    expect(world.pf.engine.sessions.size).toBe(0);
    expect(leftovers(world)).toEqual([]);
  });

  it('A-12: during a secondary attempt both IWFs are let go, each as its state asks', () => {
    const world = new World({ policy: { mediaPath: 'always' }, isf: [ISF] });
    const near = interworkedInvite(world, 'orig', { sdp: chatSdp('alice', [2855, 2856]) });
    world.settle();
    const first = world.isf.incoming();
    first.respond(200, { sdp: chatSdp('iwf1', [3001, 0]) });
    world.settle();
    first.expect('ACK');
    const second = world.isf.incoming();
    second.respond(180);
    world.settle();
    near.cancel();
    world.settle();
    near.response(487);
    near.ack();
    first.respond(200, { to: first.expect('BYE') });
    second.respond(200, { to: second.expect('CANCEL') });
    second.respond(487);
    expect(leftovers(world)).toEqual([]);
  });

  it('A-15: while preferences are still looked up there is nobody to tell but the caller', () => {
    const world = new World({ profile: () => {} });
    const near = invite(world, 'orig');
    world.settle();
    near.cancel();
    world.settle();
    near.response(487);
    near.ack();
    expect(world.core.waiting).toEqual([]);
    expect(leftovers(world)).toEqual([]);
  });
});

describe('CANCEL as proxy', () => {
  it('RFC 3261 16.10: it goes on, and the 487 that follows comes back', () => {
    for (const role of ROLES) {
      const world = new World({ policy: { mediaPath: 'never' } });
      const near = invite(world, role);
      world.settle();
      const far = world.core.incoming();
      far.respond(180);
      world.settle();
      near.response(180);
      near.cancel();
      world.settle();
      near.response(200, 'CANCEL');
      expect(near.peer.waiting).not.toContain('487 INVITE');
      const cancel = far.expect('CANCEL');
      expect(cancel.branch).toBe(far.invite.branch);
      far.respond(200, { to: cancel });
      far.respond(487);
      world.settle();
      near.response(487);
      near.ack();
      expect(leftovers(world)).toEqual([]);
      expect(world.pf.engine.counters.byReason).toEqual({ cancelled: 1 });
    }
  });
});
