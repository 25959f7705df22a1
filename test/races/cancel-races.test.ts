/** CANCEL against the answer to the INVITE it means to end (RFC 3261 9, 13.2.2.4, 16.10; digest 2.3, invariant 12). */
import { expect, it } from '@jest/globals';
import { chatSdp } from '../../src/testing/index.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { KEPT, ROLES, ringing, Scene } from './scene.ts';

const ELSEWHERE = { headers: [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']] } as const;

race('CANCEL crossing 200', () => {
  // The caller's CANCEL and the callee's 200 are under way at once. Whichever reaches the function first wins: a B2BUA
  // that has the CANCEL refuses its caller, so the 200 it then gets is acknowledged and ended (RFC 3261 13.2.2.4).
  it.each(ROLES)('%s, B2BUA: the CANCEL is first; the 200 gets its ACK and a BYE, the caller a 487', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.near.cancel(ELSEWHERE);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.refused(487);
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1 (SIP;cause=200;text="Call completed elsewhere")
               pf ← callee   200 INVITE 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
               pf → callee   ACK 1
               pf → callee   BYE 2 (SIP;cause=200;text="Call completed elsewhere")
      caller → pf            ACK 1
               pf ← callee   200 BYE 2
    `);
    scene.over('cancelled');
  });

  // RFC 3261 9.2: a CANCEL has no effect on a request that has its final answer; 15: the caller may then say BYE.
  it.each(ROLES)('%s, B2BUA: the 200 is first; the CANCEL is answered and changes nothing', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.near.cancel(ELSEWHERE);
    scene.settle();
    scene.near.response(200);
    scene.near.ack();
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller → pf            CANCEL 1 (SIP;cause=200;text="Call completed elsewhere")
      caller ← pf            200 CANCEL 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
               pf → callee   ACK 1
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 16.10, 16.7 step 5: a proxy forwards both, and the 2xx wins: it is the caller who has to say BYE.
  it.each(ROLES)('%s, proxy: both are forwarded, the session is there, and the caller ends it', (role) => {
    const scene = ringing(role, 'proxy', KEPT);
    scene.near.cancel(ELSEWHERE);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.answer(scene.far, 'CANCEL', 481);
    scene.near.response(200);
    scene.near.ack();
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1 (SIP;cause=200;text="Call completed elsewhere")
               pf ← callee   200 INVITE 1
      caller ← pf            200 CANCEL 1
               pf → callee   CANCEL 1 (SIP;cause=200;text="Call completed elsewhere")
      caller ← pf            200 INVITE 1
               pf ← callee   481 CANCEL 1
      caller → pf            ACK 1
               pf → callee   ACK 1
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });
});

race('CANCEL before any 1xx', () => {
  const unheard = (role: (typeof ROLES)[number], mode: 'b2bua' | 'proxy'): Scene => {
    const scene = new Scene(role, mode, KEPT);
    scene.far.localTag = 'callee';
    scene.fromHere();
    scene.near.cancel();
    scene.settle();
    return scene;
  };

  // RFC 3261 9.1: no CANCEL before a provisional response, since it might overtake its INVITE. The caller of a B2BUA
  // does not wait for that: its INVITE is refused at once.
  it.each(ROLES)('%s, B2BUA: the caller has its 487, and the far CANCEL waits for a 1xx', (role) => {
    const scene = unheard(role, 'b2bua');
    scene.refused(487);
    scene.far.respond(180);
    scene.settle();
    scene.answer(scene.far, 'CANCEL');
    scene.far.respond(487);
    scene.settle();
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
      caller → pf            ACK 1
               pf ← callee   180 INVITE 1
               pf → callee   CANCEL 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
    `);
    scene.over('cancelled');
  });

  // RFC 3261 9.1: a final response first, and there is nothing left to cancel; 13.2.2.4 for what it began.
  it.each(ROLES)('%s, B2BUA: where a 200 comes instead there is no CANCEL but ACK and BYE', (role) => {
    const scene = unheard(role, 'b2bua');
    scene.refused(487);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
      caller → pf            ACK 1
               pf ← callee   200 INVITE 1
               pf → callee   ACK 1
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
    `);
    scene.over('cancelled');
  });

  // RFC 3261 16.10: the same wait in a proxy, whose caller has its final answer from the callee.
  it.each(ROLES)('%s, proxy: the CANCEL waits for a 1xx, and the 487 comes from the callee', (role) => {
    const scene = unheard(role, 'proxy');
    scene.far.respond(180);
    scene.settle();
    scene.answer(scene.far, 'CANCEL');
    scene.far.respond(487);
    scene.settle();
    scene.refused(487);
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
               pf ← callee   180 INVITE 1
               pf → callee   CANCEL 1
      caller ← pf            180 INVITE 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
      caller ← pf            487 INVITE 1
      caller → pf            ACK 1
    `);
    scene.over('cancelled');
  });

  // RFC 3261 17.1.1.2, 16.8: where nothing ever comes the INVITE ends by timer B, and its CANCEL is never said.
  it.each(ROLES)('%s, B2BUA: a callee that says nothing at all never hears of the CANCEL', (role) => {
    const scene = unheard(role, 'b2bua');
    scene.refused(487);
    scene.world.advance(33_000);
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
      caller → pf            ACK 1
      after 0.4 s
               pf → callee   INVITE 1 again ×6
    `);
    scene.over('cancelled');
  });

  it.each(ROLES)(
    '%s, proxy: a callee that says nothing at all never hears of the CANCEL, the caller has a 408',
    (role) => {
      const scene = unheard(role, 'proxy');
      scene.world.advance(32_000);
      scene.refused(408);
      expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      after 0.5 s
               pf → callee   INVITE 1 again ×6
      after 0.5 s
      caller ← pf            408 INVITE 1
      caller → pf            ACK 1
    `);
      scene.over('failed');
    },
  );
});

race('200 after CANCEL answered 487', () => {
  // The callee has taken the CANCEL and picks up all the same, long after the caller had its 487: RFC 3261 13.2.2.4,
  // and invariant 12, the late 2xx never becomes a leg.
  it.each(ROLES)('%s, B2BUA: the late 200 is acknowledged and ended, the caller hears nothing', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.near.cancel();
    scene.settle();
    scene.refused(487);
    scene.answer(scene.far, 'CANCEL');
    scene.world.advance(5000);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
               pf → callee   CANCEL 1
      caller → pf            ACK 1
               pf ← callee   200 CANCEL 1
      after 5 s
               pf ← callee   200 INVITE 1
               pf → callee   ACK 1
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
    `);
    scene.over('cancelled');
  });

  // One fork takes the CANCEL, another had answered: a proxy beyond sends both up, 487 and then 2xx (RFC 3261 16.7
  // step 5). The session is over by then; the 2xx still has a callee who waits for an ACK.
  it.each(ROLES)('%s, B2BUA: a 200 of another fork behind the 487 is acknowledged and ended', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.near.cancel();
    scene.settle();
    scene.refused(487);
    scene.answer(scene.far, 'CANCEL');
    scene.far.respond(487);
    scene.settle();
    scene.fork('fork', 'other');
    scene.far.respond(200, { sdp: chatSdp('bob'), tag: 'other' });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
               pf → callee   CANCEL 1
      caller → pf            ACK 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
               pf ← fork     200 INVITE 1
               pf → fork     ACK 1
               pf → fork     BYE 2
               pf ← fork     200 BYE 2
    `);
    scene.over('cancelled');
  });

  // RFC 3261 16.7 step 5: after a final response was sent only a 2xx is still forwarded, and at once.
  it.each(ROLES)('%s, proxy: a 200 of another fork behind the 487 is forwarded, and the caller ends it', (role) => {
    const scene = ringing(role, 'proxy', KEPT);
    scene.near.cancel();
    scene.settle();
    scene.answer(scene.far, 'CANCEL');
    scene.far.respond(487);
    scene.settle();
    scene.refused(487);
    scene.fork('fork', 'other');
    scene.far.respond(200, { sdp: chatSdp('bob'), tag: 'other' });
    scene.settle();
    scene.near.response(200);
    scene.near.ack();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
               pf → callee   CANCEL 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
      caller ← pf            487 INVITE 1
      caller → pf            ACK 1
               pf ← fork     200 INVITE 1
      caller ← pf            200 INVITE 1 [fork]
      caller → pf            ACK 1 [fork]
      caller → pf            BYE 2 [fork]
               pf → fork     ACK 1
               pf → fork     BYE 2
               pf ← fork     200 BYE 2
      caller ← pf            200 BYE 2 [fork]
    `);
    scene.over('cancelled');
  });
});
