/** Where an invitation goes after a refusal. */
import { describe, expect, it } from '@jest/globals';
import { World } from '../../src/testing/index.ts';
import { ISF, invite, leftovers } from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;

describe('interworking', () => {
  it("A-21 A-44: a user's own refusal is never interworked, even where policy lists it", () => {
    for (const [role, statuses] of [
      ['orig', [401, 403, 407, 486, 487, 600, 603]],
      ['term', [403, 486, 487, 600, 603]],
    ] as const) {
      for (const mediaPath of ['always', 'never'] as const) {
        for (const status of statuses) {
          const interworkOn = { orig: [status], term: [status] };
          const world = new World({ policy: { mediaPath, interworkOn, proxyInterworkOn6xx: true }, isf: [ISF] });
          const near = invite(world, role);
          world.settle();
          world.core.incoming().respond(status);
          world.settle();
          near.response(status);
          expect(world.isf.waiting).toEqual([]);
        }
      }
    }
  });

  it('A-21: nothing new is tried once the caller has cancelled, whatever the far side then says', () => {
    for (const status of [408, 503, 302] as const) {
      const world = new World({ policy: { mediaPath: 'never' }, isf: [ISF] });
      const near = invite(world, 'term');
      world.settle();
      const far = world.core.incoming();
      far.respond(180);
      world.settle();
      near.cancel();
      world.settle();
      far.respond(200, { to: far.expect('CANCEL') });
      far.respond(status, status === 302 ? { headers: [['Contact', '<sip:other@home.example>']] } : {});
      world.settle();
      near.response(status);
      near.ack();
      expect(world.isf.waiting).toEqual([]);
      expect(far.peer.waiting.filter((line) => line === 'INVITE')).toEqual([]);
      expect(leftovers(world)).toEqual([]);
    }
  });
});

describe('302', () => {
  const redirect = (contact: string) => ({ headers: [['Contact', contact]] as const });

  it('A-45: further targets are tried by q where one fails, up to policy.maxRedirects', () => {
    const contacts = redirect('<sip:c@home.example>;q=0.1, <sip:b@home.example>;q=0.5, <sip:a@home.example>');
    for (const mediaPath of ['always', 'never'] as const) {
      for (const [maxRedirects, tried] of [
        [1, ['sip:a@home.example']],
        [2, ['sip:a@home.example', 'sip:b@home.example']],
        [9, ['sip:a@home.example', 'sip:b@home.example', 'sip:c@home.example']],
      ] as const) {
        const world = new World({ policy: { mediaPath, maxRedirects } });
        const near = invite(world, 'term');
        world.settle();
        world.core.incoming().respond(302, contacts);
        for (const target of tried) {
          world.settle();
          const far = world.core.incoming();
          expect(far.invite.uri).toBe(target);
          far.respond(486);
        }
        world.settle();
        near.response(486);
        expect(world.core.waiting.filter((line) => line === 'INVITE')).toEqual([]);
      }
    }
  });

  it('A-45: a 6xx speaks for every target (RFC 3261 21.6)', () => {
    const world = new World({ policy: { mediaPath: 'always', maxRedirects: 2 } });
    const near = invite(world, 'term');
    world.settle();
    world.core.incoming().respond(302, redirect('<sip:a@home.example>, <sip:b@home.example>'));
    world.settle();
    world.core.incoming().respond(603);
    world.settle();
    near.response(603);
  });

  it('A-45: never to itself: an address of ours is left out, a contact token of ours stands for what is in it', () => {
    const world = new World(b2bua);
    const near = invite(world, 'term');
    world.settle();
    world.core.incoming().respond(302, redirect('<sip:bob@10.0.0.10:5060>'));
    world.settle();
    near.response(302);

    invite(world, 'term');
    world.settle();
    const far = world.core.incoming();
    const token = far.invite.contact?.uri ?? '';
    expect(token).toMatch(/@10\.0\.0\.10:5060$/);
    far.respond(302, redirect(`<${token}>`));
    world.settle();
    expect(world.core.incoming().invite.uri).toBe(near.peer.uri);
  });

  it('A-45: History-Info, where the invitation has one, tells of it; none is begun', () => {
    for (const mediaPath of ['always', 'never'] as const) {
      const world = new World({ policy: { mediaPath } });
      const history = '<sip:0@home.example>;index=1, <sip:bob@home.example>;index=1.1;mp=1';
      for (const headers of [[['History-Info', history]], []] as const) {
        invite(world, 'term', { headers });
        world.settle();
        world.core.incoming().respond(302, redirect('<sip:new@home.example>'));
        world.settle();
        expect(world.core.incoming().invite.list('history-info')).toEqual(
          headers.length === 0
            ? []
            : [
                '<sip:0@home.example>;index=1',
                '<sip:bob@home.example?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1',
                '<sip:new@home.example>;index=1.2;mp=1.1',
              ],
        );
      }
    }
  });
});
