/** Inside an established session: re-INVITE, UPDATE, REFER, NOTIFY, INFO, OPTIONS, glare (digest 3.9). */
import { describe, expect, it } from '@jest/globals';
import { bodyOf, chatSdp, World } from '../../src/testing/index.ts';
import {
  establish,
  establishInterworked,
  establishTwoIwfs,
  ISF,
  leftovers,
  origin,
  ports,
} from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const ROLES = ['orig', 'term'] as const;

describe('re-INVITE', () => {
  it('RFC 3261 14: from either side it goes through, ACK included, with our origin one version up', () => {
    for (const role of ROLES) {
      for (const from of ['near', 'far'] as const) {
        const world = new World(b2bua);
        const { near, far } = establish(world, role);
        const [asker, asked] = from === 'near' ? [near, far] : [far, near];
        asker.request('INVITE', { sdp: chatSdp('new', [2855, 2860]), headers: [['X-Why', 'more']] });
        world.settle();
        asker.response(100);
        const reinvite = asked.expect('INVITE');
        expect(reinvite.callId).toBe(asked.callId);
        expect(reinvite.header('x-why')).toBe('more');
        expect(reinvite.contact?.uri).toMatch(/@10\.0\.0\.10:5060$/);
        expect(ports(bodyOf(reinvite))).toEqual([2855, 2860]);
        expect(origin(bodyOf(reinvite)).version).toBe(2);
        asked.respond(200, { to: reinvite, sdp: chatSdp('answer', [4001, 4002]) });
        world.settle();
        expect(ports(bodyOf(asker.response(200)))).toEqual([4001, 4002]);
        expect(asked.has('ACK')).toBe(false);
        asker.ack();
        world.settle();
        expect(asked.expect('ACK').cseq?.number).toBe(reinvite.cseq?.number);
        asker.bye();
        world.settle();
        asked.respond(200, { to: asked.expect('BYE') });
        world.settle();
        asker.response(200, 'BYE');
        expect(leftovers(world)).toEqual([]);
      }
    }
  });

  it('RFC 3261 14.1: refused, the session goes on as it was', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.request('INVITE', { sdp: chatSdp('alice', [1]) });
    world.settle();
    far.respond(488, { to: far.expect('INVITE'), headers: [['Warning', '304 x "no"']] });
    world.settle();
    far.expect('ACK');
    expect(near.response(488).header('warning')).toBe('304 x "no"');
    near.ack();
    near.request('INFO');
    world.settle();
    far.expect('INFO');
  });

  it('RFC 3264: without an offer the answer travels in the ACK', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.request('INVITE');
    world.settle();
    const reinvite = far.expect('INVITE');
    expect(bodyOf(reinvite)).toBe('');
    far.respond(200, { to: reinvite, sdp: chatSdp('bob', [4001]) });
    world.settle();
    near.response(200);
    near.ack({ sdp: chatSdp('alice', [2857]) });
    world.settle();
    expect(ports(bodyOf(far.expect('ACK')))).toEqual([2857]);
  });

  it('RFC 3261 14.2: one at a time, on a leg and across both', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.request('INVITE', { sdp: chatSdp('alice') });
    world.settle();
    // Ours is outstanding on the far leg.
    far.request('INVITE', { sdp: chatSdp('bob') });
    world.settle();
    far.response(491);
    // The caller's own is still open.
    near.request('INVITE', { sdp: chatSdp('alice') });
    world.settle();
    expect(near.response(500).header('retry-after')).toBe('3');
    far.respond(200, { to: far.expect('INVITE'), sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    // Answered, but not acknowledged: still one at a time (491 across the legs).
    far.request('INVITE', { sdp: chatSdp('bob') });
    world.settle();
    far.response(491);
    near.ack({ cseq: 2 });
    world.settle();
    far.expect('ACK');
    far.request('INVITE', { sdp: chatSdp('bob') });
    world.settle();
    near.expect('INVITE');
  });

  it('RFC 3261 9: a CANCEL of it goes through to the side that was asked', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    const reinvite = near.request('INVITE', { sdp: chatSdp('alice') });
    world.settle();
    far.respond(180, { to: far.expect('INVITE') });
    world.settle();
    const via = reinvite.header('via') ?? '';
    near.request('CANCEL', { cseq: reinvite.cseq?.number ?? 0, branch: /branch=z9hG4bK([^;]+)/.exec(via)?.[1] ?? '' });
    world.settle();
    near.response(200, 'CANCEL');
    const cancel = far.expect('CANCEL');
    far.respond(200, { to: cancel });
    far.respond(487, { to: cancelled(far.peer.received) });
    world.settle();
    near.response(487);
    expect(world.pf.engine.sessions.size).toBe(1);
  });

  it('RFC 3261 12.2.1.2: answered 481, or by nobody, it ends the session on both sides', () => {
    for (const outcome of [481, 'silence'] as const) {
      const world = new World(b2bua);
      const { near, far } = establish(world, 'orig');
      near.request('INVITE', { sdp: chatSdp('alice') });
      world.settle();
      if (outcome === 481) far.respond(481, { to: far.expect('INVITE') });
      else world.advance(32_100);
      world.settle();
      near.response(outcome === 481 ? 481 : 408);
      near.respond(200, { to: near.expect('BYE') });
      world.settle();
      expect(far.has('BYE')).toBe(outcome === 'silence');
      if (outcome === 'silence') far.respond(200, { to: far.expect('BYE') });
      expect(leftovers(world)).toEqual([]);
      expect(world.pf.engine.counters.byReason).toEqual({ dialogGone: 1 });
    }
  });
});

describe('UPDATE', () => {
  it('RFC 3311: with an offer it goes through; without one it refreshes its own leg', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.request('UPDATE', { sdp: chatSdp('alice', [2870]) });
    world.settle();
    const update = far.expect('UPDATE');
    expect(ports(bodyOf(update))).toEqual([2870]);
    far.respond(200, { to: update, sdp: chatSdp('bob', [4004]) });
    world.settle();
    expect(ports(bodyOf(near.response(200, 'UPDATE')))).toEqual([4004]);
    near.request('UPDATE', {
      headers: [
        ['Supported', 'timer'],
        ['Session-Expires', '900;refresher=uac'],
      ],
    });
    world.settle();
    const ok = near.response(200, 'UPDATE');
    expect(ok.header('session-expires')).toBe('900;refresher=uac');
    expect(ok.header('require')).toBe('timer');
    expect(far.has('UPDATE')).toBe(false);
  });
});

describe('other requests', () => {
  it('REFER, NOTIFY, INFO, MESSAGE pass both ways with their headers and bodies; their answers come back', () => {
    for (const role of ROLES) {
      for (const method of ['REFER', 'NOTIFY', 'INFO', 'MESSAGE', 'SUBSCRIBE']) {
        for (const from of ['near', 'far'] as const) {
          const world = new World(b2bua);
          const { near, far } = establish(world, role);
          const [asker, asked] = from === 'near' ? [near, far] : [far, near];
          asker.request(method, {
            headers: [
              ['Refer-To', '<sip:carol@home.example>'],
              ['X-A', 'b'],
            ],
            body: 'text',
            type: 'text/plain',
          });
          world.settle();
          const request = asked.expect(method);
          expect(request.header('refer-to')).toBe('<sip:carol@home.example>');
          expect(request.header('content-type')).toBe('text/plain');
          expect(bodyOf(request)).toBe('text');
          asked.respond(202, { to: request, headers: [['X-C', 'd']] });
          world.settle();
          expect(asker.response(202, method).header('x-c')).toBe('d');
        }
      }
    }
  });

  it('OPTIONS inside the dialog is answered by us', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.request('OPTIONS');
    world.settle();
    expect(near.response(200, 'OPTIONS').list('allow')).toContain('INVITE');
    expect(far.has('OPTIONS')).toBe(false);
  });

  it('RFC 3261 12.2.2: out of order is a 500, an unknown dialog a 481', () => {
    const world = new World(b2bua);
    const { near } = establish(world, 'orig');
    near.request('INFO', { cseq: 9 });
    near.request('INFO', { cseq: 8 });
    world.settle();
    near.response(500, 'INFO');
    near.remoteTag = 'nobody';
    near.request('INFO', { cseq: 10 });
    world.settle();
    near.response(481, 'INFO');
  });

  it('a peer that floods a dialog with requests is refused beyond a bound', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    for (let count = 0; count < 40; count++) near.request('INFO');
    world.settle();
    expect(far.peer.waiting.filter((line) => line === 'INFO').length).toBe(16);
    expect(near.peer.waiting.filter((line) => line === '500 INFO').length).toBe(24);
  });
});

describe('interworked sessions', () => {
  it('with one IWF a re-INVITE goes through as anywhere', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, far } = establishInterworked(world, 'orig');
    near.request('INVITE', { sdp: chatSdp('alice', [2859]) });
    world.settle();
    const reinvite = far.expect('INVITE');
    far.respond(200, { to: reinvite, sdp: chatSdp('iwf', [4009]) });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    far.expect('ACK');
  });

  it('with several, an unchanged offer is confirmed here and a changed one refused', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, first, second } = establishTwoIwfs(world, 'orig');
    near.request('INVITE', { sdp: chatSdp('alice', [2855, 2856]) });
    world.settle();
    expect(ports(bodyOf(near.response(200)))).toEqual([3001, 3002]);
    near.ack();
    near.request('INVITE', { sdp: chatSdp('alice', [2855, 2856, 2857]) });
    world.settle();
    near.response(488);
    near.ack();
    expect(first.has('INVITE') || second.has('INVITE')).toBe(false);
    expect(world.pf.engine.sessions.size).toBe(1);
  });
});

/** The re-INVITE among what a peer received. */
function cancelled(received: readonly { kind: string }[]) {
  return received
    .filter((message) => message.kind === 'request' && (message as { method?: string }).method === 'INVITE')
    .at(-1) as never;
}
