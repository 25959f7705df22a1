/** The session timer against BYE, and what becomes of a refresh (RFC 4028; RFC 3261 12.2.1.2; ). */
import { expect, it } from '@jest/globals';
import { chatSdp } from '../../src/testing/index.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { established, KEPT, type Mode, ROLES, Scene } from './scene.ts';

type Role = (typeof ROLES)[number];
type Lines = readonly (readonly [string, string])[];

const METHODS = 'INVITE, ACK, BYE, CANCEL, UPDATE, INFO';

/** An established session; the callee's 200 says who refreshes on its leg. */
function timed(role: Role, mode: Mode, headers: Lines): Scene {
  const scene = new Scene(role, mode, KEPT);
  scene.far.respond(200, { sdp: chatSdp('bob'), headers: [['Supported', 'timer'], ['Allow', METHODS], ...headers] });
  scene.settle();
  scene.near.response(200);
  scene.near.ack();
  scene.settle();
  scene.far.expect('ACK');
  scene.fromHere();
  return scene;
}

/** Neither peer refreshes, though each has promised to. */
const unrefreshed = (role: Role, mode: Mode): Scene => timed(role, mode, [['Session-Expires', '1800;refresher=uas']]);

/** Refreshing on the callee's leg is ours. */
const oursToRefresh = (role: Role): Scene => timed(role, 'b2bua', [['Session-Expires', '1800;refresher=uac']]);

/** Moves to so many milliseconds before the function lets the session expire. */
function beforeExpiry({ world }: Scene, ms: number): void {
  const [session] = world.pf.engine.sessions.values();
  const due = Object.entries(session?.context.deadlines ?? {}).filter(([name]) => name.startsWith('sessionExpired'));
  world.clock.advanceTo(Math.min(...due.map(([, at]) => at as number)) - ms);
}

race('session-timer expiry against BYE', () => {
  // The BYE is under way when the timer expires: the expiry was first, so both sides get a BYE; A-49, the one that
  // crosses it is answered as well, and the session has ended once, by its timer.
  it.each(ROLES)('%s, B2BUA: the expiry is first, the BYE crosses ours', (role) => {
    const scene = unrefreshed(role, 'b2bua');
    beforeExpiry(scene, 0);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.near, 'BYE');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller ← pf            BYE 1 ${toCaller} (SIP;cause=408;text="Session timer expired")
               pf → callee   BYE 2 ${toCallee} (SIP;cause=408;text="Session timer expired")
      caller → pf            BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
      caller → pf            200 BYE 1
               pf ← callee   200 BYE 2
    `);
    scene.over('sessionTimer');
  });

  // The BYE is first by a hair: the deadline goes with the session that it ended.
  it.each(ROLES)('%s, B2BUA: the BYE is first, and the timer says nothing any more', (role) => {
    const scene = unrefreshed(role, 'b2bua');
    beforeExpiry(scene, 2);
    scene.near.bye();
    scene.settle();
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

  // A-35, O-TMR-P: a proxy sends no BYE on expiry but forgets. The BYE that comes later is forwarded by its Route.
  it.each(ROLES)('%s, proxy: the expiry is first and silent, and the BYE is forwarded all the same', (role) => {
    const scene = unrefreshed(role, 'proxy');
    beforeExpiry(scene, 0);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
    scene.over('sessionTimer');
  });

  it.each(ROLES)('%s, proxy: the BYE is first, its answer comes after the expiry and is forwarded', (role) => {
    const scene = unrefreshed(role, 'proxy');
    beforeExpiry(scene, 2);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `);
    scene.over(scene.endedBy(scene.near));
  });
});

race('refresh answered 408, 481, 422', () => {
  // RFC 4028 10, RFC 3261 12.2.1.2: 408, or silence, ends the session. The peer may still be there, so it is told.
  it.each(ROLES)('%s, B2BUA: 408, and both sides get a BYE', (role) => {
    const scene = oursToRefresh(role);
    scene.world.advance(900_000);
    scene.answer(scene.far, 'UPDATE', 408);
    scene.answer(scene.near, 'BYE');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf → callee   UPDATE 2
               pf ← callee   408 UPDATE 2
      caller ← pf            BYE 1 ${toCaller} (SIP;cause=408;text="Session timer expired")
               pf → callee   BYE 3 ${toCallee} (SIP;cause=408;text="Session timer expired")
      caller → pf            200 BYE 1
               pf ← callee   200 BYE 3
    `);
    scene.over('sessionTimer');
  });

  it.each(ROLES)('%s, B2BUA: silence, and both sides get a BYE after 64*T1', (role) => {
    const scene = oursToRefresh(role);
    scene.world.advance(900_000 + 32_000);
    scene.answer(scene.near, 'BYE');
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf → callee   UPDATE 2
      after 0.5 s
               pf → callee   UPDATE 2 again ×10
      after 0.5 s
      caller ← pf            BYE 1 ${toCaller} (SIP;cause=408;text="Session timer expired")
               pf → callee   BYE 3 ${toCallee} (SIP;cause=408;text="Session timer expired")
      caller → pf            200 BYE 1
               pf ← callee   200 BYE 3
    `);
    scene.over('sessionTimer');
  });

  // RFC 3261 12.2.1.2: 481 says that there is no dialog; a BYE in it would be one more request for nobody.
  it.each(ROLES)('%s, B2BUA: 481, and only the other side gets a BYE', (role) => {
    const scene = oursToRefresh(role);
    scene.world.advance(900_000);
    scene.answer(scene.far, 'UPDATE', 481);
    scene.answer(scene.near, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf → callee   UPDATE 2
               pf ← callee   481 UPDATE 2
      caller ← pf            BYE 1 ${toCaller} (SIP;cause=408;text="Session timer expired")
      caller → pf            200 BYE 1
    `);
    scene.over('sessionTimer');
  });

  // RFC 4028 7.4, 6: 422 names the interval that would do; the refresh is said again with it, and the session lives.
  it.each(ROLES)('%s, B2BUA: 422, and the refresh is said again with the longer interval', (role) => {
    const scene = oursToRefresh(role);
    scene.world.advance(900_000);
    scene.far.respond(422, { to: scene.far.expect('UPDATE'), headers: [['Min-SE', '2400']] });
    scene.settle();
    const again = scene.far.expect('UPDATE');
    expect(again.header('session-expires')).toBe('2400;refresher=uac');
    expect(again.header('min-se')).toBe('2400');
    scene.far.respond(200, { to: again, headers: [['Session-Expires', '2400;refresher=uac']] });
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf → callee   UPDATE 2
               pf ← callee   422 UPDATE 2
               pf → callee   UPDATE 3
               pf ← callee   200 UPDATE 3
      caller → pf            BYE 2
               pf → callee   BYE 4 ${toCallee}
               pf ← callee   200 BYE 4
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // The same with 422 against BYE: the dialog has ended when the 422 comes, so nothing is said again (invariant 4).
  it.each(ROLES)('%s, B2BUA: a 422 that crosses our BYE is the last word on it', (role) => {
    const scene = oursToRefresh(role);
    scene.world.advance(900_000);
    const refresh = scene.far.expect('UPDATE');
    scene.near.bye();
    scene.settle();
    scene.far.respond(422, { to: refresh, headers: [['Min-SE', '2400']] });
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf → callee   UPDATE 2
      caller → pf            BYE 2
               pf → callee   BYE 3 ${toCallee}
               pf ← callee   422 UPDATE 2
               pf ← callee   200 BYE 3
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // in proxy mode the refresh is the caller's; whatever it is answered goes back, and to end the session is the
  // caller's as well.
  it.each(ROLES)('%s, proxy: each goes back to the caller, who draws the consequence', (role) => {
    const scene = timed(role, 'proxy', [['Session-Expires', '1800;refresher=uac']]);
    for (const status of [422, 408, 481]) {
      scene.near.request('UPDATE', { headers: [['Session-Expires', '1800;refresher=uac']] });
      scene.settle();
      scene.answer(scene.far, 'UPDATE', status);
    }
    expect(scene.world.pf.engine.sessions.size).toBe(1);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE', 481);
    expect(scene.ladder).toEqual(ladder`
      caller → pf            UPDATE 2
               pf → callee   UPDATE 2
               pf ← callee   422 UPDATE 2
      caller ← pf            422 UPDATE 2
      caller → pf            UPDATE 3
               pf → callee   UPDATE 3
               pf ← callee   408 UPDATE 3
      caller ← pf            408 UPDATE 3
      caller → pf            UPDATE 4
               pf → callee   UPDATE 4
               pf ← callee   481 UPDATE 4
      caller ← pf            481 UPDATE 4
      caller → pf            BYE 5
               pf → callee   BYE 5
               pf ← callee   481 BYE 5
      caller ← pf            481 BYE 5
    `);
    scene.over(scene.endedBy(scene.near));
  });
});

race('peer restarted (481 to all)', () => {
  // RFC 3261 12.2.1.2: a peer that knows nothing of the dialog answers 481 to whatever comes. The first 481 ends the
  // session; it is passed on to whoever asked, and that side is told by BYE. Nothing more is said to the dead dialog.
  it.each(ROLES)('%s, B2BUA: the callee has forgotten; an INFO finds it out', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('INFO');
    scene.settle();
    scene.answer(scene.far, 'INFO', 481);
    scene.answer(scene.near, 'BYE');
    const { toCaller } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INFO 2
               pf → callee   INFO 2
               pf ← callee   481 INFO 2
      caller ← pf            481 INFO 2
      caller ← pf            BYE 1 ${toCaller}
      caller → pf            200 BYE 1
    `);
    scene.over('dialogGone');
  });

  it.each(ROLES)('%s, B2BUA: the caller has forgotten; a re-INVITE finds it out', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.far.request('INVITE', { sdp: chatSdp('bob'), branch: 'offer' });
    scene.settle();
    scene.answer(scene.near, 'INVITE', 481);
    scene.far.response(481);
    scene.far.request('ACK', { cseq: 1, branch: 'offer' });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   INVITE 1
      caller ← pf            INVITE 1
      caller → pf            481 INVITE 1
      caller ← pf            ACK 1
               pf → callee   481 INVITE 1
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   ACK 1
               pf ← callee   200 BYE 2
    `);
    scene.over('dialogGone');
  });

  // a BYE has done its work whatever it is answered.
  it.each(ROLES)('%s, B2BUA: it is a BYE that finds it out, and the caller gets its 200', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE', 481);
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   481 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 16: a proxy takes the 481 for an answer like any other. The session ends with the caller's BYE.
  it.each(ROLES)('%s, proxy: every 481 goes back, and the BYE ends the session', (role) => {
    const scene = established(role, 'proxy', KEPT);
    for (const method of ['INFO', 'BYE']) {
      scene.near.request(method);
      scene.settle();
      scene.answer(scene.far, method, 481);
    }
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INFO 2
               pf → callee   INFO 2
               pf ← callee   481 INFO 2
      caller ← pf            481 INFO 2
      caller → pf            BYE 3
               pf → callee   BYE 3
               pf ← callee   481 BYE 3
      caller ← pf            481 BYE 3
    `);
    scene.over(scene.endedBy(scene.near));
  });
});
