/** Offers inside the dialog against its end, and against each other (RFC 3261 14, 15.1.2; RFC 3311; A-31). */
import { expect, it } from '@jest/globals';
import { bodyOf, type Call, chatSdp } from '../../src/testing/index.ts';
import { ports } from '../support/session.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { established, KEPT, ROLES, Scene } from './scene.ts';

race('BYE during re-INVITE', () => {
  // RFC 3261 15.1.2: the BYE wins: what its dialog still has open is answered 487. On the other side the offer needs no
  // CANCEL, since the BYE there does the same.
  it.each(ROLES)('%s, B2BUA: the one who offers hangs up', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    const offer = scene.far.expect('INVITE');
    scene.near.bye();
    scene.settle();
    scene.refusedOffer(scene.near, 487, 'offer');
    scene.far.respond(487, { to: offer });
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
      caller → pf            BYE 3
      caller ← pf            487 INVITE 2
               pf → callee   BYE 3 ${toCallee}
      caller → pf            ACK 2
               pf ← callee   487 INVITE 2
               pf ← callee   200 BYE 3
               pf → callee   ACK 2
      caller ← pf            200 BYE 3 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, B2BUA: the one who is asked hangs up instead of answering', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    const offer = scene.far.expect('INVITE');
    scene.far.bye();
    scene.far.respond(487, { to: offer });
    scene.settle();
    scene.refusedOffer(scene.near, 487, 'offer');
    scene.answer(scene.near, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
               pf ← callee   BYE 1
               pf ← callee   487 INVITE 2
               pf → callee   ACK 2
      caller ← pf            487 INVITE 2
      caller ← pf            BYE 1 ${toCaller}
      caller → pf            ACK 2
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1 ${toCallee}
    `);
    scene.over(scene.endedBy(scene.far));
  });

  // RFC 3261 13.2.2.4: the 200 to the offer crosses the BYE; it is acknowledged though nobody wants it any more. Where
  // the served client hangs up, the far BYE goes at once; where the other entity does, the history is sealed before it.
  it('orig, B2BUA: the answer to the offer crosses the BYE and gets its ACK', () => {
    const scene = established('orig', 'b2bua', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    const offer = scene.far.expect('INVITE');
    scene.near.bye();
    scene.far.respond(200, { to: offer, sdp: chatSdp('bob') });
    scene.settle();
    scene.refusedOffer(scene.near, 487, 'offer');
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
      caller → pf            BYE 3
               pf ← callee   200 INVITE 2
      caller ← pf            487 INVITE 2
               pf → callee   BYE 3
               pf → callee   ACK 2
      caller → pf            ACK 2
               pf ← callee   200 BYE 3
      caller ← pf            200 BYE 3 Message-UID 1
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it('term, B2BUA: the answer to the offer crosses the BYE and gets its ACK', () => {
    const scene = established('term', 'b2bua', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    const offer = scene.far.expect('INVITE');
    scene.near.bye();
    scene.far.respond(200, { to: offer, sdp: chatSdp('bob') });
    scene.settle();
    scene.refusedOffer(scene.near, 487, 'offer');
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
      caller → pf            BYE 3
               pf ← callee   200 INVITE 2
      caller ← pf            487 INVITE 2
               pf → callee   ACK 2
               pf → callee   BYE 3 Message-UID 1
      caller → pf            ACK 2
               pf ← callee   200 BYE 3
      caller ← pf            200 BYE 3
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 15: the BYE comes when the offer is answered and its ACK is still to come.
  it.each(ROLES)('%s, B2BUA: the BYE overtakes the ACK of the re-INVITE', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    scene.far.respond(200, { to: scene.far.expect('INVITE'), sdp: chatSdp('bob') });
    scene.settle();
    scene.near.response(200);
    scene.near.bye();
    scene.near.ack({ cseq: 2 });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
               pf ← callee   200 INVITE 2
      caller ← pf            200 INVITE 2
      caller → pf            BYE 3
      caller → pf            ACK 2
               pf → callee   ACK 2
               pf → callee   BYE 3 ${toCallee}
               pf ← callee   200 BYE 3
      caller ← pf            200 BYE 3 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 16: a proxy forwards all of it; it is the callee who answers the INVITE that its BYE has overtaken.
  it.each(ROLES)('%s, proxy: BYE and 487 are those of the callee', (role) => {
    const scene = established(role, 'proxy', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    const offer = scene.far.expect('INVITE');
    scene.far.bye();
    scene.far.respond(487, { to: offer });
    scene.settle();
    scene.refusedOffer(scene.near, 487, 'offer');
    scene.answer(scene.near, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
               pf ← callee   BYE 1
               pf ← callee   487 INVITE 2
               pf → callee   ACK 2
      caller ← pf            BYE 1
      caller ← pf            487 INVITE 2
      caller → pf            ACK 2
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
    `);
    scene.over(scene.endedBy(scene.far));
  });
});

race('re-INVITE glare (491) during partial close', () => {
  // One of two IWFs leaves, so whoever invited is offered the session without its streams (A-24, A-31; in the
  // terminating network that is the other entity). This offer crosses one of the inviter's own. RFC 3261 14.1: both are
  // refused 491; the owner of the Call-ID waits 2.1 to 4 s, the other side, here the function, 0 to 2 s.
  const crossing = (role: (typeof ROLES)[number]): { scene: Scene; second: Call } => {
    const scene = Scene.withTwoIwfs(role, KEPT);
    const [first, second] = scene.iwfs as [Call, Call];
    first.bye();
    scene.world.clock.advance(1);
    scene.near.request('INVITE', { sdp: chatSdp('alice', [2855, 2860]), branch: 'offer' });
    scene.settle();
    scene.near.respond(491, { to: scene.near.expect('INVITE') });
    scene.settle();
    scene.refusedOffer(scene.near, 491, 'offer');
    return { scene, second };
  };

  it.each(ROLES)('%s, B2BUA: both get 491, ours is said again first and accepted', (role) => {
    const { scene, second } = crossing(role);
    scene.world.advance(1600);
    const again = scene.near.expect('INVITE');
    expect(ports(bodyOf(again))).toEqual([0, 3002]);
    scene.near.respond(200, { to: again, sdp: chatSdp('alice', [0, 2856]) });
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(second, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1   BYE 1
               pf → iwf 1   200 BYE 1
      caller ← pf           INVITE 1
      caller → pf           INVITE 2
      caller ← pf           491 INVITE 2
      caller → pf           491 INVITE 1
      caller ← pf           ACK 1
      caller → pf           ACK 2
      after 1.5 s
      caller ← pf           INVITE 2
      caller → pf           200 INVITE 2
      caller ← pf           ACK 2
      caller → pf           BYE 3
               pf → iwf 2   BYE 2
               pf ← iwf 2   200 BYE 2
      caller ← pf           200 BYE 3 ${toCaller}
    `);
    scene.over(role === 'orig' ? 'byeFromClient' : 'byeFromEntity');
  });

  // The session ends while the repetition waits: it is never said (invariant 4).
  it.each(ROLES)('%s, B2BUA: a BYE while both wait, and nothing is offered again', (role) => {
    const { scene, second } = crossing(role);
    scene.near.bye();
    scene.settle();
    scene.answer(second, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1   BYE 1
               pf → iwf 1   200 BYE 1
      caller ← pf           INVITE 1
      caller → pf           INVITE 2
      caller ← pf           491 INVITE 2
      caller → pf           491 INVITE 1
      caller ← pf           ACK 1
      caller → pf           ACK 2
      caller → pf           BYE 3
               pf → iwf 2   BYE 2
               pf ← iwf 2   200 BYE 2
      caller ← pf           200 BYE 3 ${toCaller}
    `);
    scene.over(role === 'orig' ? 'byeFromClient' : 'byeFromEntity');
  });
});

race('UPDATE against BYE', () => {
  // RFC 3311 5.2 and RFC 3261 15.1.2: the BYE wins; an UPDATE that is open gets 487, one that comes later 481.
  it.each(ROLES)("%s, B2BUA: the caller's UPDATE crosses the callee's BYE", (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('UPDATE', { sdp: chatSdp('alice') });
    scene.far.bye();
    scene.settle();
    scene.far.respond(481, { to: scene.far.expect('UPDATE') });
    scene.answer(scene.near, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            UPDATE 2
               pf ← callee   BYE 1
               pf → callee   UPDATE 2
      caller ← pf            487 UPDATE 2
      caller ← pf            BYE 1 ${toCaller}
               pf ← callee   481 UPDATE 2
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1 ${toCallee}
    `);
    scene.over(scene.endedBy(scene.far));
  });

  it.each(ROLES)("%s, B2BUA: the caller's UPDATE crosses the BYE it is told the end with", (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.far.bye();
    scene.world.clock.advance(1);
    scene.near.request('UPDATE', { sdp: chatSdp('alice') });
    scene.settle();
    scene.answer(scene.near, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   BYE 1
      caller ← pf            BYE 1 ${toCaller}
      caller → pf            UPDATE 2
      caller ← pf            481 UPDATE 2
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1 ${toCallee}
    `);
    scene.over(scene.endedBy(scene.far));
  });

  it.each(ROLES)('%s, B2BUA: whoever said UPDATE hangs up before its answer, which comes too late', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('UPDATE', { sdp: chatSdp('alice') });
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'UPDATE');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            UPDATE 2
               pf → callee   UPDATE 2
      caller → pf            BYE 3
      caller ← pf            487 UPDATE 2
               pf → callee   BYE 3 ${toCallee}
               pf ← callee   200 UPDATE 2
               pf ← callee   200 BYE 3
      caller ← pf            200 BYE 3 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, proxy: both are forwarded, also the UPDATE behind the BYE', (role) => {
    const scene = established(role, 'proxy', KEPT);
    scene.near.request('UPDATE', { sdp: chatSdp('alice') });
    scene.far.bye();
    scene.settle();
    scene.answer(scene.far, 'UPDATE', 481);
    scene.answer(scene.near, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            UPDATE 2
               pf ← callee   BYE 1
               pf → callee   UPDATE 2
      caller ← pf            BYE 1
               pf ← callee   481 UPDATE 2
      caller ← pf            481 UPDATE 2
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
    `);
    scene.over(scene.endedBy(scene.far));
  });
});
