/** Before the answer: provisional responses, PRACK, early UPDATE, forks, timer C, missing ACK (digest 3.9). */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, chatSdp, World } from '../../src/testing/index.ts';
import { invite, leftovers, origin } from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const RELIABLE = {
  headers: [
    ['Require', '100rel'],
    ['RSeq', '77'],
  ],
} as const;

describe('provisional responses', () => {
  it('RFC 3261 8.2.6.1: 100 comes from us at once, 180 and 183 are passed on under our Contact', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.clock.advance(3);
    near.response(100);
    world.settle();
    const far = world.core.incoming();
    far.respond(183, {
      headers: [
        ['X-Stage', 'one'],
        ['Contact', '<sip:bob@10.7.7.7>;audio'],
      ],
      sdp: chatSdp('bob'),
    });
    world.settle();
    const progress = near.response(183);
    expect(progress.header('x-stage')).toBe('one');
    expect(progress.contact?.uri).toMatch(/@10\.0\.0\.10:5060$/);
    expect(progress.contact?.params).toBe(';audio');
    expect(origin(bodyOf(progress)).address).toBe('10.0.0.10');
  });

  it('RFC 3261 16.7: a proxy passes them on as they are', () => {
    const world = new World({ policy: { mediaPath: 'never' } });
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(180, { tag: 'bob', headers: [['X-Stage', 'one']] });
    world.settle();
    const ring = near.response(180);
    expect(ring.toTag).toBe('bob');
    expect(ring.header('x-stage')).toBe('one');
  });
});

describe('reliable provisional responses (RFC 3262)', () => {
  const asking = {
    headers: [
      ['Supported', 'timer, 100rel'],
      ['Require', '100rel'],
    ],
  } as const;

  it('PRACK goes from end to end, each leg with its own numbers', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig', asking);
    world.settle();
    const far = world.core.incoming();
    expect(far.invite.list('require')).toEqual(['100rel']);
    expect(far.invite.list('supported')).toContain('100rel');
    far.respond(180, RELIABLE);
    world.settle();
    const ring = near.response(180);
    expect(ring.header('require')).toBe('100rel');
    const rseq = ring.header('rseq');
    expect(rseq).toBe('1');
    near.request('PRACK', { headers: [['RAck', `${rseq} 1 INVITE`]] });
    world.settle();
    const prack = far.expect('PRACK');
    expect(prack.header('rack')).toBe('77 1 INVITE');
    far.respond(200, { to: prack });
    world.settle();
    near.response(200, 'PRACK');
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    near.ack({ cseq: 1 });
    world.settle();
    expect(far.expect('ACK').cseq?.number).toBe(1);
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    world.settle();
    near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });

  it('it is repeated until the PRACK; one that never comes ends the invitation with a 5xx', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig', asking);
    world.settle();
    const far = world.core.incoming();
    far.respond(180, RELIABLE);
    world.settle();
    near.response(180);
    world.advance(500);
    near.response(180);
    world.advance(1000);
    near.response(180);
    world.advance(32_000);
    near.response(504);
    near.ack();
    far.respond(200, { to: far.expect('CANCEL') });
    far.respond(487);
    expect(leftovers(world)).toEqual([]);
  });

  it('a PRACK that matches nothing is a 481; copies and gaps in RSeq are not passed on', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig', asking);
    world.settle();
    const far = world.core.incoming();
    far.respond(180, RELIABLE);
    far.respond(180, RELIABLE);
    far.respond(183, {
      headers: [
        ['Require', '100rel'],
        ['RSeq', '79'],
      ],
    });
    world.settle();
    near.response(180);
    expect(near.peer.waiting).toEqual(['100 INVITE']);
    near.request('PRACK', { headers: [['RAck', '9 1 INVITE']] });
    world.settle();
    near.response(481, 'PRACK');
  });

  it('a second one waits until the first is acknowledged', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig', asking);
    world.settle();
    const far = world.core.incoming();
    far.respond(180, RELIABLE);
    far.respond(183, {
      headers: [
        ['Require', '100rel'],
        ['RSeq', '78'],
      ],
    });
    world.settle();
    near.response(180);
    expect(near.peer.waiting).toEqual(['100 INVITE']);
    near.request('PRACK', { headers: [['RAck', '1 1 INVITE']] });
    world.settle();
    expect(near.response(183).header('rseq')).toBe('2');
  });

  it("without 100rel from the caller none is asked for, and a far side can't begin it", () => {
    const world = new World(b2bua);
    invite(world, 'orig');
    world.settle();
    expect(world.core.incoming().invite.list('supported')).toEqual(['timer']);
  });
});

describe('early dialogs', () => {
  it('RFC 3311: an UPDATE before the answer is passed on in its own fork', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180, { tag: 'one' });
    far.respond(180, { tag: 'two' });
    world.settle();
    near.response(180);
    const second = near.response(180);
    near.remoteTag = second.toTag;
    near.request('UPDATE', { sdp: chatSdp('alice', [2999]) });
    world.settle();
    const update = far.expect('UPDATE');
    expect(update.toTag).toBe('two');
    far.respond(200, { to: update, sdp: chatSdp('bob') });
    world.settle();
    expect(near.response(200, 'UPDATE').toTag).toBe(second.toTag);
  });

  it('RFC 3261 15: BYE in an early dialog by the caller ends the invitation; by the callee it is a 481', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    near.response(180);
    far.bye();
    world.settle();
    far.response(481, 'BYE');
    near.bye();
    world.settle();
    near.response(487);
    near.ack({ cseq: 1 });
    far.respond(200, { to: far.expect('CANCEL') });
    far.respond(487);
    world.settle();
    near.response(200, 'BYE');
    expect(leftovers(world)).toEqual([]);
  });
});

describe('nobody answers', () => {
  it('RFC 3261 16.6, 16.8: ringing too long ends by CANCEL; a B2BUA answers 408 itself', () => {
    for (const mediaPath of ['always', 'never'] as const) {
      const world = new World({ policy: { mediaPath } });
      const near = invite(world, 'orig');
      world.settle();
      const far = world.core.incoming();
      far.respond(180);
      world.advance(170_000);
      far.respond(180);
      world.advance(180_000);
      expect(far.has('CANCEL')).toBe(false);
      world.advance(2000);
      far.respond(200, { to: far.expect('CANCEL') });
      far.respond(487);
      world.settle();
      near.response(mediaPath === 'always' ? 408 : 487);
      near.ack();
      expect(leftovers(world)).toEqual([]);
    }
  });

  it('RFC 3261 17.1.1.2: a silent core gets the INVITE seven times, the caller a 408', () => {
    for (const mediaPath of ['always', 'never'] as const) {
      const world = new World({ policy: { mediaPath } });
      const near = invite(world, 'orig');
      world.advance(32_100);
      expect(world.core.waiting.filter((line) => line === 'INVITE')).toHaveLength(7);
      near.response(408);
      near.ack();
      expect(leftovers(world)).toEqual([]);
    }
  });
});

describe('the ACK of the far side', () => {
  it('RFC 3261 13.2.2.4: copies of the far 200 get copies of the ACK, and nothing before the near one came', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    expect(far.has('ACK')).toBe(false);
    near.response(200);
    near.ack();
    world.settle();
    far.expect('ACK');
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    far.expect('ACK');
    expect(far.has('BYE')).toBe(false);
  });
});
