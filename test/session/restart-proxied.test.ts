/** Killed in proxy mode: what a proxy has taken it passes on, and what waits for an answer gets it (RFC 3261 16). */
import { describe, expect, it } from '@jest/globals';
import { chatSdp, World } from '../../src/testing/index.ts';
import { endsWell, establish, invite, leftovers, restart } from '../support/session.ts';

const proxied = { policy: { mediaPath: 'never' } } as const;

/** Killed when the next record of a session that is not being set up any more is on the disk, before it leads to anything. */
function crashWhenStored({ pf }: World): void {
  pf.store.written = () => {
    if ([...pf.engine.sessions.values()].every(({ state }) => state.startsWith('inviting'))) return;
    pf.store.written = () => {};
    pf.crash();
  };
}

describe('the final answer to an invitation was stored and not passed on', () => {
  it.each([
    ['the refusal', 486],
    ['408 where nobody had answered', 408],
  ])('the inviter gets %s', (_, status) => {
    const world = new World(proxied);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    if (status === 486) far.respond(100);
    crashWhenStored(world);
    if (status === 486) far.respond(486, { headers: [['X-Why', 'busy']] });
    world.advance(status === 486 ? 10 : 33_000);
    expect(() => near.response(status)).toThrow('has no response');
    world.pf.start();
    world.settle();
    const refusal = near.response(status);
    if (status === 486) expect(refusal.header('x-why')).toBe('busy');
    near.ack({ cseq: 1 });
    world.advance(70_000);
    expect(leftovers(world)).toEqual([]);
  });

  it('the inviter gets the 200, before the callee says it again', () => {
    const world = new World(proxied);
    const near = invite(world, 'orig');
    world.settle();
    const far = world.core.incoming();
    crashWhenStored(world);
    far.respond(200, { sdp: chatSdp('bob'), tag: 'bob' });
    world.settle();
    world.pf.start();
    world.settle();
    expect(near.response(200).toTag).toBe('bob');
    near.ack();
    world.settle();
    far.expect('ACK');
    endsWell(world, near, far);
  });
});

describe.each(['near', 'far'] as const)('a re-INVITE of the %s side, passed on before the kill', (side) => {
  function offering() {
    const world = new World(proxied);
    const { near, far } = establish(world, 'orig');
    const [asks, answers] = side === 'near' ? [near, far] : [far, near];
    const offer = asks.request('INVITE', { sdp: chatSdp('again', [2866]) });
    world.settle();
    return { world, near, far, asks, answers, offer };
  }

  function offered() {
    const scene = offering();
    restart(scene.world);
    return scene;
  }

  it('its 200 goes back, and the ACK on', () => {
    const { world, near, far, asks, answers } = offered();
    const said = answers.peer.received.filter(
      (message) => message.kind === 'request' && message.method === 'INVITE' && message.toTag !== undefined,
    );
    expect(said.map(({ branch }) => branch)).toEqual([said[0]?.branch, said[0]?.branch]);
    answers.respond(200, { to: answers.expect('INVITE'), sdp: chatSdp('answer', [2877]) });
    world.settle();
    asks.response(200);
    asks.ack();
    world.settle();
    answers.expect('ACK');
    endsWell(world, near, far);
  });

  it('is said again though something else was stored since', () => {
    const { world, asks, answers } = offering();
    const first = answers.expect('INVITE');
    answers.request('INVITE', { sdp: chatSdp('mine', [2899]) });
    world.settle();
    restart(world);
    expect(answers.expect('INVITE').branch).toBe(first.branch);
    answers.respond(491, { to: first });
    world.settle();
    asks.response(491);
  });

  it('its refusal, stored with something else and not passed on, comes again', () => {
    const { world, asks, answers } = offering();
    const first = answers.expect('INVITE');
    world.pf.store.written = () => {
      world.pf.store.written = () => {};
      world.pf.crash();
    };
    // The offer of the other side is what is stored while the answer to the first waits.
    answers.request('INVITE', { sdp: chatSdp('mine', [2899]) });
    answers.respond(491, { to: first });
    world.settle();
    world.pf.start();
    world.settle();
    expect(answers.expect('INVITE').branch).toBe(first.branch);
    answers.respond(491, { to: first });
    world.settle();
    asks.response(491);
  });

  it('its refusal goes back, and is acknowledged on its hop', () => {
    const { world, near, far, asks, answers } = offered();
    const passed = answers.expect('INVITE');
    answers.respond(488, { to: passed });
    world.settle();
    asks.response(488);
    expect(answers.expect('ACK').branch).toBe(passed.branch);
    asks.ack();
    endsWell(world, near, far);
  });

  it('its CANCEL goes on', () => {
    const { world, near, far, asks, answers, offer } = offered();
    const passed = answers.expect('INVITE');
    answers.respond(100, { to: passed });
    world.settle();
    asks.cancel({}, offer);
    world.settle();
    answers.respond(200, { to: answers.expect('CANCEL') });
    answers.respond(487, { to: passed });
    world.settle();
    asks.response(487);
    asks.ack();
    endsWell(world, near, far);
  });

  it('has no 100 before it is stored: behind that no copy of it comes', () => {
    const world = new World(proxied);
    const { near, far } = establish(world, 'orig');
    const asks = side === 'near' ? near : far;
    world.pf.store.delayMs = 30;
    asks.request('INVITE', { sdp: chatSdp('again', [2866]) });
    world.advance(20);
    expect(() => asks.response(100)).toThrow('has no response');
    world.advance(20);
    asks.response(100);
  });

  it('nobody answers: a 408, as without the kill', () => {
    const { world, asks } = offered();
    world.advance(33_000);
    asks.response(408);
  });

  it('after 64*T1 it is not said again: both sides have given it up', () => {
    const { world, answers } = offering();
    answers.expect('INVITE');
    restart(world, 40_000);
    expect(answers.has('INVITE')).toBe(false);
  });
});
