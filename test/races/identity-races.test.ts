/** Requests that look like one another: one name for two sessions, one request twice (RFC 3261 8, 16.3, 16.4, 17.2.3). */
import { expect, it } from '@jest/globals';
import { headerField } from '../../src/sip/message/header.ts';
import { type Call, chatSdp } from '../../src/testing/index.ts';
import { invite, type Role } from '../support/session.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { EVERYWHERE, established, KEPT, ringing, type Scene } from './scene.ts';

/** Names of another history: the second session has a folder of its own. */
const OTHER_HISTORY = [
  ['Contribution-ID', 'c0ffee00-2222-4a1b-8c2d-000000000002'],
  ['Conversation-ID', 'f00dfeed-2222-4d3e-9f4a-000000000002'],
] as const;

race('reused Call-ID', () => {
  /** Another INVITE under the Call-ID of the first, which the core answers. */
  const again = (scene: Scene, role: Role): { near: Call; far: Call } => {
    const { world } = scene;
    const near = invite(world, role, { callId: scene.near.callId, headers: OTHER_HISTORY });
    world.settle();
    const far = world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    world.settle();
    near.response(200);
    near.ack();
    world.settle();
    far.expect('ACK');
    return { near, far };
  };

  // RFC 3261 12: a dialog is Call-ID and both tags, so this is another session. The end of one is not that of the other.
  it.each(EVERYWHERE)('%s, %s: a second session beside the first, each with its own end', (role, mode) => {
    const scene = established(role, mode, KEPT);
    const second = again(scene, role);
    expect(scene.world.pf.engine.sessions.size).toBe(2);
    scene.fromHere();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.world.pf.engine.sessions.size).toBe(1);
    second.far.bye();
    scene.settle();
    scene.answer(second.near, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
               pf ← callee   BYE 1
      caller ← pf            BYE 1 ${toCaller}
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1 ${toCallee}
    `);
    scene.allEnded({ [scene.endedBy(scene.near)]: 1, [scene.endedBy(scene.far)]: 1 });
  });

  // RFC 3261 8.1.3.5: after a refusal the caller tries again under the same Call-ID and From tag, with the next CSeq.
  it.each(EVERYWHERE)('%s, %s: tried again after a refusal, while the first is still remembered', (role, mode) => {
    const scene = ringing(role, mode, KEPT);
    scene.far.respond(486);
    scene.settle();
    scene.refused(486);
    const retried = scene.near.invite.copy();
    retried.set('CSeq', '2 INVITE');
    retried.set('Via', `SIP/2.0/UDP ${scene.near.peer.address};branch=z9hG4bKretried`);
    scene.near.peer.sendRaw(retried);
    scene.settle();
    const far = scene.world.core.incoming();
    far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.near.response(200);
    scene.near.request('ACK', { cseq: 2 });
    scene.settle();
    far.expect('ACK');
    scene.near.request('BYE', { cseq: 3 });
    scene.settle();
    scene.answer(far, 'BYE');
    // A B2BUA counts its own requests, in a dialog of its own.
    const [first, last] = mode === 'b2bua' ? [1, 2] : [2, 3];
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
               pf ← callee   486 INVITE 1
               pf → callee   ACK 1
      caller ← pf            486 INVITE 1
      caller → pf            ACK 1
      caller → pf            INVITE 2
               pf → callee   INVITE ${first}
               pf ← callee   200 INVITE ${first}
      caller ← pf            200 INVITE 2
      caller → pf            ACK 2
               pf → callee   ACK ${first}
      caller → pf            BYE 3
               pf → callee   BYE ${last} ${toCallee}
               pf ← callee   200 BYE ${last}
      caller ← pf            200 BYE 3 ${toCaller}
    `);
    scene.allEnded({ failed: 1, [scene.endedBy(scene.near)]: 1 });
  });

  // The first is over and forgotten: nothing of it is in the way of another.
  it.each(EVERYWHERE)('%s, %s: used again after the end of the first', (role, mode) => {
    const scene = established(role, mode, KEPT);
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const second = again(scene, role);
    scene.fromHere();
    second.near.bye();
    scene.settle();
    scene.answer(second.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.allEnded({ [scene.endedBy(scene.near)]: 2 });
  });
});

race('merged request (482)', () => {
  /** The INVITE once more, by another way: another proxy's Via on top, the rest as it was. */
  const byAnotherWay = ({ near, world }: Scene): void => {
    const request = near.invite.copy();
    request.headers.unshift(headerField('Via', `SIP/2.0/UDP ${near.peer.address};branch=z9hG4bKanotherway`));
    near.peer.sendRaw(request);
    world.settle();
    const refusal = near.response(482);
    expect(refusal.via?.params).toContain('z9hG4bKanotherway');
    near.remoteTag = refusal.toTag;
    near.request('ACK', { cseq: 1, branch: 'anotherway' });
    world.settle();
  };

  // RFC 3261 8.2.2.2: it is refused, and the session of the first one does not notice.
  it.each(EVERYWHERE)('%s, %s: while the first one rings', (role, mode) => {
    const scene = ringing(role, mode, KEPT);
    byAnotherWay(scene);
    scene.answered();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    expect(scene.world.pf.stack.counters.merged).toBe(1);
    scene.over(scene.endedBy(scene.near));
  });

  // The transaction lives on behind its 2xx (RFC 6026 7.1), and so does the refusal of its doubles.
  it.each(EVERYWHERE)('%s, %s: when the first one has been answered', (role, mode) => {
    const scene = established(role, mode, KEPT);
    const { remoteTag } = scene.near;
    byAnotherWay(scene);
    scene.near.remoteTag = remoteTag;
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 1
      caller ← pf            482 INVITE 1
      caller → pf            ACK 1
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  // RFC 3261 8.2.2.2 inside the dialog: the same BYE by two ways ends the session once.
  it.each(EVERYWHERE)('%s, %s: a BYE by two ways', (role, mode) => {
    const scene = established(role, mode, KEPT);
    const bye = scene.near.bye();
    const other = bye.copy();
    other.headers.unshift(headerField('Via', `SIP/2.0/UDP ${scene.near.peer.address};branch=z9hG4bKanotherway`));
    scene.near.peer.sendRaw(other);
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            BYE 2 ×2
      caller ← pf            482 BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });
});
