/** What still comes when all is over (RFC 3261 13.2.2.4, 16.7, 17.1; RFC 6026; invariants 12 and 13). */
import { expect, it } from '@jest/globals';
import { chatSdp } from '../../src/testing/index.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { EVERYWHERE, established, KEPT, ROLES, ringing, type Scene } from './scene.ts';

/** Longer than any transaction lives behind its last message (64*T1). */
const LONG_AFTER_MS = 40_000;

/** The caller hangs up, the callee says 200; the ladder begins behind that. */
function over(scene: Scene): void {
  scene.near.bye();
  scene.settle();
  scene.answer(scene.far, 'BYE');
  scene.near.response(200, 'BYE');
  expect(scene.world.pf.engine.sessions.size).toBe(0);
  scene.fromHere();
}

race('straggler response after closed', () => {
  // RFC 3261 13.2.2.4: the ACK was lost, so the callee says its 200 once more, to a function that has forgotten the
  // session but not yet the transaction. It has its ACK, and no second session begins (invariant 12).
  it.each(ROLES)('%s, B2BUA: a copy of the 200 to the INVITE has its ACK', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    over(scene);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1 again
               pf → callee   ACK 1 again
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, proxy: a copy of the 200 to the INVITE is forwarded', (role) => {
    const scene = established(role, 'proxy', KEPT);
    over(scene);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1 again
      caller ← pf            200 INVITE 1 again
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // Invariant 12: it may as well be another callee who answers only now. Nobody else would tell him that it is over.
  it.each(ROLES)('%s, B2BUA: the 200 of another fork has its ACK and a BYE', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    over(scene);
    scene.fork('fork', 'other');
    scene.far.respond(200, { sdp: chatSdp('carol'), tag: 'other' });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf ← fork     200 INVITE 1
               pf → fork     ACK 1
               pf → fork     BYE 2
               pf ← fork     200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, proxy: the 200 of another fork is forwarded, and the caller ends it', (role) => {
    const scene = established(role, 'proxy', KEPT);
    over(scene);
    scene.fork('fork', 'other');
    scene.far.respond(200, { sdp: chatSdp('carol'), tag: 'other' });
    scene.settle();
    scene.near.response(200);
    scene.near.ack({ cseq: 1 });
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf ← fork     200 INVITE 1
      caller ← pf            200 INVITE 1 [fork]
      caller → pf            ACK 1 [fork]
      caller → pf            BYE 3 [fork]
               pf → fork     ACK 1
               pf → fork     BYE 3
               pf ← fork     200 BYE 3
      caller ← pf            200 BYE 3 [fork]
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(EVERYWHERE)(
    '%s, %s: when the transaction is forgotten too, nothing is said to any response',
    (role, mode) => {
      const scene = established(role, mode, KEPT);
      scene.near.bye();
      scene.settle();
      const received = scene.far.expect('BYE');
      scene.far.respond(200, { to: received });
      scene.world.advance(LONG_AFTER_MS);
      expect(scene.world.held).toEqual([]);
      scene.fromHere();
      scene.far.respond(180);
      scene.far.respond(200, { sdp: chatSdp('bob') });
      scene.far.respond(200, { to: received });
      scene.far.respond(481, { to: received });
      scene.settle();
      expect(scene.ladder).toEqual(ladder`
               pf ← callee   180 INVITE 1
               pf ← callee   200 INVITE 1 again
               pf ← callee   200 BYE 2 again
               pf ← callee   481 BYE 2
    `);
      scene.over(scene.endedBy(scene.near));
    },
  );

  it.each(ROLES)('%s, B2BUA: the 200 to a BYE that comes behind the join limit tells nobody anything', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.bye();
    scene.settle();
    const bye = scene.far.expect('BYE');
    scene.world.advance(LONG_AFTER_MS);
    scene.far.respond(200, { to: bye });
    scene.settle();
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
      after 0.5 s
               pf → callee   BYE 2 ${toCallee} again ×2
      after 0.5 s
      caller ← pf            200 BYE 2 ${toCaller}
      after 1.5 s
               pf → callee   BYE 2 ${toCallee} again ×8
      after 8.5 s
               pf ← callee   200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, proxy: the 200 to a BYE that was answered 408 goes no further', (role) => {
    const scene = established(role, 'proxy', KEPT);
    scene.near.bye();
    scene.settle();
    const bye = scene.far.expect('BYE');
    scene.world.advance(LONG_AFTER_MS);
    scene.far.respond(200, { to: bye });
    scene.settle();
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
      after 0.5 s
               pf → callee   BYE 2 again ×10
      after 0.5 s
      caller ← pf            408 BYE 2
      after 8 s
               pf ← callee   200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, B2BUA: the 487 of a cancelled INVITE that was given up has no ACK', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.near.cancel();
    scene.settle();
    scene.refused(487);
    scene.answer(scene.far, 'CANCEL');
    scene.world.advance(LONG_AFTER_MS);
    scene.far.respond(487);
    scene.settle();
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
               pf → callee   CANCEL 1
      caller → pf            ACK 1
               pf ← callee   200 CANCEL 1
      after 40 s
               pf ← callee   487 INVITE 1
    `);
    scene.over('cancelled');
  });

  it.each(ROLES)('%s, proxy: the 487 of a cancelled INVITE that was given up goes no further', (role) => {
    const scene = ringing(role, 'proxy', KEPT);
    scene.near.cancel();
    scene.settle();
    scene.answer(scene.far, 'CANCEL');
    scene.world.advance(LONG_AFTER_MS);
    scene.refused(408);
    scene.far.respond(487);
    scene.settle();
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
               pf → callee   CANCEL 1
               pf ← callee   200 CANCEL 1
      after 32 s
      caller ← pf            408 INVITE 1
      after 0.5 s
      caller ← pf            408 INVITE 1 again ×4
      after 0.6 s
      caller → pf            ACK 1
               pf ← callee   487 INVITE 1
    `);
    scene.over('failed');
  });
});
