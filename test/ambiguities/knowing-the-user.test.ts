/** What a session knows of its user, late or not at all. */
import { describe, expect, it } from '@jest/globals';
import type { Profile } from '../../machines/session/policy.ts';
import type { ProfileQuery } from '../../src/engine/ports.ts';
import { DEFAULT_PROFILE, type InviteOptions, World } from '../../src/testing/index.ts';
import { answer, ISF, invite, leftovers, STORING } from '../support/session.ts';

const TABLET = '<urn:uuid:00000000-0000-1000-8000-000000000002>';
const DEADLINE_MS = 500;
const MODES = ['always', 'never'] as const;

describe('preferences that are late', () => {
  it('A-15: a look-up that misses its deadline does not make the user unreachable: the core, which knows, is asked', () => {
    for (const mediaPath of MODES) {
      for (const noClient of ['interwork', 'reject'] as const) {
        const world = new World({ policy: { mediaPath, noClient }, profile: () => {}, isf: [ISF] });
        const near = invite(world, 'term');
        world.advance(DEADLINE_MS);
        world.settle();
        expect(world.isf.waiting).toEqual([]);
        const far = world.core.incoming();
        expect(far.invite.header('reject-contact')).toBeUndefined();
        answer(world, near, far);
      }
    }
  });

  it('A-39: that nobody is registered is something else than not knowing it', () => {
    const world = new World({ policy: { mediaPath: 'always' }, profile: { clients: [] } });
    const near = invite(world, 'term');
    world.settle();
    near.response(480);
    expect(world.core.waiting).toEqual([]);
  });

  it('A-15: what was known before counts before the defaults, for the same originator', () => {
    let reachable = true;
    const waiting: (() => void)[] = [];
    const world = new World({
      policy: { mediaPath: 'always' },
      profile: (query: ProfileQuery, done: (profile: Profile) => void) => {
        const blacklisted = query.originators.includes('sip:mallory@evil.example');
        const tell = (): void => done({ ...DEFAULT_PROFILE, ...STORING, blacklisted });
        if (reachable) world.clock.schedule(50, { onTimer: tell }, 'xdms');
        else waiting.push(tell);
      },
    });
    const mallory = { from: '<sip:mallory@evil.example>', headers: [MALLORY] } satisfies InviteOptions;
    const refused = invite(world, 'term', mallory);
    world.advance(100);
    refused.response(403);

    reachable = false;
    const again = invite(world, 'term', mallory);
    world.advance(DEADLINE_MS - 50);
    expect(again.peer.waiting.filter((line) => line !== '100 INVITE')).toEqual([]);
    world.advance(100);
    expect(again.response(403).header('warning')).toContain('122 Function not allowed');

    // Nothing is known of this one yet.
    const other = invite(world, 'term');
    world.advance(DEADLINE_MS + 50);
    answer(world, other, world.core.incoming());
  });

  it('A-15: an answer after the deadline is for the next session', () => {
    const waiting: (() => void)[] = [];
    const world = new World({ policy: { mediaPath: 'always' } });
    world.pf.profile = (_query, done) => waiting.push(() => done({ ...DEFAULT_PROFILE, doNotDisturb: true }));
    invite(world, 'term');
    world.advance(DEADLINE_MS);
    world.settle();
    world.core.incoming();
    for (const tell of waiting.splice(0)) tell();

    const next = invite(world, 'term');
    world.advance(DEADLINE_MS);
    world.settle();
    next.response(480);
  });
});

const MALLORY = ['P-Asserted-Identity', '<sip:mallory@evil.example>'] as const;

describe('Session-Replaces', () => {
  /** The instance the function itself remembers. */
  function remembering(mediaPath: 'always' | 'never'): World {
    const world = new World({ policy: { mediaPath } });
    world.pf.profile = ({ user, sessionReplaces }, done) => {
      const replacedInstance = sessionReplaces === null ? null : world.pf.engine.instances.get(user, sessionReplaces);
      done({ ...DEFAULT_PROFILE, replacedInstance });
    };
    return world;
  }

  const headers = (id: string) => [['Contribution-ID', id]] as const;
  const contact = (uri: string) => ({ headers: [['Contact', `<${uri}>;+sip.instance="${TABLET}"`]] as const });

  function extendedTo(world: World, id: string): string | undefined {
    const before = new Set(world.core.received);
    invite(world, 'term', { headers: [['Session-Replaces', id]] });
    world.settle();
    const sent = world.core.received.find((message) => !before.has(message));
    return sent?.lines('accept-contact').find((field) => field.value.includes('sip.instance'))?.value;
  }

  it('A-41: the client that has the session is found in both modes and roles, also after a restart', () => {
    for (const mediaPath of MODES) {
      for (const role of ['orig', 'term'] as const) {
        const world = remembering(mediaPath);
        const near = invite(world, role, {
          ...(role === 'orig' ? { from: '<sip:bob@home.example>' } : {}),
          headers: [...headers('first'), ...(role === 'orig' ? contact('sip:bob@10.0.1.1:5060').headers : [])],
        });
        world.settle();
        const far = world.core.incoming();
        far.respond(200, { sdp: SDP, ...(role === 'term' ? contact(far.peer.uri) : {}) });
        world.settle();
        near.response(200);
        near.ack();
        world.settle();
        // A later change is stored, so that nothing of the 200 waits to be done again.
        near.request('INFO');
        world.settle();
        far.respond(200, { to: far.expect('INFO') });
        world.settle();
        const expected = `*;+sip.instance="${TABLET}";require;explicit`;
        expect(extendedTo(world, 'first')).toBe(expected);
        world.pf.crash();
        world.pf.start();
        world.settle();
        expect(extendedTo(world, 'first')).toBe(expected);
        expect(extendedTo(world, 'unknown')).toBeUndefined();
      }
    }
  });

  it('A-41: of a session that is over nothing is known; one that took its place stays', () => {
    const world = remembering('always');
    const start = () => {
      const near = invite(world, 'term', { headers: headers('same') });
      world.settle();
      const far = world.core.incoming();
      far.respond(200, { sdp: SDP, ...contact(far.peer.uri) });
      world.settle();
      near.response(200);
      near.ack();
      world.settle();
      far.expect('ACK');
      return { near, far };
    };
    const end = ({ near, far }: ReturnType<typeof start>) => {
      near.bye();
      world.settle();
      far.respond(200, { to: far.expect('BYE') });
      world.settle();
    };
    const [first, second] = [start(), start()];
    end(first);
    expect(extendedTo(world, 'same')).toBeDefined();
    end(second);
    expect(extendedTo(world, 'same')).toBeUndefined();
  });
});

describe('480', () => {
  const CASES = [
    ['dnd', { doNotDisturb: true }],
    ['noClient', { clients: [] }],
    ['noSuitableClient', { clients: [{ instance: '', services: ['session'], media: ['audio'] }] }],
  ] as const;

  it('A-57: one on the wire, told apart by the reason the session ends with, in both modes', () => {
    for (const mediaPath of MODES) {
      for (const [reason, profile] of CASES) {
        const world = new World({ policy: { mediaPath }, profile });
        const near = invite(world, 'term');
        world.settle();
        const refusal = near.response(480);
        expect(refusal.header('warning')).toBeUndefined();
        expect(refusal.header('reason')).toBeUndefined();
        near.ack();
        expect(leftovers(world)).toEqual([]);
        expect(world.pf.engine.counters.byReason).toEqual({ [reason]: 1 });
      }
    }
  });

  it('A-57: a 480 from further on is a failure of the far side, and the originating side does not interwork it', () => {
    const world = new World({ policy: { mediaPath: 'always' }, isf: [ISF] });
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(480);
    world.settle();
    near.response(480);
    expect(world.isf.waiting).toEqual([]);
    expect(world.pf.engine.counters.byReason).toEqual({ failed: 1 });
  });
});

const SDP = 'v=0\r\no=- 1 1 IN IP4 10.9.9.9\r\ns=-\r\nc=IN IP4 10.9.9.9\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\n';
