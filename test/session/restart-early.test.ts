/** Killed while it rings: what provisional responses began goes on (RFC 3261 12.1, RFC 3262). */
import { describe, expect, it, jest } from '@jest/globals';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { type Call, chatSdp, type Extra, World } from '../../src/testing/index.ts';
import { invite, leftovers, restart } from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;
const ASKING = { headers: [['Supported', 'timer, 100rel']] } as const;

const reliable = (rseq: number, more: readonly (readonly [string, string])[] = []) => ({
  headers: [['Require', '100rel'], ['RSeq', String(rseq)], ...more] as const,
});

function ringing(world: World): { near: Call; far: Call } {
  const near = invite(world, 'orig', ASKING);
  world.settle();
  return { near, far: world.core.incoming() };
}

/** The far side has rung, by 180 or by a reliable 183, and the inviter has heard it. */
function rung(world: World, status: 180 | 183): { near: Call; far: Call } {
  const { near, far } = ringing(world);
  far.respond(status, status === 183 ? reliable(77) : {});
  world.settle();
  near.response(status);
  return { near, far };
}

/** A request of the inviter passes, and its 200 comes back. */
function passes(world: World, near: Call, far: Call, method: string, extra: Extra = {}): void {
  near.request(method, extra);
  world.settle();
  far.respond(200, { to: far.expect(method) });
  world.settle();
  near.response(200, method);
}

const rack = (rseq: number) => ({ headers: [['RAck', `${rseq} 1 INVITE`]] }) as const;

/** Requests of this method that the far side got, each number once. */
const numbers = (far: Call, method: string): (number | undefined)[] => [
  ...new Set(
    far.peer.received
      .filter((message): message is SipRequest => message.kind === 'request' && message.method === method)
      .filter(({ callId }) => callId === far.callId)
      .map(({ cseq }) => cseq?.number),
  ),
];

/** The call is answered, either side may end it, and nothing is left. */
function endsWell(world: World, near: Call, far: Call): void {
  far.respond(200, { sdp: chatSdp('bob') });
  world.settle();
  near.response(200);
  near.ack({ cseq: 1 });
  world.settle();
  far.expect('ACK');
  far.bye();
  world.settle();
  near.respond(200, { to: near.expect('BYE') });
  world.settle();
  far.response(200, 'BYE');
  world.advance(70_000);
  expect(leftovers(world)).toEqual([]);
}

describe('a reliable provisional response before a kill', () => {
  it.each([
    ['before the process is there again', 50],
    ['behind its start', 0],
  ])('its PRACK comes %s', (_, wait) => {
    const world = new World(b2bua);
    const { near, far } = ringing(world);
    far.respond(183, reliable(77));
    world.settle();
    expect(near.response(183).header('rseq')).toBe('1');
    world.pf.crash();
    const prack = wait > 0 ? near.request('PRACK', rack(1)) : undefined;
    world.advance(100);
    world.pf.start();
    world.settle();
    if (prack === undefined) near.request('PRACK', rack(1));
    else near.peer.sendRaw(prack);
    world.settle();
    const passed = far.expect('PRACK');
    expect(passed.header('rack')).toBe('77 1 INVITE');
    far.respond(200, { to: passed });
    world.settle();
    near.response(200, 'PRACK');
    endsWell(world, near, far);
  });

  it('it is said again under its number, until its PRACK', () => {
    const world = new World(b2bua);
    const { near, far } = ringing(world);
    far.respond(183, reliable(77, [['X-Stage', 'one']]));
    world.settle();
    near.response(183);
    restart(world);
    for (const ms of [0, 500, 1000]) {
      world.advance(ms);
      const again = near.response(183);
      expect([again.header('rseq'), again.header('x-stage'), again.toTag]).toEqual(['1', 'one', near.remoteTag]);
    }
    passes(world, near, far, 'PRACK', rack(1));
    const before = near.peer.inbox.length;
    world.advance(10_000);
    expect(near.peer.inbox).toHaveLength(before);
    endsWell(world, near, far);
  });

  it('what came of something else since does not make it forgotten', () => {
    const world = new World(b2bua);
    const { near, far } = rung(world, 183);
    passes(world, near, far, 'INFO');
    restart(world);
    expect(near.response(183).header('rseq')).toBe('1');
    passes(world, near, far, 'PRACK', rack(1));
    endsWell(world, near, far);
  });

  it('the next one has the next number; a copy of the first is none', () => {
    const world = new World(b2bua);
    const { near, far } = rung(world, 183);
    near.request('PRACK', rack(1));
    world.settle();
    restart(world);
    far.respond(200, { to: far.expect('PRACK') });
    far.respond(183, reliable(77));
    far.respond(183, reliable(78));
    world.settle();
    const rings = near.peer.received.filter((message) => message.kind === 'response' && message.status === 183);
    expect(rings.map((ring) => ring.header('rseq'))).toEqual(['1', '2']);
    near.request('PRACK', rack(2));
    world.settle();
    expect(numbers(far, 'PRACK')).toEqual([2, 3]);
    expect(far.peer.inbox.at(-1)?.header('rack')).toBe('78 1 INVITE');
  });

  it.each(['before', 'behind'])(
    'a PRACK that was passed on is passed on once; its copy comes %s the answer',
    (when) => {
      const world = new World(b2bua);
      const { near, far } = rung(world, 183);
      const prack = near.request('PRACK', rack(1));
      world.settle();
      restart(world);
      const copy = (): void => {
        near.peer.sendRaw(prack);
        world.settle();
      };
      if (when === 'before') copy();
      far.respond(200, { to: far.expect('PRACK') });
      world.settle();
      if (when === 'behind') copy();
      near.response(200, 'PRACK');
      expect(numbers(far, 'PRACK')).toEqual([2]);
      expect([...world.pf.engine.sessions.values()].map(({ context }) => context.relays)).toEqual([[]]);
      endsWell(world, near, far);
    },
  );

  it('a PRACK of ours that was lost is said again', () => {
    const world = new World(b2bua);
    const { near, far } = rung(world, 183);
    near.request('PRACK', rack(1));
    world.settle();
    far.expect('PRACK');
    // Something of later that is stored: the PRACK is not what waits to be sent any more.
    near.request('INFO');
    world.settle();
    restart(world);
    expect(far.expect('PRACK').header('rack')).toBe('77 1 INVITE');
    expect([numbers(far, 'PRACK'), numbers(far, 'INFO')]).toEqual([[2], [3]]);
  });

  it('a request of the far side that the inviter had no time to answer is said again to it', () => {
    const world = new World(b2bua);
    const { near, far } = rung(world, 180);
    far.request('INFO');
    world.settle();
    const first = near.expect('INFO');
    // Something of later that is stored: the INFO is not what waits to be sent any more.
    const other = near.request('INFO');
    world.settle();
    restart(world);
    const again = near.expect('INFO');
    expect([again.cseq?.number, again.branch]).toEqual([first.cseq?.number, first.branch]);
    near.respond(200, { to: again });
    far.respond(200, { to: far.expect('INFO') });
    near.peer.sendRaw(other);
    world.settle();
    near.response(200, 'INFO');
    endsWell(world, near, far);
  });

  it('a PRACK for nothing is a 481, as ever', () => {
    const world = new World(b2bua);
    const { near } = rung(world, 183);
    restart(world);
    near.request('PRACK', rack(2));
    world.settle();
    near.response(481, 'PRACK');
    near.request('PRACK', { headers: [['RAck', '1 2 INVITE']] });
    world.settle();
    near.response(481, 'PRACK');
  });
});

describe('two reliable ones that come together', () => {
  it('each is passed on with what it says, the second behind the PRACK of the first', () => {
    const world = new World(b2bua);
    const { near, far } = ringing(world);
    far.respond(183, reliable(77, [['X-Stage', 'one']]));
    far.respond(183, reliable(78, [['X-Stage', 'two']]));
    world.settle();
    expect(near.response(183).header('x-stage')).toBe('one');
    near.request('PRACK', rack(1));
    world.settle();
    expect(near.response(183).header('x-stage')).toBe('two');
  });
});

describe('a provisional response that is not reliable, before a kill', () => {
  it.each(['UPDATE', 'INFO'])('%s of the inviter waits until the far side rings again', (method) => {
    const world = new World(b2bua);
    const { near, far } = rung(world, 180);
    restart(world);
    near.request(method, method === 'UPDATE' ? { sdp: chatSdp('again', [2866]) } : {});
    world.settle();
    expect(far.has(method)).toBe(false);
    far.respond(180);
    world.settle();
    far.respond(200, { to: far.expect(method), ...(method === 'UPDATE' ? { sdp: chatSdp('answer') } : {}) });
    world.settle();
    near.response(200, method);
    endsWell(world, near, far);
  });

  it('what waits goes to who answers without ringing, and hears of a refusal', () => {
    for (const status of [200, 486]) {
      const world = new World(b2bua);
      const { near, far } = rung(world, 180);
      restart(world);
      near.request('INFO');
      world.settle();
      far.respond(status, status === 200 ? { sdp: chatSdp('bob') } : {});
      world.settle();
      near.response(status);
      if (status === 200) expect(far.expect('INFO').cseq?.number).toBe(2);
      else near.response(408, 'INFO');
    }
  });

  it('RFC 3261 15: the inviter ends it by BYE', () => {
    const world = new World(b2bua);
    const { near, far } = rung(world, 180);
    restart(world);
    near.bye();
    far.respond(180);
    world.settle();
    far.respond(200, { to: far.expect('CANCEL') });
    far.respond(487);
    world.settle();
    near.response(200, 'BYE');
    near.response(487);
    near.ack({ cseq: 1 });
    world.advance(70_000);
    expect(leftovers(world)).toEqual([]);
  });

  it('each fork stays the dialog it was', () => {
    const world = new World(b2bua);
    const { near, far } = ringing(world);
    far.respond(180, { tag: 'one' });
    far.respond(180, { tag: 'two' });
    world.settle();
    const tags = [near.response(180).toTag, near.response(180).toTag];
    restart(world);
    far.respond(180, { tag: 'two' });
    world.settle();
    expect(near.response(180).toTag).toBe(tags[1]);
    near.request('INFO');
    world.settle();
    expect(far.expect('INFO').toTag).toBe('two');
  });
});

describe('a session that rings for long', () => {
  it.each([20, 40, 150])('killed after %i s it goes on ringing', (seconds) => {
    const world = new World(b2bua);
    const { near, far } = rung(world, 180);
    world.advance(seconds * 1000);
    restart(world, 10_000);
    expect(far.expect('INVITE').branch).toBe(far.invite.branch);
    far.respond(180);
    world.settle();
    near.response(180);
    endsWell(world, near, far);
  });

  it('and after the next kill as well', () => {
    const world = new World(b2bua);
    const { near, far } = ringing(world);
    for (const seconds of [20, 60]) {
      far.respond(180);
      world.settle();
      near.response(180);
      world.advance(seconds * 1000);
      restart(world);
      far.expect('INVITE');
    }
    endsWell(world, near, far);
  });

  it('where its process was away for longer than its peers wait, it ends', () => {
    const world = new World(b2bua);
    const { near, far } = rung(world, 180);
    restart(world, 40_000);
    near.response(503);
    expect(far.has('INVITE')).toBe(false);
  });

  it('is written every 8 to 16 s while it rings, and not for that any more when it is answered or over', () => {
    const world = new World(b2bua);
    const commits = jest.spyOn(world.pf.store, 'commit');
    const { near, far } = rung(world, 180);
    const before = commits.mock.calls.length;
    world.advance(160_000);
    const rounds = commits.mock.calls.length - before;
    expect(rounds).toBeGreaterThanOrEqual(10);
    expect(rounds).toBeLessThanOrEqual(20);
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    near.ack({ cseq: 1 });
    world.advance(20_000);
    const answered = commits.mock.calls.length;
    world.advance(60_000);
    expect(commits.mock.calls).toHaveLength(answered);
  });
});
