/** The ACK that is late, lost or never said (RFC 3261 13.3.1.4, 13.2.2.4; A-16). */
import { expect, it } from '@jest/globals';
import { chatSdp, type Passage } from '../../src/testing/index.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { accepted, established, KEPT, ROLES, ringing } from './scene.ts';

const isAck = ({ message }: Passage): boolean => message.startsWith('ACK ');

race('2xx retransmitted with lost ACK', () => {
  // The caller's ACK is lost. RFC 3261 13.3.1.4: the 200 is repeated, each copy gets the ACK again (13.2.2.4), and the
  // callee is acknowledged when the first of them has come through, once.
  it.each(ROLES)("%s, B2BUA: the caller's ACK is lost", (role) => {
    const scene = accepted(role, 'b2bua', KEPT);
    scene.lose(isAck);
    scene.near.request('ACK', { cseq: 1, branch: 'ack' });
    scene.settle();
    scene.loseNothing();
    scene.world.advance(500);
    scene.near.response(200);
    scene.near.request('ACK', { cseq: 1, branch: 'ack' });
    scene.world.advance(5000);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1 lost
      after 0.5 s
      caller ← pf            200 INVITE 1 again
      caller → pf            ACK 1 again
               pf → callee   ACK 1
      after 5 s
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // Our ACK to the callee is lost: RFC 3261 13.2.2.4, its copy of the 200 gets the same ACK again, and the caller
  // hears nothing of it.
  it.each(ROLES)('%s, B2BUA: our ACK to the callee is lost', (role) => {
    const scene = accepted(role, 'b2bua', KEPT);
    scene.lose((passage) => isAck(passage) && passage.from === scene.world.pf.address);
    scene.near.ack();
    scene.world.advance(460);
    scene.loseNothing();
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
               pf → callee   ACK 1 lost
      after 0.5 s
               pf ← callee   200 INVITE 1 again
               pf → callee   ACK 1 again
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 16.7 step 5, 16.11: a proxy forwards the copies of the 2xx and the ACKs, and repeats neither.
  it.each(ROLES)('%s, proxy: the callee repeats, the caller acknowledges again, from end to end', (role) => {
    const scene = accepted(role, 'proxy', KEPT);
    scene.lose((passage) => isAck(passage) && passage.from === scene.world.pf.address);
    scene.near.request('ACK', { cseq: 1, branch: 'ack' });
    scene.world.advance(460);
    scene.loseNothing();
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.near.response(200);
    scene.near.request('ACK', { cseq: 1, branch: 'ack' });
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
               pf → callee   ACK 1 lost
      after 0.5 s
               pf ← callee   200 INVITE 1 again
      caller ← pf            200 INVITE 1 again
      caller → pf            ACK 1 again
               pf → callee   ACK 1 again
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });
});

race('no ACK ever', () => {
  // RFC 3261 13.3.1.4: after 64*T1 the session is ended by BYE, in both directions; the callee, which was
  // waiting for its ACK all the time, gets it before its BYE.
  it.each(ROLES)('%s, B2BUA: the 200 is repeated for 32 s, then both sides get a BYE', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.world.advance(32_000);
    scene.answer(scene.near, 'BYE');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      after 0.5 s
      caller ← pf            200 INVITE 1 again ×10
      after 0.5 s
      caller ← pf            BYE 1 ${toCaller} (SIP;cause=408;text="ACK missing")
               pf → callee   ACK 1
               pf → callee   BYE 2 ${toCallee} (SIP;cause=408;text="ACK missing")
      caller → pf            200 BYE 1
               pf ← callee   200 BYE 2
    `);
    scene.over('noAck');
  });

  // RFC 3261 14.1, 13.3.1.4: the same for the 2xx of a re-INVITE.
  it.each(ROLES)('%s, B2BUA: a re-INVITE that is never acknowledged ends the session too', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new') });
    scene.settle();
    scene.far.respond(200, { to: scene.far.expect('INVITE'), sdp: chatSdp('bob') });
    scene.settle();
    scene.world.advance(32_000);
    scene.answer(scene.near, 'BYE');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
               pf ← callee   200 INVITE 2
      caller ← pf            200 INVITE 2
      after 0.5 s
      caller ← pf            200 INVITE 2 again ×10
      after 0.5 s
               pf → callee   ACK 2
      caller ← pf            BYE 1 ${toCaller} (SIP;cause=408;text="ACK missing")
               pf → callee   BYE 3 ${toCallee} (SIP;cause=408;text="ACK missing")
      caller → pf            200 BYE 1
               pf ← callee   200 BYE 3
    `);
    scene.over('noAck');
  });

  // A proxy waits for no ACK. The callee gives up by itself and says BYE, which is forwarded like any other.
  it.each(ROLES)('%s, proxy: it is the callee who gives up', (role) => {
    const scene = ringing(role, 'proxy', KEPT);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.world.advance(32_000);
    scene.far.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      after 32 s
               pf ← callee   BYE 1
      caller ← pf            BYE 1
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
    `);
    scene.over(scene.endedBy(scene.far));
  });
});
