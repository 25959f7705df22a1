/** Killed at any instant and started again: a delay, not an end (digest 2.3, invariant 15). */
import { describe, expect, it } from '@jest/globals';
import { NO_ATTEMPTS, NO_HISTORY } from '../../machines/session/context.ts';
import { packed, unpacked } from '../../src/engine/packed.ts';
import type { StoredOrigin, StoredState } from '../../src/engine/stored-session.ts';
import { bodyOf, type Call, chatSdp, World } from '../../src/testing/index.ts';
import { objects, pointers } from '../support/history.ts';
import {
  establish,
  establishTwoIwfs,
  FOLDER,
  ISF,
  invite,
  leftovers,
  origin,
  ports,
  restart,
  STORING,
  TERM_FOLDER,
} from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const ROLES = ['orig', 'term'] as const;

/** RFC 3261 13.2.2.4: a real caller acknowledges each copy of the 200, also long after. */
function acknowledgeCopies(world: World, near: Call): void {
  while (
    near.peer.inbox.some(
      (message) => message.callId === near.callId && message.kind === 'response' && message.status === 200,
    )
  ) {
    near.response(200);
    near.ack({ cseq: 1 });
  }
  world.settle();
}

/** The caller has its 200, `first`, and has not acknowledged it. */
function accepted(world: World) {
  const near = invite(world, 'orig');
  world.settle();
  const far = world.core.incoming();
  far.respond(200, { sdp: chatSdp('bob') });
  world.settle();
  return { near, far, first: near.response(200) };
}

/** The record as earlier versions wrote it: nothing left out, the profile in the origin. */
function inFormOne({ origin, state }: { origin: string; state: string }): { origin: string; state: string } {
  const first = unpacked(origin);
  const second = unpacked(state);
  const { context, ...rest } = first.value as StoredOrigin;
  const [wire = '', profile = 'null'] = first.texts;
  const stored = second.value as StoredState;
  const { attempts } = stored.context;
  const value: StoredState = {
    ...stored,
    context: {
      lastKnown: null,
      carriers: [],
      relays: [],
      byes: [],
      drops: [],
      history: NO_HISTORY,
      ending: null,
      ...stored.context,
      attempts: typeof attempts === 'number' ? { ...NO_ATTEMPTS, invites: attempts } : attempts,
    },
    dossier: {
      books: {},
      farContact: null,
      invites: {},
      reason: null,
      instance: null,
      messages: [],
      ...stored.dossier,
    },
    legs: stored.legs ?? [],
    pending: stored.pending ?? [],
  };
  return {
    origin: packed({ ...rest, version: 1, context: { ...context, profile: JSON.parse(profile) } }, [wire]),
    state: packed(value, second.texts),
  };
}

function endBy(world: World, sender: Call, receiver: Call): ReturnType<Call['response']> {
  sender.bye();
  world.settle();
  receiver.respond(200, { to: receiver.expect('BYE') });
  world.settle();
  return sender.response(200, 'BYE');
}

describe('an established session', () => {
  it('ends properly by BYE from either side, in both roles and both modes, however long it was away', () => {
    for (const role of ROLES) {
      for (const mediaPath of ['always', 'never'] as const) {
        for (const by of ['near', 'far'] as const) {
          for (const downMs of [10, 5000, 200_000]) {
            const world = new World({ policy: { mediaPath } });
            const { near, far } = establish(world, role);
            restart(world, downMs);
            acknowledgeCopies(world, near);
            const [sender, receiver] = by === 'near' ? [near, far] : [far, near];
            endBy(world, sender, receiver);
            expect(leftovers(world)).toEqual([]);
          }
        }
      }
    }
  });

  it('goes on with higher numbers: requests of ours are never out of order for the peer', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    for (let count = 0; count < 3; count++) {
      near.request('INFO');
      world.settle();
      far.respond(200, { to: far.expect('INFO') });
      world.settle();
    }
    const last = far.peer.received
      .flatMap((message) => (message.kind === 'request' ? [message.cseq?.number ?? 0] : []))
      .at(-1);
    restart(world);
    near.bye();
    world.settle();
    expect(far.expect('BYE').cseq?.number).toBeGreaterThan(last ?? 0);
  });

  it('RFC 3261 13.3.1.4: killed right after the 200, it says it again until the ACK comes', () => {
    const world = new World(b2bua);
    const { near, far } = accepted(world);
    restart(world);
    const again = near.response(200);
    expect(ports(bodyOf(again))).toEqual([2855]);
    near.ack();
    world.settle();
    far.expect('ACK');
    endBy(world, near, far);
    expect(leftovers(world)).toEqual([]);
  });

  it.each([
    ['has not come', false],
    ['has come, which the record does not tell', true],
  ])(
    'RFC 3261 13.3.1.4: stored again behind its 200, whose ACK %s: it says it again until the ACK comes',
    (_, acked) => {
      const world = new World(b2bua);
      const { near, far, first } = accepted(world);
      for (const number of [1, 2]) {
        far.request('INFO');
        world.settle();
        expect(near.expect('INFO').cseq?.number).toBe(number);
      }
      if (acked) near.ack();
      world.settle();
      restart(world);
      const again = near.response(200);
      expect(again.toTag).toBe(first.toTag);
      expect(bodyOf(again)).toBe(bodyOf(first));
      near.ack();
      world.settle();
      far.expect('ACK');
      expect([near.expect('INFO'), near.expect('INFO')].map(({ cseq }) => cseq?.number).sort()).toEqual([1, 2]);
      far.bye();
      world.settle();
      const bye = near.expect('BYE');
      expect(bye.cseq?.number).toBe(3);
      near.respond(200, { to: bye });
      world.settle();
      far.response(200, 'BYE');
      world.advance(70_000);
      expect(leftovers(world)).toEqual([]);
    },
  );

  it('RFC 3261 15: killed while a BYE waits for the ACK, it says the 200 again, and the BYE behind the ACK', () => {
    const bound: string[] = [];
    const media = {
      adapt: (_session: string, leg: string, sdp: string) => {
        bound.push(leg);
        return sdp.replace(/2855/, String(3000 + bound.length));
      },
      release: () => {},
    };
    const world = new World({ ...b2bua, media });
    const { near, far, first } = accepted(world);
    const bye = far.bye();
    world.settle();
    expect(bound).toEqual(['b', 'a']);
    restart(world);
    const again = near.response(200);
    expect(bodyOf(again)).toBe(bodyOf(first));
    expect(bound).toHaveLength(2);
    near.ack();
    world.settle();
    near.respond(200, { to: near.expect('BYE') });
    far.peer.sendRaw(bye);
    world.settle();
    far.response(200, 'BYE');
    world.advance(70_000);
    expect(leftovers(world)).toEqual([]);
  });

  it('a long established one is not disturbed by a restart', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    world.advance(60_000);
    near.peer.inbox.length = 0;
    far.peer.inbox.length = 0;
    restart(world);
    world.advance(40_000);
    expect([...near.peer.waiting, ...far.peer.waiting]).toEqual([]);
    expect(world.pf.engine.sessions.size).toBe(1);
    // Nor by one more, right after its record was written anew: its 200 has long had its ACK.
    far.request('INFO');
    world.settle();
    near.respond(200, { to: near.expect('INFO') });
    world.settle();
    far.response(200, 'INFO');
    restart(world);
    world.advance(40_000);
    expect(near.peer.waiting).not.toContain('200 INVITE');
  });

  it('keeps its session timer: it expires when it would have', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob'), headers: [['Session-Expires', '1800;refresher=uas']] });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    world.advance(1_000_000);
    restart(world, 100_000);
    world.advance(1_768_000 - 1_100_000 - 1000);
    expect(near.has('BYE')).toBe(false);
    world.advance(1000);
    expect(near.has('BYE') && far.has('BYE')).toBe(true);
  });

  it('knows its descriptions: a partial close after the restart offers the right lines, one version up', () => {
    const world = new World({ ...b2bua, isf: [ISF] });
    const { near, first } = establishTwoIwfs(world, 'orig');
    const before = bodyOf(
      near.peer.received.find((message) => message.kind === 'response' && message.status === 200) as never,
    );
    restart(world, 100_000);
    first.bye();
    world.settle();
    const reinvite = near.expect('INVITE');
    expect(ports(bodyOf(reinvite))).toEqual([0, 3002]);
    expect(origin(bodyOf(reinvite))).toEqual({ ...origin(before), version: origin(before).version + 1 });
  });
});

describe('a session that is still inviting', () => {
  it('goes on: the far answer reaches the caller', () => {
    for (const role of ROLES) {
      for (const mediaPath of ['always', 'never'] as const) {
        const world = new World({ policy: { mediaPath } });
        const near = invite(world, role);
        world.settle();
        const far = world.core.incoming();
        far.respond(180);
        world.settle();
        near.response(180);
        restart(world);
        // The INVITE is said again; under its old branch it is a copy.
        const copy = far.expect('INVITE');
        expect(copy.branch).toBe(far.invite.branch);
        far.respond(200, { sdp: chatSdp('bob') });
        world.settle();
        near.response(200);
        near.ack();
        world.settle();
        far.expect('ACK');
        endBy(world, near, far);
        expect(leftovers(world)).toEqual([]);
      }
    }
  });

  it('can still be cancelled', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    restart(world);
    far.respond(180);
    world.settle();
    near.cancel();
    world.settle();
    near.response(487);
    near.ack();
    far.respond(200, { to: far.expect('CANCEL') });
    far.respond(487);
    expect(leftovers(world)).toEqual([]);
  });

  it('A-15: killed while its preferences were looked up, it asks for them again', () => {
    const world = new World({ ...b2bua, profile: () => {} });
    const near = invite(world, 'orig');
    world.settle();
    near.response(100);
    world.pf.crash();
    world.pf.profile = STORING;
    world.pf.start();
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    expect(objects(world, FOLDER)).toHaveLength(1);
  });

  it('killed before anything was stored it never happened: the caller says its INVITE again', () => {
    const world = new World(b2bua);
    world.pf.store.delayMs = 50;
    const near = invite(world, 'orig');
    world.clock.advance(20);
    // Nothing leaves before it is stored, not even the 100.
    expect(near.peer.waiting).toEqual([]);
    restart(world, 300);
    near.peer.sendRaw(near.invite);
    world.settle();
    near.response(100);
    world.core.incoming();
  });

  it('after minutes its peers have given up: it ends, and nobody is rung anew', () => {
    const world = new World(b2bua);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    restart(world, 120_000);
    expect(far.has('INVITE')).toBe(false);
    near.response(503);
    near.ack();
    far.respond(200, { to: far.expect('CANCEL') });
    far.respond(487);
    expect(leftovers(world)).toEqual([]);
  });
});

describe('a recorded session', () => {
  it('asks again for what the store had told it: nothing is stored twice, and its end is recorded beside it', () => {
    for (const role of ROLES) {
      for (const downMs of [100, 200_000]) {
        const world = new World({ ...b2bua, profile: STORING });
        const folder = role === 'orig' ? FOLDER : TERM_FOLDER;
        const { near, far } = establish(world, role);
        const opened = objects(world, folder);
        expect(opened).toHaveLength(1);
        restart(world, downMs);
        acknowledgeCopies(world, near);
        expect(objects(world, folder)).toEqual(opened);
        const [client, other] = role === 'orig' ? [near, far] : [far, near];
        endBy(world, client, other);
        expect(objects(world, folder)).toHaveLength(2);
        expect(pointers(world, folder)).toEqual({
          SessionInfoObjectID: opened[0]?.uid,
          GroupStateObjectID: objects(world, folder)[1]?.uid,
        });
        expect(leftovers(world)).toEqual([]);
      }
    }
  });
});

describe('a session that is ending', () => {
  it("finishes: the far BYE is said again under its old number, and the caller's copy finds its answer", () => {
    for (const role of ROLES) {
      const world = new World({ ...b2bua, profile: STORING });
      const { near, far } = establish(world, role);
      const [client, other] = role === 'orig' ? [near, far] : [far, near];
      const sent = client.bye();
      world.settle();
      const bye = other.expect('BYE');
      restart(world);
      const again = other.expect('BYE');
      expect([again.cseq?.number, again.branch]).toEqual([bye.cseq?.number, bye.branch]);
      other.respond(200, { to: again });
      client.peer.sendRaw(sent);
      world.settle();
      client.response(200, 'BYE');
      expect(leftovers(world)).toEqual([]);
    }
  });

  it('the peer of a session that could not be told is answered 481 afterwards', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.bye();
    world.settle();
    far.respond(200, { to: far.expect('BYE') });
    world.settle();
    near.response(200, 'BYE');
    world.advance(100);
    restart(world);
    near.bye();
    world.settle();
    near.response(481, 'BYE');
  });
});

describe('many sessions', () => {
  it('a hundred live ones survive, each with its policy, and each ends by BYE', () => {
    const world = new World(b2bua);
    const sessions = Array.from({ length: 100 }, () => establish(world, 'orig'));
    world.pf.engine.policy = { ...world.pf.engine.policy, partialClose: 'session' };
    sessions.push(establish(world, 'orig'));
    expect(world.pf.disk.policies.size).toBe(2);
    restart(world);
    expect(world.pf.engine.counters.restored).toBe(101);
    const kept = [...world.pf.engine.sessions.values()].map((session) => session.context.policy.partialClose);
    expect(kept.filter((policy) => policy === 'streams')).toHaveLength(100);
    sessions.forEach(({ near, far }, at) => {
      acknowledgeCopies(world, near);
      const [sender, receiver] = at % 2 === 0 ? [near, far] : [far, near];
      endBy(world, sender, receiver);
    });
    expect(leftovers(world)).toEqual([]);
  });

  it('a record of form 1, which says everything, is taken up as well', () => {
    for (const ending of [false, true]) {
      const restored = [1, 2].map((form) => {
        const world = new World(b2bua);
        const { near } = establish(world, 'orig');
        if (ending) near.bye();
        world.settle();
        const { sessions } = world.pf.disk;
        if (form === 1) for (const [id, record] of sessions) sessions.set(id, inFormOne(record));
        restart(world);
        return [...world.pf.engine.sessions.values()].map(({ context, dossier }) => ({ context, dossier }));
      });
      expect(restored[0]).toHaveLength(1);
      expect(restored[0]).toEqual(restored[1]);
    }
  });

  it('a restart lets go of policies that no session has any longer, but not beside a record that can not be read', () => {
    const world = new World(b2bua);
    const first = establish(world, 'orig');
    world.pf.engine.policy = { ...world.pf.engine.policy, partialClose: 'session' };
    const second = establish(world, 'orig');
    endBy(world, first.near, first.far);
    world.advance(100);
    world.pf.disk.sessions.set('broken', { origin: '{"version":9}', state: '{}' });
    restart(world);
    expect(world.pf.disk.policies.size).toBe(2);
    world.pf.disk.sessions.delete('broken');
    restart(world);
    expect(world.pf.disk.policies.size).toBe(1);
    expect([...world.pf.engine.sessions.values()].map(({ context }) => context.policy.partialClose)).toEqual([
      'session',
    ]);
    acknowledgeCopies(world, second.near);
    endBy(world, second.near, second.far);
  });

  it('a record that can not be read is left aside, and the others live', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    world.pf.disk.sessions.set('broken', { origin: '{"version":9}', state: '{}' });
    world.pf.disk.sessions.set('nonsense', { origin: 'not json', state: '' });
    restart(world);
    expect(world.pf.engine.sessions.size).toBe(1);
    endBy(world, near, far);
  });
});

describe('a store that fails', () => {
  it('costs no call: sessions go on, and it is counted', () => {
    const world = new World(b2bua);
    world.pf.store.failure = 'disk full';
    const { near, far } = establish(world, 'orig');
    expect(world.pf.engine.counters.storeFailures).toBeGreaterThan(0);
    endBy(world, near, far);
    world.pf.store.failure = null;
    const again = establish(world, 'orig');
    restart(world);
    endBy(world, again.near, again.far);
    expect(leftovers(world)).toEqual([]);
  });
});
