/** The process stops, and every session ends, whatever it was doing (RFC 3261 15, 16.10; digest 2.3, invariants 2, 5). */
import { expect, it } from '@jest/globals';
import { type Call, chatSdp } from '../../src/testing/index.ts';
import { resume, stall } from '../support/store.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { EVERYWHERE, established, KEPT, ROLES, ringing, Scene } from './scene.ts';

/** Reason of every request that shutdown sends (RFC 3326). */
const GONE = '(SIP;cause=503;text="Server shuts down")';

race('shutdown in each state', () => {
  /** As `src/server/stopping.ts` has it: no new session, and every live one is ended. */
  const shutDown = ({ world }: Scene, state: string): void => {
    const { engine } = world.pf;
    expect([...engine.sessions.values()].map((session) => session.state)).toEqual([state]);
    engine.refusing = true;
    for (const id of [...engine.sessions.keys()]) engine.end(id, 'shutdown');
    world.settle();
  };

  // The preferences are not known yet, and so it is not decided yet whether this will be a proxy.
  it.each(ROLES)('%s, inviting.authorising: the caller has a 503, nobody else hears of it', (role) => {
    const scene = new Scene(role, 'b2bua', { profile: () => {} });
    scene.fromHere();
    shutDown(scene, 'inviting.authorising');
    scene.refused(503);
    expect(scene.ladder).toEqual(ladder`
      caller ← pf            503 INVITE 1
      caller → pf            ACK 1
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, B2BUA, inviting.ringing: the caller has a 503, the callee a CANCEL', (role) => {
    const scene = ringing(role, 'b2bua', KEPT);
    shutDown(scene, 'inviting.ringing');
    scene.refused(503);
    scene.answer(scene.far, 'CANCEL');
    scene.far.respond(487);
    scene.settle();
    expect(scene.ladder).toEqual(ladder`
      caller ← pf            503 INVITE 1
               pf → callee   CANCEL 1 ${GONE}
      caller → pf            ACK 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, proxy, inviting.ringing: the callee has a CANCEL, and its 487 goes to the caller', (role) => {
    const scene = ringing(role, 'proxy', KEPT);
    shutDown(scene, 'inviting.ringing');
    scene.answer(scene.far, 'CANCEL');
    scene.far.respond(487);
    scene.settle();
    scene.refused(487);
    expect(scene.ladder).toEqual(ladder`
               pf → callee   CANCEL 1 ${GONE}
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
      caller ← pf            487 INVITE 1
      caller → pf            ACK 1
    `);
    scene.over('shutdown');
  });

  // RFC 3261 16.7 step 5: the callee picked up before the CANCEL was there. The 2xx is forwarded, and is the caller's to end.
  it.each(ROLES)('%s, proxy, inviting.ringing: a 200 that crosses the CANCEL goes to the caller', (role) => {
    const scene = ringing(role, 'proxy', KEPT);
    shutDown(scene, 'inviting.ringing');
    scene.answer(scene.far, 'CANCEL', 481);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.near.response(200);
    scene.near.ack();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
               pf → callee   CANCEL 1 ${GONE}
               pf ← callee   481 CANCEL 1
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
      caller → pf            BYE 2
               pf → callee   ACK 1
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, B2BUA, inviting.answering: a BYE for the IWF that answered, a CANCEL for the other', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT, { toIsf: true, sdp: chatSdp('alice', [2855, 2856]) });
    const first = scene.iwfAnswers([3001, 0]);
    const second = scene.world.isf.incoming();
    second.respond(180);
    scene.settle();
    scene.fromHere();
    shutDown(scene, 'inviting.answering');
    scene.refused(503);
    scene.answer(second, 'CANCEL');
    second.respond(487);
    scene.answer(first, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller ← pf            503 INVITE 1
               pf → iwf 1    BYE 2 ${GONE}
               pf → iwf 2    CANCEL 1 ${GONE}
      caller → pf            ACK 1
               pf ← iwf 2    200 CANCEL 1
               pf ← iwf 2    487 INVITE 1
               pf ← iwf 1    200 BYE 2
               pf → iwf 2    ACK 1
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)(
    '%s, proxy, proxying: nothing is said, and the BYE of the caller still passes by its Route',
    (role) => {
      const scene = established(role, 'proxy', KEPT);
      shutDown(scene, 'proxying');
      expect(scene.world.pf.engine.sessions.size).toBe(0);
      scene.near.bye();
      scene.settle();
      scene.answer(scene.far, 'BYE');
      expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
      scene.over('shutdown');
    },
  );

  it.each(ROLES)('%s, B2BUA, b2buaEstablished.steady: the history is sealed, and both sides have a BYE', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    shutDown(scene, 'b2buaEstablished.steady');
    scene.answer(scene.near, 'BYE');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller ← pf            BYE 1 ${toCaller} ${GONE}
               pf → callee   BYE 2 ${toCallee} ${GONE}
      caller → pf            200 BYE 1
               pf ← callee   200 BYE 2
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, B2BUA, before the ACK: the BYE to the caller waits for it', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.near.response(200);
    scene.fromHere();
    shutDown(scene, 'b2buaEstablished.steady');
    scene.answer(scene.far, 'BYE');
    expect(scene.near.has('BYE')).toBe(false);
    scene.near.ack();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf → callee   ACK 1
               pf → callee   BYE 2 ${toCallee} ${GONE}
               pf ← callee   200 BYE 2
      caller → pf            ACK 1
      caller ← pf            BYE 1 ${toCaller} ${GONE}
      caller → pf            200 BYE 1
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, B2BUA, b2buaEstablished.renegotiating: the offer has its 487, both sides a BYE', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    const offer = scene.far.expect('INVITE');
    shutDown(scene, 'b2buaEstablished.renegotiating');
    scene.near.request('ACK', { cseq: scene.near.response(487).cseq?.number ?? 0, branch: 'offer' });
    scene.far.respond(487, { to: offer });
    scene.answer(scene.near, 'BYE');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
      caller ← pf            487 INVITE 2
      caller ← pf            BYE 1 ${toCaller} ${GONE}
               pf → callee   BYE 3 ${toCallee} ${GONE}
      caller → pf            ACK 2
               pf ← callee   487 INVITE 2
      caller → pf            200 BYE 1
               pf → callee   ACK 2
               pf ← callee   200 BYE 3
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, B2BUA, interworking.steady: a BYE for the inviter and one for each IWF', (role) => {
    const scene = Scene.withTwoIwfs(role, KEPT);
    const [first, second] = scene.iwfs as [Call, Call];
    shutDown(scene, 'interworking.steady');
    for (const call of [scene.near, first, second]) scene.answer(call, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller ← pf            BYE 1 ${toCaller} ${GONE}
               pf → iwf 1    BYE 2 ${GONE}
               pf → iwf 2    BYE 2 ${GONE}
      caller → pf            200 BYE 1
               pf ← iwf 1    200 BYE 2
               pf ← iwf 2    200 BYE 2
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, B2BUA, interworking.renegotiating: the offer has its 487, both sides a BYE', (role) => {
    const scene = Scene.withOneIwf(role, KEPT);
    const [iwf] = scene.iwfs as [Call];
    iwf.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    const offer = scene.near.expect('INVITE');
    shutDown(scene, 'interworking.renegotiating');
    iwf.request('ACK', { cseq: iwf.response(487).cseq?.number ?? 0, branch: 'offer' });
    scene.near.respond(487, { to: offer });
    scene.answer(scene.near, 'BYE');
    scene.answer(iwf, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf      INVITE 1
      caller ← pf            INVITE 1
               pf → iwf      487 INVITE 1
      caller ← pf            BYE 2 ${toCaller} ${GONE}
               pf → iwf      BYE 2 ${GONE}
               pf ← iwf      ACK 1
      caller → pf            487 INVITE 1
      caller → pf            200 BYE 2
      caller ← pf            ACK 1
               pf ← iwf      200 BYE 2
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, B2BUA, interworking.closingStreams: the re-INVITE of ours is ended by the BYE', (role) => {
    const scene = Scene.withTwoIwfs(role, KEPT);
    const [first, second] = scene.iwfs as [Call, Call];
    first.bye();
    scene.settle();
    const reoffer = scene.near.expect('INVITE');
    shutDown(scene, 'interworking.closingStreams');
    scene.near.respond(487, { to: reoffer });
    scene.answer(scene.near, 'BYE');
    scene.answer(second, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1    BYE 1
               pf → iwf 1    200 BYE 1
      caller ← pf            INVITE 1
      caller ← pf            BYE 2 ${toCaller} ${GONE}
               pf → iwf 2    BYE 2 ${GONE}
      caller → pf            487 INVITE 1
      caller → pf            200 BYE 2
      caller ← pf            ACK 1
               pf ← iwf 2    200 BYE 2
    `);
    scene.over('shutdown');
  });

  it.each(ROLES)('%s, B2BUA, tearingDown.claiming: the end that was claimed goes on (invariant 2)', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    scene.entity.bye();
    scene.settle();
    shutDown(scene, 'tearingDown.claiming');
    resume(scene.world);
    scene.settle();
    scene.answer(scene.client, 'BYE');
    expect(scene.ladder).toEqual(
      role === 'orig'
        ? ladder`
               pf ← callee   BYE 1
      caller ← pf            BYE 1 Message-UID 1
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
    `
        : ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 Message-UID 1
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `,
    );
    scene.over('byeFromEntity');
  });

  it.each(ROLES)('%s, B2BUA, tearingDown.closing: the end that was claimed goes on', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.bye();
    scene.settle();
    shutDown(scene, 'tearingDown.closing');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, proxy, tearingDown.answering: the BYE that was forwarded has its answer', (role) => {
    const scene = established(role, 'proxy', KEPT);
    scene.near.bye();
    scene.settle();
    shutDown(scene, 'tearingDown.answering');
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, B2BUA, tearingDown.closing: the CANCEL that waits for a 1xx is still said', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT);
    scene.fromHere();
    scene.near.cancel();
    scene.settle();
    shutDown(scene, 'tearingDown.closing');
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

  // the IWF that left has its 200 once the client has ended; the other IWF is still to answer.
  it.each(ROLES)('%s, B2BUA, tearingDown.answering: the IWF that has not answered yet is awaited', (role) => {
    const scene = Scene.withTwoIwfs(role, { ...KEPT, policy: { partialClose: 'session' } });
    const [first, second] = scene.iwfs as [Call, Call];
    first.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    shutDown(scene, 'tearingDown.answering');
    scene.answer(second, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← iwf 1    BYE 1
      caller ← pf            BYE 1 ${toCaller}
               pf → iwf 2    BYE 2
      caller → pf            200 BYE 1
               pf → iwf 1    200 BYE 1
               pf ← iwf 2    200 BYE 2
    `);
    scene.over('byeFromIwf');
  });

  it.each(EVERYWHERE)('%s, %s: whoever invites meanwhile has a 503 with Retry-After', (role, mode) => {
    const scene = established(role, mode, KEPT);
    const state = mode === 'proxy' ? 'proxying' : 'b2buaEstablished.steady';
    shutDown(scene, state);
    if (mode === 'b2bua') for (const call of [scene.near, scene.far]) scene.answer(call, 'BYE');
    scene.fromHere();
    const late = scene.near.peer.invite();
    scene.settle();
    expect(late.response(503).header('retry-after')).toBe('10');
    late.request('ACK', { cseq: 1, branch: late.invite.branch?.slice('z9hG4bK'.length) ?? '' });
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 1
      caller ← pf            503 INVITE 1
      caller → pf            ACK 1
    `);
    scene.over('shutdown');
  });
});
