/** `kill -9` between two things that belong together (docs/architecture.md, "Restart"; invariants 10 and 15). */
import { expect, it } from '@jest/globals';
import { chatSdp } from '../../src/testing/index.ts';
import { objects, pointers } from '../support/history.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { EVERYWHERE, established, KEPT, ROLES, ringing, Scene } from './scene.ts';

race('crash between Group State and pointer', () => {
  // The Group State Object is in the folder, its pointer is not, and the process is gone. After the restart the outbox
  // does the work again: the object is appended under the key of its intent, so it is found and not stored twice
  // (invariant 10), and the pointer follows. The BYE said again is a copy; the client's copy of its own gets the UID.
  it.each(ROLES)('%s, B2BUA: BYE from the client', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    const { history } = scene.world.pf;
    const set = history.setPointer;
    history.setPointer = () => {};
    const bye = scene.client.bye();
    scene.settle();
    expect(objects(scene.world, scene.folder)).toHaveLength(2);
    expect(pointers(scene.world, scene.folder)).toEqual({ SessionInfoObjectID: 1 });
    scene.world.pf.crash();
    history.setPointer = set;
    scene.restart();
    expect(objects(scene.world, scene.folder)).toHaveLength(2);
    expect(pointers(scene.world, scene.folder)).toEqual({ SessionInfoObjectID: 1, GroupStateObjectID: 2 });
    scene.client.peer.sendRaw(bye);
    scene.settle();
    scene.answer(scene.entity, 'BYE');
    expect(scene.ladder).toEqual(
      role === 'orig'
        ? ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf → callee   BYE 2 again
      caller → pf            BYE 2 again
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 Message-UID 1
    `
        : ladder`
               pf ← callee   BYE 1
      caller ← pf            BYE 1
      caller ← pf            BYE 1 again
               pf ← callee   BYE 1 again
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1 Message-UID 1
    `,
    );
    scene.over('byeFromClient');
  });

  // the client is told only when the history is whole, so here nobody has heard of the end before the crash.
  it.each(ROLES)('%s, B2BUA: BYE from the other entity', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    const { history } = scene.world.pf;
    const set = history.setPointer;
    history.setPointer = () => {};
    const bye = scene.entity.bye();
    scene.settle();
    expect(pointers(scene.world, scene.folder)).toEqual({ SessionInfoObjectID: 1 });
    scene.world.pf.crash();
    history.setPointer = set;
    scene.restart();
    scene.entity.peer.sendRaw(bye);
    scene.settle();
    scene.answer(scene.client, 'BYE');
    expect(scene.ladder).toEqual(
      role === 'orig'
        ? ladder`
               pf ← callee   BYE 1
      caller ← pf            BYE 1 Message-UID 1
               pf ← callee   BYE 1 again
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
    `
        : ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 Message-UID 1
      caller → pf            BYE 2 again
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `,
    );
    scene.over('byeFromEntity');
  });
});

race('crash between snapshot and effect', () => {
  // The state is stored, what it tells has not left. After the restart the stored effects are carried out: what had not
  // left leaves now, what had is a copy, byte for byte.
  it.each(EVERYWHERE)('%s, %s: the INVITE is stored and has not left', (role, mode) => {
    const scene = new Scene(role, mode, KEPT, { crashesAtCommit: 1 });
    scene.restart();
    scene.near.peer.sendRaw(scene.near.invite);
    scene.settle();
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.near.response(200);
    scene.near.ack();
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(
      mode === 'b2bua'
        ? ladder`
      caller → pf            INVITE 1
               pf → callee   INVITE 1
      caller → pf            INVITE 1 again
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
               pf → callee   ACK 1
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `
        : ladder`
      caller → pf            INVITE 1
               pf → callee   INVITE 1
      caller → pf            INVITE 1 again
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
               pf → callee   ACK 1
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `,
    );
    scene.over(scene.endedBy(scene.near));
  });

  it.each(EVERYWHERE)("%s, %s: the callee's 200 is stored and has not reached the caller", (role, mode) => {
    const scene = ringing(role, mode, KEPT);
    scene.crashAtCommit(1);
    scene.far.respond(200, { sdp: chatSdp('bob') });
    scene.settle();
    scene.restart();
    scene.near.response(200);
    scene.near.ack();
    scene.settle();
    scene.near.bye();
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(
      mode === 'b2bua'
        ? ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
               pf → callee   ACK 1
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `
        : ladder`
               pf ← callee   200 INVITE 1
      caller ← pf            200 INVITE 1
      caller → pf            ACK 1
               pf → callee   ACK 1
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `,
    );
    scene.over(scene.endedBy(scene.near));
  });

  it.each(ROLES)('%s, B2BUA: a BYE that cuts a re-INVITE is stored, and neither has been answered', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    scene.near.request('INVITE', { sdp: chatSdp('new'), branch: 'offer' });
    scene.settle();
    scene.far.respond(100, { to: scene.far.expect('INVITE') });
    scene.settle();
    scene.crashAtCommit(1);
    const bye = scene.near.bye();
    scene.settle();
    scene.restart();
    // Behind its 100 the caller does not say the INVITE again (RFC 3261 17.1.1.2), and hears its 487 all the same.
    scene.refusedOffer(scene.near, 487, 'offer');
    scene.near.peer.sendRaw(bye);
    scene.far.respond(487, { to: scene.far.expect('INVITE') });
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(ladder`
      caller → pf            INVITE 2
               pf → callee   INVITE 2
      caller → pf            BYE 3
               pf → callee   INVITE 2 again
      caller ← pf            487 INVITE 2
               pf → callee   BYE 3 ${toCallee}
      caller → pf            ACK 2
      caller → pf            BYE 3 again
               pf ← callee   487 INVITE 2
               pf → callee   ACK 2
               pf ← callee   200 BYE 3
      caller ← pf            200 BYE 3 ${toCaller}
    `);
    scene.over(scene.endedBy(scene.near));
  });

  it.each(EVERYWHERE)('%s, %s: the BYE is stored and has not been passed on', (role, mode) => {
    const scene = established(role, mode, KEPT);
    scene.crashAtCommit(1);
    const bye = scene.near.bye();
    scene.settle();
    scene.restart();
    scene.near.peer.sendRaw(bye);
    scene.settle();
    scene.answer(scene.far, 'BYE');
    const { toCaller, toCallee } = scene.uid;
    expect(scene.ladder).toEqual(
      mode === 'b2bua'
        ? ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
      caller → pf            BYE 2 again
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
    `
        : ladder`
      caller → pf            BYE 2
      caller → pf            BYE 2 again
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `,
    );
    scene.over(scene.endedBy(scene.near));
  });

  it.each(EVERYWHERE)(
    '%s, %s: the 200 to the BYE has left, and the record of the session is not deleted yet',
    (role, mode) => {
      const scene = established(role, mode, KEPT);
      const bye = scene.near.bye();
      scene.settle();
      scene.far.respond(200, { to: scene.far.expect('BYE') });
      scene.world.clock.advance(2);
      scene.world.pf.crash();
      scene.restart();
      scene.near.peer.sendRaw(bye);
      scene.settle();
      scene.answer(scene.far, 'BYE', 481);
      const { toCaller, toCallee } = scene.uid;
      expect(scene.ladder).toEqual(
        mode === 'b2bua'
          ? ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2 ${toCallee}
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 ${toCaller}
               pf → callee   BYE 2 ${toCallee} again
      caller → pf            BYE 2 again
               pf ← callee   481 BYE 2
      caller ← pf            200 BYE 2 ${toCaller} again
    `
          : ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
      caller → pf            BYE 2 again
               pf → callee   BYE 2 again
               pf ← callee   481 BYE 2
      caller ← pf            481 BYE 2
    `,
      );
      scene.over(scene.endedBy(scene.near));
    },
  );
});
