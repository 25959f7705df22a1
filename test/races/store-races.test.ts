/** The message store against the end of the session (A-29, A-34; digest 2.3, invariants 8, 9, 10 and 13). */
import { expect, it } from '@jest/globals';
import { objects } from '../support/history.ts';
import { resume, stall } from '../support/store.ts';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import { established, KEPT, ROLES, Scene } from './scene.ts';

// Proxy mode records nothing (invariant 5), so these races exist as B2BUA only.

race('store answers after the budget', () => {
  // the 200 to the client waits for the store, but not beyond the budget of 1.5 s. It then goes without
  // Message-UID, and the outbox finishes the history by itself.
  it.each(ROLES)("%s: the client's BYE is answered without Message-UID, and the history is finished later", (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    scene.client.bye();
    scene.settle();
    scene.answer(scene.entity, 'BYE');
    scene.world.advance(3000);
    resume(scene.world);
    scene.settle();
    expect(scene.ladder).toEqual(
      role === 'orig'
        ? ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      after 1.5 s
      caller ← pf            200 BYE 2
    `
        : ladder`
               pf ← callee   BYE 1
      caller ← pf            BYE 1
      caller → pf            200 BYE 1
      after 1.5 s
               pf → callee   200 BYE 1
    `,
    );
    scene.over('byeFromClient');
    expect(objects(scene.world, scene.folder)).toHaveLength(2);
  });

  // the BYE to the client waits for the store, and goes without Message-UID when the budget is spent.
  it.each(ROLES)("%s: the other entity's BYE reaches the client 1.5 s later, without Message-UID", (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    scene.entity.bye();
    scene.world.advance(1600);
    scene.answer(scene.client, 'BYE');
    resume(scene.world);
    scene.settle();
    expect(scene.ladder).toEqual(
      role === 'orig'
        ? ladder`
               pf ← callee   BYE 1
      after 1.5 s
      caller ← pf            BYE 1
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
    `
        : ladder`
      caller → pf            BYE 2
      after 1.5 s
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `,
    );
    scene.over('byeFromEntity');
    expect(objects(scene.world, scene.folder)).toHaveLength(2);
  });

  // The store answers behind the budget, but before the other entity does: the UID is known by then, so it is told.
  it.each(ROLES)('%s: where the far answer takes longer still, the 200 to the client carries Message-UID', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    scene.client.bye();
    scene.world.advance(1700);
    resume(scene.world);
    scene.settle();
    scene.answer(scene.entity, 'BYE');
    expect(scene.ladder).toEqual(
      role === 'orig'
        ? ladder`
      caller → pf            BYE 2
               pf → callee   BYE 2
      after 0.5 s
               pf → callee   BYE 2 again ×2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2 Message-UID 1
    `
        : ladder`
               pf ← callee   BYE 1
      caller ← pf            BYE 1
      after 0.5 s
      caller ← pf            BYE 1 again ×2
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1 Message-UID 1
    `,
    );
    scene.over('byeFromClient');
  });
});

race('store answers after closed', () => {
  // Invariant 10: the session is over and forgotten; what it had ordered is in the outbox, is done once the store
  // answers, and nobody on the wire hears of it.
  it.each(ROLES)('%s: the seal is written when nobody waits for it any more', (role) => {
    const scene = established(role, 'b2bua', KEPT);
    stall(scene.world);
    scene.client.bye();
    scene.settle();
    scene.answer(scene.entity, 'BYE');
    scene.world.advance(60_000);
    expect(scene.world.held).toEqual([expect.stringMatching(/^intent /), 'outbox 1']);
    scene.fromHere();
    resume(scene.world);
    scene.world.advance(1000);
    expect(scene.ladder).toEqual([]);
    scene.over('byeFromClient');
    expect(objects(scene.world, scene.folder)).toHaveLength(2);
  });

  // The store was silent from the beginning: neither object was there when the session ended, both are in the end, in
  // their order (invariant 8).
  it.each(ROLES)('%s: not even the folder was there when the session ended', (role) => {
    const scene = new Scene(role, 'b2bua', KEPT);
    stall(scene.world);
    scene.answered();
    scene.entity.bye();
    scene.world.advance(1600);
    scene.answer(scene.client, 'BYE');
    scene.world.advance(60_000);
    expect(scene.ladder).toEqual(
      role === 'orig'
        ? ladder`
               pf ← callee   BYE 1
      after 1.5 s
      caller ← pf            BYE 1
      caller → pf            200 BYE 1
               pf → callee   200 BYE 1
    `
        : ladder`
      caller → pf            BYE 2
      after 1.5 s
               pf → callee   BYE 2
               pf ← callee   200 BYE 2
      caller ← pf            200 BYE 2
    `,
    );
    expect(scene.world.held).toContain('outbox 2');
    resume(scene.world);
    scene.world.advance(1000);
    scene.over('byeFromEntity');
    expect(objects(scene.world, scene.folder)).toHaveLength(2);
  });
});
