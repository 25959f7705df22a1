/** Interworked sessions: IWFs that leave while others are invited or leave too (8.2.2.3 4; ). */
import { expect, it } from '@jest/globals';
import { bodyOf, type Call, chatSdp } from '../../src/testing/index.ts';
import { ports } from '../support/session.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { KEPT, ROLES, Scene } from './scene.ts';

type Role = (typeof ROLES)[number];

const WHOLE = { ...KEPT, policy: { partialClose: 'session' } } as const;

/** The first IWF has accepted one of two streams; another is invited for the second. The ladder begins here. */
function secondaryRings(role: Role): { scene: Scene; first: Call; second: Call } {
  const scene = new Scene(role, 'b2bua', KEPT, { toIsf: true, sdp: chatSdp('alice', [2855, 2856]) });
  const first = scene.iwfAnswers([3001, 0]);
  const second = scene.world.isf.incoming();
  second.respond(180);
  scene.settle();
  scene.fromHere();
  return { scene, first, second };
}

race('IWF BYE during secondary INVITE', () => {
  // The inviter has no answer yet: its 200 is held back for the second IWF. With the first one gone there is no
  // session to answer with; RFC 3261 9.1 for the INVITE that rings, 21.4.18 for the inviter.
  it.each(ROLES)('%s: the second INVITE is cancelled, the inviter refused', (role) => {
    const { scene, first, second } = secondaryRings(role);
    first.bye();
    scene.settle();
    scene.answer(second, 'CANCEL');
    second.respond(487);
    scene.refused(480);
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1   BYE 1
      caller ← pf           480 INVITE 1
               pf → iwf 2   CANCEL 1
               pf ← iwf 2   200 CANCEL 1
               pf ← iwf 2   487 INVITE 1
      caller → pf           ACK 1
               pf → iwf 2   ACK 1
               pf → iwf 1   200 BYE 1
    `);
    scene.over('byeFromIwf');
  });

  // Invariant 11: a 2xx of the second IWF that crosses the CANCEL is acknowledged and ended.
  it.each(ROLES)('%s: the 200 of the second crosses, and is ended', (role) => {
    const { scene, first, second } = secondaryRings(role);
    first.bye();
    scene.world.clock.advance(1);
    second.respond(200, { sdp: chatSdp('iwf2', [3002]) });
    scene.settle();
    scene.answer(second, 'CANCEL', 481);
    scene.answer(second, 'BYE');
    scene.refused(480);
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1   BYE 1
      caller ← pf           480 INVITE 1
               pf → iwf 2   CANCEL 1
               pf ← iwf 2   200 INVITE 1
               pf → iwf 2   ACK 1
               pf → iwf 2   BYE 2
               pf ← iwf 2   481 CANCEL 1
               pf ← iwf 2   200 BYE 2
               pf → iwf 1   200 BYE 1
      caller → pf           ACK 1
    `);
    scene.over('byeFromIwf');
  });
});

race("two IWFs' BYEs at once", () => {
  // The first takes its streams along, which begins a re-INVITE; the second is then the last IWF and ends the
  // session. RFC 3261 15.1.2: the BYE ends the re-INVITE.
  it.each(ROLES)('%s, policy "only its streams": the second ends the session under the re-INVITE', (role) => {
    const scene = Scene.withTwoIwfs(role, KEPT);
    const [first, second] = scene.iwfs as [Call, Call];
    first.bye();
    second.bye();
    scene.settle();
    scene.near.respond(487, { to: scene.near.expect('INVITE') });
    scene.answer(scene.near, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1   BYE 1
               pf ← iwf 2   BYE 1
               pf → iwf 1   200 BYE 1
      caller ← pf           INVITE 1
      caller ← pf           BYE 2 ${toCaller}
      caller → pf           487 INVITE 1
      caller → pf           200 BYE 2
      caller ← pf           ACK 1
               pf → iwf 2   200 BYE 1
    `);
    scene.over('byeFromIwf');
  });

  // where the first ends the whole session, the second IWF's BYE crosses ours, or comes before it: it is
  // answered by itself and needs no BYE any more.
  it.each(ROLES)('%s, policy "whole session": each BYE has its 200, whoever invited one BYE', (role) => {
    const scene = Scene.withTwoIwfs(role, WHOLE);
    const [first, second] = scene.iwfs as [Call, Call];
    first.bye();
    second.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1   BYE 1
               pf ← iwf 2   BYE 1
               pf → iwf 2   200 BYE 1
      caller ← pf           BYE 1 ${toCaller}
      caller → pf           200 BYE 1
               pf → iwf 1   200 BYE 1
    `);
    scene.over('byeFromIwf');
  });
});

race("last stream's IWF leaves", () => {
  // one IWF has left before, so the session lives on the other alone. When this one leaves nothing is left to
  // re-offer: the session ends on the inviter's leg too, sealed before it is told.
  it.each(ROLES)('%s: after the first has taken its streams along, the second ends the session', (role) => {
    const scene = Scene.withTwoIwfs(role, KEPT);
    const [first, second] = scene.iwfs as [Call, Call];
    first.bye();
    scene.settle();
    const offer = scene.near.expect('INVITE');
    expect(ports(bodyOf(offer))).toEqual([0, 3002]);
    scene.near.respond(200, { to: offer, sdp: chatSdp('alice', [0, 2856]) });
    scene.settle();
    second.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1   BYE 1
               pf → iwf 1   200 BYE 1
      caller ← pf           INVITE 1
      caller → pf           200 INVITE 1
      caller ← pf           ACK 1
               pf ← iwf 2   BYE 1
      caller ← pf           BYE 2 ${toCaller}
      caller → pf           200 BYE 2
               pf → iwf 2   200 BYE 1
    `);
    scene.over('byeFromIwf');
  });

  // an IWF that is alone is the last one from the beginning.
  it.each(ROLES)('%s: the only IWF ends the session', (role) => {
    const scene = Scene.withOneIwf(role, KEPT);
    const [iwf] = scene.iwfs as [Call];
    iwf.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf   BYE 1
      caller ← pf         BYE 1 ${toCaller}
      caller → pf         200 BYE 1
               pf → iwf   200 BYE 1
    `);
    scene.over('byeFromIwf');
  });

  // The IWF's BYE and the inviter's cross: A-49.
  it.each(ROLES)('%s: the last IWF and the inviter hang up at once', (role) => {
    const scene = Scene.withOneIwf(role, KEPT);
    const [iwf] = scene.iwfs as [Call];
    iwf.bye();
    scene.world.clock.advance(1);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf   BYE 1
      caller ← pf         BYE 1 ${toCaller}
      caller → pf         BYE 2
      caller ← pf         200 BYE 2 ${toCaller}
               pf → iwf   200 BYE 1
      caller → pf         200 BYE 1
    `);
    scene.over('byeFromIwf');
  });
});

race("ISF 2xx after client's CANCEL", () => {
  // Invariants 11 and 12, RFC 3261 13.2.2.4: whatever the ISF answers after the CANCEL is acknowledged and ended. In the
  // terminating network it is the other entity that cancels.
  it.each(ROLES)('%s, B2BUA: a 200 that crosses the CANCEL gets ACK and BYE', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT, { toIsf: true });
    const iwf = scene.world.isf.incoming();
    iwf.respond(180);
    scene.settle();
    scene.fromHere();
    scene.near.cancel();
    scene.settle();
    scene.refused(487);
    scene.answer(iwf, 'CANCEL');
    iwf.respond(200, { sdp: chatSdp('iwf', [3001]) });
    scene.settle();
    scene.answer(iwf, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf         CANCEL 1
      caller ← pf         200 CANCEL 1
      caller ← pf         487 INVITE 1
               pf → iwf   CANCEL 1
      caller → pf         ACK 1
               pf ← iwf   200 CANCEL 1
               pf ← iwf   200 INVITE 1
               pf → iwf   ACK 1
               pf → iwf   BYE 2
               pf ← iwf   200 BYE 2
    `);
    scene.over('cancelled');
  });

  // the first IWF has answered, the second has not. The first gets a BYE, the second a CANCEL and, since it had
  // answered by then, ACK and BYE.
  it.each(ROLES)('%s, B2BUA: during the second INVITE, whose 200 crosses', (role) => {
    const { scene, first, second } = secondaryRings(role);
    scene.near.cancel();
    second.respond(200, { sdp: chatSdp('iwf2', [3002]) });
    scene.settle();
    scene.refused(487);
    scene.answer(first, 'BYE');
    scene.answer(second, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf           CANCEL 1
               pf ← iwf 2   200 INVITE 1
      caller ← pf           200 CANCEL 1
      caller ← pf           487 INVITE 1
               pf → iwf 1   BYE 2
               pf → iwf 2   ACK 1
               pf → iwf 2   BYE 2
      caller → pf           ACK 1
               pf ← iwf 1   200 BYE 2
               pf ← iwf 2   200 BYE 2
    `);
    scene.over('cancelled');
  });

  // RFC 3261 16.10: in proxy mode the 2xx wins and the session is there; to end it is the caller's.
  it.each(ROLES)('%s, proxy: the 200 is forwarded, and the caller ends the session', (role) => {
    const scene = new Scene(role, 'proxy', KEPT, { toIsf: true });
    const iwf = scene.world.isf.incoming();
    iwf.respond(180);
    scene.settle();
    scene.near.response(180);
    scene.fromHere();
    scene.near.cancel();
    iwf.respond(200, { sdp: chatSdp('iwf', [3001]) });
    scene.settle();
    scene.answer(iwf, 'CANCEL', 481);
    scene.near.response(200);
    scene.near.ack();
    scene.near.bye();
    scene.settle();
    scene.answer(iwf, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf         CANCEL 1
               pf ← iwf   200 INVITE 1
      caller ← pf         200 CANCEL 1
               pf → iwf   CANCEL 1
      caller ← pf         200 INVITE 1
               pf ← iwf   481 CANCEL 1
      caller → pf         ACK 1
      caller → pf         BYE 2
               pf → iwf   ACK 1
               pf → iwf   BYE 2
               pf ← iwf   200 BYE 2
      caller ← pf         200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });
});
