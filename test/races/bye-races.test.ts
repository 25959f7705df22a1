/** BYE against BYE, and against the ACK (RFC 3261 15; digest 2.2; ). */
import { expect, it } from '@jest/globals';
import { chatSdp } from '../../src/testing/index.ts';
import { resume, stall } from '../support/store.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { accepted, established, KEPT, ROLES, ringing } from './scene.ts';

race('BYE before ACK', () => {
  // The caller hangs up so early that its BYE overtakes its ACK. RFC 3261 15: the caller may; the far side is
  // acknowledged before it is told, since it may not be left with a 2xx that nobody takes.
  it.each(ROLES)("%s, B2BUA: the caller's BYE overtakes its ACK, which then means nothing", (role) => {
    const scene = accepted(role, 'b2bua', KEPT);
    scene.near.bye();
    scene.near.ack({ cseq: 1 });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            BYE 2
      caller → pf            ACK 1
               pf → callee   ACK 1
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 15: the callee may not say BYE before it has the ACK; as B2BUA we are the caller's callee. So the BYE to
  // the caller is held until its ACK is there. The callee's own 200 gets its ACK all the same (13.2.2.4).
  it.each(ROLES)("%s, B2BUA: the callee's BYE comes before the caller's ACK and waits for it", (role) => {
    const scene = accepted(role, 'b2bua', KEPT);
    scene.far.bye();
    scene.settle();
    scene.near.ack();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
               pf ← callee   BYE 1
               pf → callee   ACK 1
      caller → pf            ACK 1
      caller ← pf            BYE 1 ${toCaller}
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1 ${toCallee}
    `);
    scene.over(scene.endedBy(scene.far));
  });

  // the end by the other entity is told when the history is sealed. An ACK that comes until then lets the BYE go
  // as well as a later one: nothing more is waited for once the store has answered.
  it("orig, B2BUA: the callee's BYE comes before the caller's ACK, and that while the history is sealed", () => {
    const scene = accepted('orig', 'b2bua', KEPT);
    stall(scene.world);
    scene.far.bye();
    scene.settle();
    scene.near.ack();
    scene.world.advance(700);
    resume(scene.world);
    scene.settle();
    scene.answer(scene.near, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
               pf ← callee   BYE 1
               pf → callee   ACK 1
      caller → pf            ACK 1
      after 0.7 s
      caller ← pf            BYE 1 Message-UID 1
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
    `);
    scene.over('byeFromEntity');
  });

  // The same where nobody has said BYE: each leg is told when the history is sealed.
  it.each(ROLES)(
    "%s, B2BUA: the operator ends it before the caller's ACK, and that while the history is sealed",
    (role) => {
      const scene = ringing(role, 'b2bua', KEPT);
      scene.far.respond(200, { sdp: chatSdp('bob') });
      scene.settle();
      scene.near.response(200);
      stall(scene.world);
      for (const id of [...scene.world.pf.engine.sessions.keys()]) scene.world.pf.engine.end(id, 'operator');
      scene.settle();
      scene.near.ack();
      scene.world.advance(700);
      resume(scene.world);
      scene.settle();
      scene.answer(scene.near, 'BYE');
      scene.answer(scene.far, 'BYE');
      const { toCaller, toCallee } = scene.uid;
      expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
      after 0.7 s
      caller ← pf            BYE 1 ${toCaller} (SIP;cause=480;text="Ended by the operator")
               pf → callee   ACK 1
               pf → callee   BYE 2 ${toCallee} (SIP;cause=480;text="Ended by the operator")
      caller → pf            200 BYE 1
               pf ← callee   200 BYE 2
    `);
      scene.over('operator');
    },
  );

  // As before, but the ACK never comes: RFC 3261 15 lets the BYE go when 64*T1 are over, and A-26 does not let the
  // callee wait so long for its 200.
  it.each(ROLES)("%s, B2BUA: the callee's BYE, and the caller's ACK never comes", (role) => {
    const scene = accepted(role, 'b2bua', KEPT);
    scene.far.bye();
    scene.world.advance(33_000);
    scene.answer(scene.near, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
               pf ← callee   BYE 1
               pf → callee   ACK 1
      after 0.5 s
      caller ← pf            200 INVITE 1 again ×2
      after 0.5 s
               pf → callee   200 BYE 1 ${toCallee}
      after 1.5 s
      caller ← pf            200 INVITE 1 again ×8
      after 0.5 s
      caller ← pf            BYE 1 ${toCaller}
      after 0.5 s
      caller ← pf            BYE 1 ${toCaller} again
      after 0.5 s
      caller → pf            200 BYE 1
    `);
    scene.over(scene.endedBy(scene.far));
  });

  // RFC 3261 16.11, 16.6: a proxy forwards each as it comes, and judges neither.
  it.each(ROLES)('%s, proxy: both go on in the order in which they came', (role) => {
    const scene = accepted(role, 'proxy', KEPT);
    scene.near.bye();
    scene.near.ack({ cseq: 1 });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            BYE 2
      caller → pf            ACK 1
               pf → callee   BYE 2
               pf → callee   ACK 1
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });
});

race('BYE glare on one leg', () => {
  // The BYE that tells one side of the end crosses that side's own BYE: A-49, both are answered 200, and the session
  // ends once, for the reason of the first.
  it.each(ROLES)("%s, B2BUA: on the caller's leg", (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.far.bye();
    scene.world.clock.advance(1);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   BYE 1
      caller ← pf            BYE 1 ${toCaller}
      caller → pf            BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
               pf → callee   200 BYE 1 ${toCallee}
      caller → pf            200 BYE 1
    `);
    scene.over(scene.endedBy(scene.far));
  });

  it.each(ROLES)("%s, B2BUA: on the callee's leg", (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.bye();
    scene.world.clock.advance(1);
    scene.far.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   BYE 1
               pf → callee   200 BYE 1 ${toCallee}
      caller ← pf            200 BYE 2 ${toCaller}
               pf ← callee   200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 15.1.2: a side may answer our BYE with 481 once its own has ended the dialog for it. A-26: any answer will
  // do.
  it.each(ROLES)('%s, B2BUA: the BYE that crossed is answered 481, which ends it as well', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.bye();
    scene.world.clock.advance(1);
    scene.far.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE', 481);
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   BYE 1
               pf → callee   200 BYE 1 ${toCallee}
      caller ← pf            200 BYE 2 ${toCaller}
               pf ← callee   481 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 16: a proxy takes no part in it: both BYEs go through, and whatever is answered comes back.
  it.each(ROLES)('%s, proxy: both BYEs go through, the 481 to each comes back', (role) => {
    const scene = established(role, 'proxy', KEPT);
    scene.near.bye();
    scene.world.clock.advance(1);
    scene.far.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE', 481);
    scene.answer(scene.near, 'BYE', 481);
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   BYE 1
      caller ← pf            BYE 1
               pf ← callee   481 BYE 2
      caller ← pf            481 BYE 2
      caller → pf            481 BYE 1
               pf → callee   481 BYE 1
    `);
    scene.over(scene.endedBy(scene.near));
  });
});

race('BYE from both legs at once', () => {
  // Both sides hang up in the same moment. A-49: each BYE gets its own 200; the history is sealed once, and
  // Message-UID stands in the 200 to the served client's BYE, whichever was first.
  it("orig, B2BUA: the caller's is first by a hair", () => {
    const scene = established('orig', 'b2bua', KEPT);
    scene.near.bye();
    scene.far.bye();
    scene.settle();
    if (scene.far.has('BYE')) scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf ← callee   BYE 1
               pf → callee   BYE 2
               pf → callee   200 BYE 1
      caller ← pf            200 BYE 2 Message-UID 1
               pf ← callee   200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it("orig, B2BUA: the callee's is first by a hair", () => {
    const scene = established('orig', 'b2bua', KEPT);
    scene.far.bye();
    scene.near.bye();
    scene.settle();
    if (scene.near.has('BYE')) scene.answer(scene.near, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   BYE 1
      caller → pf            BYE 2
               pf → callee   200 BYE 1
      caller ← pf            200 BYE 2 Message-UID 1
    `);
    scene.over(scene.endedBy(scene.far));
  });

  it("term, B2BUA: the caller's is first by a hair", () => {
    const scene = established('term', 'b2bua', KEPT);
    scene.near.bye();
    scene.far.bye();
    scene.settle();
    if (scene.far.has('BYE')) scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf ← callee   BYE 1
      caller ← pf            200 BYE 2
               pf → callee   200 BYE 1 Message-UID 1
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it("term, B2BUA: the callee's is first by a hair", () => {
    const scene = established('term', 'b2bua', KEPT);
    scene.far.bye();
    scene.near.bye();
    scene.settle();
    if (scene.near.has('BYE')) scene.answer(scene.near, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   BYE 1
      caller → pf            BYE 2
      caller ← pf            BYE 1
      caller ← pf            200 BYE 2
               pf → callee   200 BYE 1 Message-UID 1
      caller → pf            200 BYE 1
    `);
    scene.over(scene.endedBy(scene.far));
  });

  // RFC 3261 16: a proxy forwards both BYEs and both answers; the session ends with the first.
  it.each(ROLES)('%s, proxy: each goes through, and so does its answer', (role) => {
    const scene = established(role, 'proxy', KEPT);
    scene.near.bye();
    scene.far.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf ← callee   BYE 1
               pf → callee   BYE 2
      caller ← pf            BYE 1
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });
});
