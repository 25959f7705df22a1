/** One process is the function of caller and callee: the INVITE passes it twice (RFC 3261 16.3, 16.4, 16.6 step 8). */
import { expect, it } from '@jest/globals';
import { race } from './catalogue.ts';
import { ladder } from './ladder.ts';
import type { Mode } from './scene.ts';
import { Spiral } from './spiral.ts';

race('spiral through both PFs of the same process', () => {
  const BOTH = (['b2bua', 'proxy'] as const).flatMap((orig) =>
    (['b2bua', 'proxy'] as const).map((term) => [orig, term] as const),
  );
  /** Message-UID as a ladder has it: toward alice, whom the originating side serves, and toward bob. */
  const uid = (mode: Mode): string => (mode === 'b2bua' ? 'Message-UID 1' : '');

  // RFC 3261 16.3 step 4: what comes back for another served user has not looped, and each side is a session of its own.
  // Each ends by the one BYE, which passes both, in the order of the Route (16.4).
  it.each(BOTH)('%s, then %s: the caller hangs up, and both sessions end', (orig, term) => {
    const spiral = new Spiral({ modes: [orig, term], coreStays: true }).answered();
    spiral.near.bye();
    spiral.world.settle();
    spiral.far.respond(200, { to: spiral.far.expect('BYE') });
    spiral.world.settle();
    expect(spiral.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → core     BYE 2
               pf ← core     BYE 2
               pf → callee   BYE 2 ${uid(term)}
               pf ← callee   200 BYE 2
               pf → core     200 BYE 2
               pf ← core     200 BYE 2
      caller ← pf            200 BYE 2 ${uid(orig)}
    `);
    spiral.over({ byeFromClient: 1, byeFromEntity: 1 });
  });

  it.each(BOTH)('%s, then %s: the callee hangs up, and both sessions end', (orig, term) => {
    const spiral = new Spiral({ modes: [orig, term], coreStays: true }).answered();
    spiral.far.bye();
    spiral.world.settle();
    spiral.near.respond(200, { to: spiral.near.expect('BYE') });
    spiral.world.settle();
    expect(spiral.ladder).toEqual(ladder`
               pf ← callee   BYE 1
               pf → core     BYE 1
               pf ← core     BYE 1
      caller ← pf            BYE 1 ${uid(orig)}
      caller → pf            200 BYE 1
               pf → core     200 BYE 1
               pf ← core     200 BYE 1
               pf → callee   200 BYE 1 ${uid(term)}
    `);
    spiral.over({ byeFromClient: 1, byeFromEntity: 1 });
  });

  // With nobody between them the two sides speak to each other, and stand next to each other in the Route.
  it.each(BOTH)('%s, then %s, no core in the route: the caller hangs up', (orig, term) => {
    const spiral = new Spiral({ modes: [orig, term] }).answered();
    spiral.near.bye();
    spiral.world.settle();
    spiral.far.respond(200, { to: spiral.far.expect('BYE') });
    spiral.world.settle();
    expect(spiral.ladder).toEqual(ladder`
      caller → pf            BYE 2
               pf → pf       BYE 2
               pf → callee   BYE 2 ${uid(term)}
               pf ← callee   200 BYE 2
               pf → pf       200 BYE 2
      caller ← pf            200 BYE 2 ${uid(orig)}
    `);
    spiral.over({ byeFromClient: 1, byeFromEntity: 1 });
  });

  it.each(BOTH)('%s, then %s, no core in the route: the callee hangs up', (orig, term) => {
    const spiral = new Spiral({ modes: [orig, term] }).answered();
    spiral.far.bye();
    spiral.world.settle();
    spiral.near.respond(200, { to: spiral.near.expect('BYE') });
    spiral.world.settle();
    expect(spiral.ladder).toEqual(ladder`
               pf ← callee   BYE 1
               pf → pf       BYE 1
      caller ← pf            BYE 1 ${uid(orig)}
      caller → pf            200 BYE 1
               pf → pf       200 BYE 1
               pf → callee   200 BYE 1 ${uid(term)}
    `);
    spiral.over({ byeFromClient: 1, byeFromEntity: 1 });
  });

  /** Where a B2BUA refuses its inviter at once, a proxy waits for the 487. */
  const CANCELLED: Record<`${Mode} ${Mode}`, string[]> = {
    'b2bua b2bua': ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
               pf → core     CANCEL 1
               pf ← core     CANCEL 1
               pf → core     200 CANCEL 1
               pf → core     487 INVITE 1
               pf → callee   CANCEL 1
               pf ← core     200 CANCEL 1
               pf ← core     487 INVITE 1
               pf → core     ACK 1
               pf ← core     ACK 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
      caller → pf            ACK 1
    `,
    'b2bua proxy': ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
      caller ← pf            487 INVITE 1
               pf → core     CANCEL 1
               pf ← core     CANCEL 1
               pf → core     200 CANCEL 1
               pf → callee   CANCEL 1
               pf ← core     200 CANCEL 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
               pf → core     487 INVITE 1
               pf ← core     487 INVITE 1
               pf → core     ACK 1
               pf ← core     ACK 1
      caller → pf            ACK 1
    `,
    'proxy b2bua': ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
               pf → core     CANCEL 1
               pf ← core     CANCEL 1
               pf → core     200 CANCEL 1
               pf → core     487 INVITE 1
               pf → callee   CANCEL 1
               pf ← core     200 CANCEL 1
               pf ← core     487 INVITE 1
               pf → core     ACK 1
      caller ← pf            487 INVITE 1
               pf ← core     ACK 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
      caller → pf            ACK 1
    `,
    'proxy proxy': ladder`
      caller → pf            CANCEL 1
      caller ← pf            200 CANCEL 1
               pf → core     CANCEL 1
               pf ← core     CANCEL 1
               pf → core     200 CANCEL 1
               pf → callee   CANCEL 1
               pf ← core     200 CANCEL 1
               pf ← callee   200 CANCEL 1
               pf ← callee   487 INVITE 1
               pf → callee   ACK 1
               pf → core     487 INVITE 1
               pf ← core     487 INVITE 1
               pf → core     ACK 1
      caller ← pf            487 INVITE 1
               pf ← core     ACK 1
      caller → pf            ACK 1
    `,
  };

  // RFC 3261 9.1, 16.10: the CANCEL goes the same way; a B2BUA answers for itself, a proxy awaits the 487.
  it.each(BOTH)('%s, then %s: the caller cancels, and both sessions end', (orig, term) => {
    const spiral = new Spiral({ modes: [orig, term], coreStays: true });
    spiral.far.respond(180);
    spiral.world.settle();
    spiral.fromHere();
    spiral.near.cancel();
    spiral.world.settle();
    spiral.far.respond(200, { to: spiral.far.expect('CANCEL') });
    spiral.far.respond(487);
    spiral.world.settle();
    spiral.near.remoteTag = spiral.near.response(487).toTag;
    spiral.near.request('ACK', { cseq: 1, branch: spiral.near.invite.branch?.slice('z9hG4bK'.length) ?? '' });
    spiral.world.settle();
    expect(spiral.ladder).toEqual(CANCELLED[`${orig} ${term}`]);
    spiral.over({ cancelled: 2 });
  });

  // RFC 3261 16.3 step 4: what comes back for the same user has looped.
  it('proxy: a request that comes back for the same user is a loop, and the caller has a 482', () => {
    const spiral = new Spiral({ modes: ['proxy', 'proxy'], loops: true });
    spiral.near.remoteTag = spiral.near.response(482).toTag;
    spiral.near.request('ACK', { cseq: 1, branch: spiral.near.invite.branch?.slice('z9hG4bK'.length) ?? '' });
    expect(spiral.ladder).toEqual(ladder`
      caller → pf            INVITE 1
               pf → core     INVITE 1
               pf ← core     INVITE 1
               pf → core     482 INVITE 1
               pf ← core     482 INVITE 1
               pf → core     ACK 1
      caller ← pf            482 INVITE 1
               pf ← core     ACK 1
      caller → pf            ACK 1
    `);
    expect(spiral.world.pf.stack.counters.merged).toBe(0);
    spiral.over({ failed: 1 });
  });

  // A-49 twice: the two BYEs meet between the sides, and each session is ended by the one that reaches it first.
  it.each(['b2bua', 'proxy'] as const)('%s, then the same, no core in the route: both hang up at once', (mode) => {
    const spiral = new Spiral({ modes: [mode, mode] }).answered();
    spiral.near.bye();
    spiral.far.bye();
    spiral.world.settle();
    for (const call of [spiral.near, spiral.far]) {
      if (call.has('BYE')) call.respond(200, { to: call.expect('BYE') });
    }
    spiral.world.settle();
    const ladders = {
      b2bua: ladder`
        caller → pf            BYE 2
                 pf ← callee   BYE 1
                 pf → pf       BYE 2
                 pf → pf       BYE 1
                 pf → pf       200 BYE 2
                 pf → callee   200 BYE 1 Message-UID 1
                 pf → pf       200 BYE 1
        caller ← pf            200 BYE 2 Message-UID 1
      `,
      proxy: ladder`
        caller → pf            BYE 2
                 pf ← callee   BYE 1
                 pf → pf       BYE 2
                 pf → pf       BYE 1
                 pf → callee   BYE 2
        caller ← pf            BYE 1
        caller → pf            200 BYE 1
                 pf ← callee   200 BYE 2
                 pf → pf       200 BYE 1
                 pf → pf       200 BYE 2
                 pf → callee   200 BYE 1
        caller ← pf            200 BYE 2
      `,
    };
    expect(spiral.ladder).toEqual(ladders[mode]);
    spiral.over({ byeFromClient: 2 });
  });
});
