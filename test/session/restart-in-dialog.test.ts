/** Killed while a request passes from one side of a session to the other: it arrives once, and is answered. */
import { describe, expect, it } from '@jest/globals';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { bodyOf, type Call, chatSdp, World } from '../../src/testing/index.ts';
import { endsWell, establish, leftovers, ports, restart } from '../support/session.ts';

const b2bua = { policy: { mediaPath: 'always' } } as const;

/** Requests of this method that reached a call, each number once. */
const reached = (call: Call, method: string): (number | undefined)[] => [
  ...new Set(
    call.peer.received
      .filter(
        (message): message is SipRequest =>
          message.callId === call.callId && message.kind === 'request' && message.method === method,
      )
      .map(({ cseq }) => cseq?.number),
  ),
];

const SIDES = ['near', 'far'] as const;
const WHEN = ["before the other side's answer", "behind the other side's answer"] as const;

describe.each(SIDES)('a request of the %s side, passed on before the kill', (side) => {
  const sidesOf = ({ near, far }: { near: Call; far: Call }) =>
    (side === 'near' ? [near, far] : [far, near]) as [Call, Call];

  it.each(WHEN)('INFO, whose copy comes %s', (when) => {
    const world = new World(b2bua);
    const legs = establish(world, 'orig');
    const [asks, answers] = sidesOf(legs);
    const info = asks.request('INFO');
    world.settle();
    restart(world);
    const copy = (): void => {
      asks.peer.sendRaw(info);
      world.settle();
    };
    if (when === WHEN[0]) copy();
    answers.respond(200, { to: answers.expect('INFO') });
    world.settle();
    if (when === WHEN[1]) copy();
    asks.response(200, 'INFO');
    expect(reached(answers, 'INFO')).toHaveLength(1);
    expect([...world.pf.engine.sessions.values()].map(({ context }) => context.relays)).toEqual([[]]);
    expect([...world.pf.engine.sessions.values()].map(({ dossier }) => [...dossier.messages.keys()])).toEqual([[]]);
    endsWell(world, legs.near, legs.far);
  });

  // RFC 3261 17.1.1.2: behind a 100 an INVITE is not said again, so the answer must find its way without a copy.
  it.each([...WHEN, 'never'])('re-INVITE, whose copy comes %s', (when) => {
    const world = new World(b2bua);
    const legs = establish(world, 'orig');
    const [asks, answers] = sidesOf(legs);
    const offer = asks.request('INVITE', { sdp: chatSdp('again', [2866]) });
    world.settle();
    restart(world);
    const copy = (): void => {
      asks.peer.sendRaw(offer);
      world.settle();
    };
    if (when === WHEN[0]) copy();
    answers.respond(200, { to: answers.expect('INVITE'), sdp: chatSdp('answer', [2877]) });
    world.settle();
    if (when === WHEN[1]) copy();
    expect(ports(bodyOf(asks.response(200)))).toEqual([2877]);
    asks.ack();
    world.settle();
    expect(reached(answers, 'INVITE')).toHaveLength(1 + (answers === legs.far ? 1 : 0));
    answers.expect('ACK');
    world.advance(40_000);
    expect([...world.pf.engine.sessions.values()].map(({ dossier }) => [...dossier.messages.keys()])).toEqual([[]]);
    endsWell(world, legs.near, legs.far);
  });

  it('re-INVITE: no 100 before it is stored, since behind that no copy of it comes', () => {
    const world = new World(b2bua);
    const [asks] = sidesOf(establish(world, 'orig'));
    world.pf.store.delayMs = 30;
    asks.request('INVITE', { sdp: chatSdp('again', [2866]) });
    world.advance(20);
    expect(() => asks.response(100)).toThrow('has no response');
    world.advance(20);
    asks.response(100);
  });

  it('re-INVITE refused in the turn in which the session ended, its refusal not sent: it is said after the kill', () => {
    const world = new World(b2bua);
    const legs = establish(world, 'orig');
    const [asks, answers] = sidesOf(legs);
    world.pf.store.written = () => {
      world.pf.store.written = () => {};
      world.pf.crash();
    };
    answers.bye();
    asks.request('INVITE', { sdp: chatSdp('again', [2866]) });
    world.settle();
    world.pf.start();
    world.settle();
    asks.response(481);
  });

  it('re-INVITE that nobody answers: the record of the session lets go of it', () => {
    const world = new World(b2bua);
    const [asks] = sidesOf(establish(world, 'orig'));
    asks.request('INVITE', { sdp: chatSdp('again', [2866]) });
    world.settle();
    const [session] = world.pf.engine.sessions.values();
    world.advance(32_500);
    asks.response(408);
    expect(session?.dossier.messages.size).toBe(0);
  });

  it('re-INVITE, given up by its sender after the restart', () => {
    const world = new World(b2bua);
    const legs = establish(world, 'orig');
    const [asks, answers] = sidesOf(legs);
    const offer = asks.request('INVITE', { sdp: chatSdp('again', [2866]) });
    world.settle();
    restart(world);
    asks.cancel({}, offer);
    answers.respond(100, { to: answers.expect('INVITE') });
    world.settle();
    asks.response(200, 'CANCEL');
    answers.respond(200, { to: answers.expect('CANCEL') });
    answers.respond(487, { to: answers.expect('INVITE') });
    world.settle();
    asks.response(487);
    endsWell(world, legs.near, legs.far);
  });

  // RFC 3261 13.3.1.4, 13.2.2.4: whether the ACK has come nobody knows, so the 200 is said until it comes again.
  it.each([
    ['last thing', false, chatSdp('again', [2866])],
    ['something else', true, chatSdp('again', [2866])],
    ['last thing, without an offer', false, undefined],
    ['something else, without an offer', true, undefined],
  ])('re-INVITE that was accepted, its 200 being the %s that was stored', (_, more, sdp) => {
    const world = new World(b2bua);
    const legs = establish(world, 'orig');
    const [asks, answers] = sidesOf(legs);
    asks.request('INVITE', sdp === undefined ? {} : { sdp });
    world.settle();
    answers.respond(200, { to: answers.expect('INVITE'), sdp: chatSdp('answer', [2877]) });
    world.settle();
    const first = asks.response(200);
    if (more) answers.request('INFO');
    world.settle();
    restart(world);
    expect(answers.has('ACK')).toBe(false);
    const again = asks.response(200);
    expect([again.branch, bodyOf(again)]).toEqual([first.branch, bodyOf(first)]);
    asks.ack(sdp === undefined ? { sdp: chatSdp('answer', [2888]) } : {});
    world.settle();
    const ack = answers.expect('ACK');
    if (sdp === undefined) expect(ports(bodyOf(ack))).toEqual([2888]);
    // Another offer, of the other side, is no glare.
    answers.request('INVITE', { sdp: chatSdp('answer', [2899]) });
    world.settle();
    asks.respond(200, { to: asks.expect('INVITE'), sdp: chatSdp('again', [2866]) });
    world.settle();
    answers.response(200);
    answers.ack();
    world.advance(40_000);
    asks.expect('ACK');
    endsWell(world, legs.near, legs.far);
  });

  it.each([
    ['is open', false],
    ['was accepted', true],
  ])(
    're-INVITE that %s, when the process is back long after both have given it up: a new one goes through',
    (_, ok) => {
      const world = new World(b2bua);
      const legs = establish(world, 'orig');
      const [asks, answers] = sidesOf(legs);
      asks.request('INVITE');
      world.settle();
      const offer = answers.expect('INVITE');
      if (ok) answers.respond(200, { to: offer, sdp: chatSdp('answer', [2877]) });
      world.settle();
      restart(world, 60_000);
      answers.request('INVITE', { sdp: chatSdp('answer', [2899]) });
      world.settle();
      asks.respond(200, { to: asks.expect('INVITE'), sdp: chatSdp('again', [2866]) });
      world.settle();
      answers.response(200);
      answers.ack();
      world.settle();
      asks.expect('ACK');
      endsWell(world, legs.near, legs.far);
    },
  );
});

describe('a request of ours that has no answer when the process is killed', () => {
  // Not only what waits to be carried out: the session was stored once more since then.
  it('is said again under its number, though its session was stored behind it', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    const asked = near.request('INFO');
    world.settle();
    const relayed = far.expect('INFO');
    const crossing = far.request('INFO');
    world.settle();
    near.respond(200, { to: near.expect('INFO') });
    world.settle();
    restart(world);
    const again = far.expect('INFO');
    expect([again.cseq?.number, again.branch]).toEqual([relayed.cseq?.number, relayed.branch]);
    far.respond(200, { to: again });
    world.settle();
    for (const [call, info] of [
      [near, asked],
      [far, crossing],
    ] as const) {
      call.peer.sendRaw(info);
      world.settle();
      call.response(200, 'INFO');
    }
    expect([reached(near, 'INFO'), reached(far, 'INFO')]).toEqual([[1], [2]]);
    endsWell(world, near, far);
  });

  it('is not said again where the peer has long forgotten it', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.request('INFO');
    world.settle();
    far.expect('INFO');
    far.request('INFO');
    world.settle();
    restart(world, 60_000);
    expect(far.has('INFO')).toBe(false);
  });

  it.each([100, 60_000])('BYE above all: nobody is left with a session that is over (away for %d ms)', (downMs) => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    for (const id of [...world.pf.engine.sessions.keys()]) world.pf.engine.end(id, 'operator');
    world.settle();
    const lost = near.expect('BYE');
    far.bye();
    world.settle();
    far.response(200, 'BYE');
    restart(world, downMs);
    const bye = near.expect('BYE');
    expect([bye.cseq?.number, bye.branch]).toEqual([lost.cseq?.number, lost.branch]);
    near.respond(200, { to: bye });
    world.advance(70_000);
    expect(near.has('BYE')).toBe(false);
    expect(leftovers(world)).toEqual([]);
  });

  it('a re-INVITE gets its answer acknowledged, though the session ended behind it', () => {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    near.request('INVITE', { sdp: chatSdp('again', [2866]) });
    world.settle();
    far.expect('INVITE');
    near.bye();
    world.settle();
    restart(world);
    const offer = far.expect('INVITE');
    far.respond(200, { to: offer, sdp: chatSdp('answer', [2877]) });
    world.settle();
    expect(far.expect('ACK').cseq?.number).toBe(offer.cseq?.number);
    far.respond(200, { to: far.expect('BYE') });
    world.advance(70_000);
    expect(leftovers(world)).toEqual([]);
  });
});

describe('the dialog of another fork, which the stack ends by itself (RFC 3261 13.2.2.4)', () => {
  function forked(): { world: World; near: Call; far: Call } {
    const world = new World(b2bua);
    const { near, far } = establish(world, 'orig');
    far.respond(200, { tag: 'other', sdp: chatSdp('other') });
    world.settle();
    expect(far.expect('ACK').toTag).toBe('other');
    return { world, near, far };
  }

  const byesToOther = ({ far }: { far: Call }): SipRequest[] =>
    far.peer.received.filter(
      (message): message is SipRequest =>
        message.kind === 'request' && message.method === 'BYE' && message.toTag === 'other',
    );

  it('its BYE, without an answer at the kill, is said again', () => {
    const scene = forked();
    const { world, near, far } = scene;
    const bye = far.expect('BYE');
    restart(world);
    expect(byesToOther(scene).map(({ branch, cseq }) => [branch, cseq?.number])).toEqual(
      [bye, bye].map(({ branch, cseq }) => [branch, cseq?.number]),
    );
    far.respond(200, { to: far.expect('BYE'), tag: 'other' });
    far.respond(200, { tag: 'other', sdp: chatSdp('other') });
    world.settle();
    expect(far.expect('ACK').toTag).toBe('other');
    endsWell(world, near, far);
  });

  it.each(['answered', 'crossed by one of the callee'])(
    'its BYE, %s before something else was stored, is not',
    (how) => {
      const scene = forked();
      const { world, near, far } = scene;
      const bye = far.expect('BYE');
      if (how === 'answered') far.respond(200, { to: bye, tag: 'other' });
      else {
        const kept = far.localTag;
        far.localTag = 'other';
        far.bye();
        far.localTag = kept;
      }
      world.settle();
      near.request('INFO');
      world.settle();
      far.respond(200, { to: far.expect('INFO') });
      world.settle();
      const before = byesToOther(scene).length;
      restart(world);
      expect(byesToOther(scene)).toHaveLength(before);
    },
  );
});
