/** Dialogs, contacts, endings, and whose Message-UID is believed. */
import { describe, expect, it } from '@jest/globals';
import { contactCipher } from '../../src/host/contact-cipher.ts';
import { type Call, chatSdp, World } from '../../src/testing/index.ts';
import { folders, objects, pointers, types } from '../support/history.ts';
import {
  answer,
  CONVERSATION,
  establish,
  establishTwoIwfs,
  FOLDER,
  ISF,
  invite,
  leftovers,
  STORING,
} from '../support/session.ts';
import { resume, stall } from '../support/store.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const storing = { ...b2bua, profile: STORING } as const;
const ROLES = ['orig', 'term'] as const;

describe('contact tokens', () => {
  it('A-14: a URI of any length comes back whole, and whoever changes a token gets nothing', () => {
    const cipher = contactCipher('0123456789abcdef');
    for (const length of [1, 1023, 1024, 1025, 9000]) {
      const uri = `sip:${'x'.repeat(length)}@focus.example;gr=1`;
      const token = cipher.seal(uri);
      expect(cipher.open(token)).toBe(uri);
      expect(cipher.seal(uri)).toBe(token);
      expect(cipher.open(`${token.slice(0, -4)}AAAA`)).toBeUndefined();
    }
  });

  it('A-14: two long URIs with one beginning have different tokens', () => {
    const cipher = contactCipher('0123456789abcdef');
    const [left, right] = ['a', 'b'].map((end) => cipher.seal(`sip:${'x'.repeat(2000)}${end}@focus.example`));
    expect(left).not.toBe(right);
  });
});

describe('491', () => {
  /** Time until the next request of this kind, ms. */
  function waited(world: World, call: Call, method: string): number {
    for (let ms = 0; ms <= 5000; ms += 10) {
      if (call.has(method)) return ms;
      world.advance(10);
    }
    return Number.POSITIVE_INFINITY;
  }

  it('A-33, RFC 3261 14.1: where the Call-ID is ours the request waits 2.1 to 4 s, not always the same', () => {
    const waits = [1, 2, 3, 4].map((seed) => {
      const world = new World({ ...b2bua, seed });
      const near = invite(world, 'orig');
      world.settle();
      const far = world.core.incoming();
      const headers = [['Session-Expires', '1800;refresher=uac'] as const, ['Allow', 'UPDATE'] as const];
      far.respond(200, { sdp: chatSdp('bob'), headers });
      world.settle();
      near.response(200);
      near.ack();
      world.advance(900_000);
      far.respond(491, { to: far.expect('UPDATE') });
      world.clock.advance(1);
      return waited(world, far, 'UPDATE');
    });
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(2100);
      expect(wait).toBeLessThanOrEqual(4010);
    }
    expect(new Set(waits).size).toBeGreaterThan(1);
  });

  it('A-31, RFC 3261 14.1: where the inviter chose it, up to 2 s', () => {
    const waits = [1, 2, 3, 4].map((seed) => {
      const world = new World({ ...b2bua, isf: [ISF], seed });
      const { near, first } = establishTwoIwfs(world, 'orig');
      first.bye();
      world.settle();
      near.respond(491, { to: near.expect('INVITE') });
      world.clock.advance(1);
      return waited(world, near, 'INVITE');
    });
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(2010);
    expect(new Set(waits).size).toBeGreaterThan(1);
  });
});

describe('storing', () => {
  it('A-30: it begins with the BYE of the client, while the far side has not answered yet', () => {
    for (const role of ROLES) {
      const world = new World(storing);
      const { near, far } = establish(world, role);
      const client = role === 'orig' ? near : far;
      const folder = role === 'orig' ? FOLDER : { ...FOLDER, user: 'sip:bob@home.example' };
      client.bye();
      world.settle();
      expect(Object.values(types(world, folder))).toContain('Application/group-state-object+xml');
      expect(client.peer.waiting.filter((line) => line === '200 BYE')).toEqual([]);
    }
  });

  it('A-18: without a Contribution-ID the folder has the name of the Session-ID, else a hash of the Call-ID', () => {
    const name = (headers: readonly (readonly [string, string | null])[], callId: string): string => {
      const world = new World(storing);
      establish(world, 'orig', { headers: [['Contribution-ID', null], ...headers], callId });
      const [folder] = folders(world, 'sip:alice@home.example');
      expect(folder?.conversationId).toBe(CONVERSATION);
      return folder?.contributionId ?? '';
    };
    expect(name([['Session-ID', '0123456789abcdef0123456789abcdef;remote=0']], 'a@1.2')).toBe(
      '0123456789abcdef0123456789abcdef',
    );
    expect(name([], 'a@1.2')).toMatch(/^[0-9a-f]{16}$/);
    expect(name([], 'a@1.2')).toBe(name([], 'a@1.2'));
    expect(name([], 'a@1.2')).not.toBe(name([], 'b@1.2'));
  });

  it('A-53: who speaks with himself has one folder for both sides, and one Session Info Object in it', () => {
    const world = new World(storing);
    const alice = '<sip:alice@home.example>';
    const out = invite(world, 'orig', { uri: 'sip:alice@home.example', to: alice });
    world.settle();
    answer(world, out, world.core.incoming());
    const back = invite(world, 'term', {
      from: alice,
      to: alice,
      headers: [
        ['P-Served-User', `${alice};sescase=term`],
        ['P-Asserted-Identity', alice],
      ],
    });
    world.settle();
    answer(world, back, world.core.incoming());
    expect(folders(world, 'sip:alice@home.example')).toHaveLength(1);
    expect(objects(world, FOLDER)).toHaveLength(1);
    expect(pointers(world, FOLDER)).toEqual({ SessionInfoObjectID: 1 });
  });
});

describe('crossing BYEs', () => {
  it('A-49: each has its own 200, the record is made once, Message-UID is on the 200 to the served client', () => {
    for (const role of ROLES) {
      const world = new World(storing);
      const { near, far } = establish(world, role);
      near.bye();
      far.bye();
      world.settle();
      // Ours are on their way too; both ends answer them.
      for (const call of [near, far]) if (call.has('BYE')) call.respond(200, { to: call.expect('BYE') });
      world.settle();
      const [client, entity] = role === 'orig' ? [near, far] : [far, near];
      expect(client.response(200, 'BYE').header('message-uid')).toBe('1');
      expect(entity.response(200, 'BYE').header('message-uid')).toBeUndefined();
      const folder = role === 'orig' ? FOLDER : { ...FOLDER, user: 'sip:bob@home.example' };
      expect(objects(world, folder)).toHaveLength(2);
      expect(leftovers(world)).toEqual([]);
    }
  });

  it('A-49: where our BYE to the client carries it, the 200 to the BYE it crossed may carry it too, and no other', () => {
    const world = new World(storing);
    const { near, far } = establish(world, 'orig');
    stall(world);
    far.bye();
    world.settle();
    expect(near.has('BYE')).toBe(false);
    near.bye();
    world.settle();
    resume(world);
    world.settle();
    if (near.has('BYE')) near.respond(200, { to: near.expect('BYE') });
    world.settle();
    expect(near.response(200, 'BYE').header('message-uid')).toBe('1');
    expect(far.response(200, 'BYE').header('message-uid')).toBeUndefined();
    expect(leftovers(world)).toEqual([]);
  });
});

describe('Message-UID of others', () => {
  const stamped = { headers: [['Message-UID', '666']] } as const;

  it('A-27: as B2BUA it is ours alone, whoever is trusted', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig', stamped);
    expect(far.invite.header('message-uid')).toBeUndefined();
    far.bye(stamped);
    world.settle();
    expect(near.expect('BYE').header('message-uid')).toBeUndefined();
  });

  it('digest 3.2: as proxy it passes from a trusted peer, and is taken out of what an untrusted one sends', () => {
    for (const trusted of [true, false]) {
      const world = new World({ policy: { mediaPath: 'never' }, trusts: () => trusted });
      invite(world, 'term', stamped);
      world.settle();
      expect(world.core.incoming().invite.header('message-uid')).toBe(trusted ? '666' : undefined);
    }
  });
});
