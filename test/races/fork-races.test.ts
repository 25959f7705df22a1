/** Two callees who answer one INVITE (RFC 3261 13.2.2.4, 16.7; digest 2.3, invariant 12). */
import { expect, it } from '@jest/globals';
import { chatSdp } from '../../src/testing/index.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { established, KEPT, ROLES, ringing, type Scene } from './scene.ts';

const COMMIT_MS = 40;

/** The core has forked, and another callee answers too. */
function secondAnswer(scene: Scene, tag = 'other'): void {
  scene.fork('fork', tag);
  scene.far.respond(200, { sdp: chatSdp('carol'), tag });
}

function end(scene: Scene): void {
  scene.near.bye();
  scene.settle();
  scene.answer(scene.far, 'BYE');
}

race('second 2xx from a fork, early and late', () => {
  // RFC 3261 13.2.2.4: a user agent client acknowledges every 2xx and ends with BYE those it does not want. The first
  // one is the session's. Early: in the same moment as the first, before the caller has said anything.
  it.each(ROLES)('%s, B2BUA, early: the second is acknowledged and ended, the first one stays', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    secondAnswer(scene);
    scene.settle();
    scene.answer(scene.far, 'BYE');
    scene.near.response(200);
    scene.near.ack();
    scene.settle();
    end(scene);
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
               pf ← fork     200 INVITE 1
               pf → fork     ACK 1
               pf → fork     BYE 2
      caller ← pf            200 INVITE 1
               pf ← fork     200 BYE 2
      caller → pf            ACK 1
               pf → callee   ACK 1
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // Which of the two the session has is on its way to the disk: until it is there, a kill would make them equal again, and
  // whoever repeats his 2xx first would be the session.
  it.each(ROLES)('%s, B2BUA, early: the second is not ended before it is stored which one is the session', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.world.pf.store.delayMs = COMMIT_MS;
    scene.far.respond(200, { sdp: chatSdp('bob') });
    secondAnswer(scene);
    secondAnswer(scene);
    scene.world.advance(COMMIT_MS / 2);
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
               pf ← fork     200 INVITE 1
               pf ← fork     200 INVITE 1 again
    `);
    scene.fromHere();
    scene.world.advance(COMMIT_MS * 4);
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf → fork     ACK 1
               pf → fork     BYE 2
      caller ← pf            200 INVITE 1
               pf ← fork     200 BYE 2
    `);
  });

  it.each(ROLES)('%s, B2BUA, early: the second hangs up before that, and has its ACK, its 200 and no BYE', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.world.pf.store.delayMs = COMMIT_MS;
    scene.far.respond(200, { sdp: chatSdp('bob') });
    secondAnswer(scene);
    scene.far.localTag = 'other';
    scene.far.bye();
    scene.world.advance(COMMIT_MS * 4);
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
               pf ← fork     200 INVITE 1
               pf ← fork     BYE 1
               pf → fork     ACK 1
               pf → fork     200 BYE 1
      caller ← pf            200 INVITE 1
    `);
  });

  // Late: the session is established since 20 s; copies of this 2xx get copies of its ACK and no second BYE.
  it.each(ROLES)('%s, B2BUA, late: the same, and its copies get the same ACK again', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.world.advance(20_000);
    scene.fromHere();
    secondAnswer(scene);
    scene.settle();
    secondAnswer(scene);
    scene.settle();
    scene.answer(scene.far, 'BYE');
    end(scene);
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← fork     200 INVITE 1
               pf → fork     ACK 1
               pf → fork     BYE 2
               pf ← fork     200 INVITE 1 again
               pf → fork     ACK 1 again
               pf ← fork     200 BYE 2
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // Later than 64*T1, when the INVITE's transaction has ended. The callee still waits for an ACK.
  it.each(ROLES)('%s, B2BUA, very late: the same without a transaction', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.world.advance(40_000);
    scene.fromHere();
    secondAnswer(scene);
    scene.settle();
    scene.answer(scene.far, 'BYE');
    end(scene);
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← fork     200 INVITE 1
               pf → fork     ACK 1
               pf → fork     BYE 2
               pf ← fork     200 BYE 2
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 16.7 step 5: a proxy forwards every 2xx; to acknowledge and to end one is the caller's to do. The session
  // watches the first: the BYE to the fork must not end it.
  it.each(ROLES)('%s, proxy, early: both are forwarded, and the caller ends the one it does not want', (role) => {
    const scene = ringing(role, 'proxy', KEPT);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    secondAnswer(scene);
    scene.settle();
    scene.near.response(200);
    const first = scene.near.remoteTag;
    scene.near.ack();
    scene.near.response(200);
    scene.near.ack({ cseq: 1 });
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.world.pf.engine.sessions.size).toBe(1);
    scene.near.remoteTag = first;
    end(scene);
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
               pf ← fork     200 INVITE 1
      caller ← pf            200 INVITE 1
      caller ← pf            200 INVITE 1 [fork]
      caller → pf            ACK 1
      caller → pf            ACK 1 [fork]
      caller → pf            BYE 2 [fork]
               pf → callee   ACK 1
               pf → fork     ACK 1
               pf → fork     BYE 2
               pf ← fork     200 BYE 2
      caller ← pf            200 BYE 2 [fork]
      caller → pf            BYE 3
               pf → callee   BYE 3
               pf ← callee   200 BYE 3
      caller ← pf            200 BYE 3
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, proxy, late: forwarded all the same', (role) => {
    const scene = established(role, 'proxy', KEPT);
    scene.world.advance(20_000);
    scene.fromHere();
    secondAnswer(scene);
    scene.settle();
    const first = scene.near.remoteTag;
    scene.near.response(200);
    scene.near.ack({ cseq: 1 });
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    scene.near.remoteTag = first;
    end(scene);
    expect(scene.ladder).toEqual(ladder`
               pf ← fork     200 INVITE 1
      caller ← pf            200 INVITE 1 [fork]
      caller → pf            ACK 1 [fork]
      caller → pf            BYE 2 [fork]
               pf → fork     ACK 1
               pf → fork     BYE 2
               pf ← fork     200 BYE 2
      caller ← pf            200 BYE 2 [fork]
      caller → pf            BYE 3
               pf → callee   BYE 3
               pf ← callee   200 BYE 3
      caller ← pf            200 BYE 3
    `);
    scene.over(scene.endedBy(scene.near));
  });
});
