/** Guards of an operator's own: where they are asked, what they may change, and what becomes of one that fails. */
import { describe, expect, it } from '@jest/globals';
import { sessionMachine } from '../../machines/session/machine.ts';
import { type OwnGuard, type OwnGuards, POLICY_GUARDS } from '../../machines/session/own-guards.ts';
import type { Explanation } from '../../src/engine/explain.ts';
import type { Session } from '../../src/engine/session.ts';
import { createEngine } from '../../src/index.ts';
import { World, type WorldOptions } from '../../src/testing/index.ts';
import { replay } from '../../src/trace/replay.ts';
import { Trace } from '../../src/trace/trace.ts';
import { ISF, invite, type Role } from '../support/session.ts';

const B2BUA = { mediaPath: 'always' } as const;

/** Requests and statuses after one invitation. */
function outcome(
  guards: OwnGuards,
  role: Role,
  options: Parameters<typeof invite>[2] = {},
  more: WorldOptions = {},
): string[] {
  const world = new World({ isf: [ISF], guards, ...more, policy: { ...B2BUA, ...more.policy } });
  const near = invite(world, role, options);
  world.settle();
  return [
    ...near.peer.waiting.filter((line) => line !== '100 INVITE'),
    ...world.core.waiting.map((line) => `core ${line}`),
    ...world.isf.waiting.map((line) => `isf ${line}`),
  ];
}

describe('an own guard', () => {
  it('refuses what the standard one lets through, and lets through what it refuses', () => {
    const anonymous = { headers: [['Privacy', 'id']] } as const;
    expect(outcome({}, 'orig', anonymous)).toEqual(['core INVITE']);
    expect(outcome({ anonymityNotAllowed: () => true }, 'orig')).toEqual(['403 INVITE']);
    const strict = { policy: { allowAnonymity: false } };
    expect(outcome({}, 'orig', anonymous, strict)).toEqual(['403 INVITE']);
    expect(outcome({ anonymityNotAllowed: () => false }, 'orig', anonymous, strict)).toEqual(['core INVITE']);
  });

  it('is given the session, its policy and the standard answer', () => {
    const seen: unknown[] = [];
    const guards: OwnGuards = {
      mediaNotAllowed: ({ context, policy, event }, standard) => {
        seen.push([context.invite.streams?.length, policy.mediaPath, event.type.length > 0, standard]);
        return standard;
      },
    };
    expect(outcome(guards, 'term')).toEqual(['core INVITE']);
    expect(outcome(guards, 'term', {}, { policy: { allowedMedia: ['audio'] } })).toEqual(['488 INVITE']);
    expect(seen).toEqual([
      [1, 'always', true, false],
      [1, 'always', true, true],
    ]);
  });

  it('sends to the ISF what would go to the core: ported numbers', () => {
    const guards: OwnGuards = {
      destinationOutsideSip: ({ context }, standard) => standard || context.invite.scheme === 'tel',
    };
    expect(outcome(guards, 'orig', { uri: 'tel:+15550199' })).toEqual(['isf INVITE']);
    expect(outcome(guards, 'orig')).toEqual(['core INVITE']);
    // Where there is no ISF, the question does not arise.
    expect(outcome(guards, 'orig', { uri: 'tel:+15550199' }, { isf: [] })).toEqual(['core INVITE']);
  });

  it.each(['always', 'never'] as const)('holds in proxy and B2BUA mode alike: mediaPath %s', (mediaPath) => {
    const guards: OwnGuards = { interworkingAllowed: ({ event }) => event.status === 480 };
    const world = new World({ isf: [ISF], guards, policy: { mediaPath } });
    invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(480);
    world.settle();
    expect(world.isf.waiting).toEqual(['INVITE']);
  });
});

describe('what an own guard can not do', () => {
  it.each([486, 603])('A-21: have a refusal by the user interworked: %i', (status) => {
    const world = new World({ isf: [ISF], guards: { interworkingAllowed: () => true }, policy: B2BUA });
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(status);
    world.settle();
    near.response(status);
    expect(world.isf.waiting).toEqual([]);
  });

  it('RFC 3261 16.10: have anything new tried after a CANCEL', () => {
    const policy = { mediaPath: 'never' } as const;
    const world = new World({ isf: [ISF], guards: { interworkingAllowed: () => true }, policy });
    const near = invite(world, 'term');
    world.settle();
    const far = world.core.incoming();
    far.respond(180);
    world.settle();
    near.cancel();
    world.settle();
    far.respond(200, { to: far.expect('CANCEL') });
    far.respond(404);
    world.settle();
    near.response(404);
    expect(world.isf.waiting).toEqual([]);
  });

  it('have the ISF tried twice', () => {
    const world = new World({ isf: [ISF], guards: { interworkingAllowed: () => true }, policy: B2BUA });
    const near = invite(world, 'orig');
    world.settle();
    world.core.incoming().respond(404);
    world.settle();
    world.isf.incoming().respond(404);
    world.settle();
    near.response(404);
    expect([world.isf.waiting, world.core.waiting]).toEqual([['ACK'], ['ACK']]);
  });

  it('answer for the other side: terminating questions are not asked of an originating session', () => {
    const asked: string[] = [];
    const note =
      (name: string) =>
      (_asking: unknown, standard: boolean): boolean => {
        asked.push(name);
        return standard;
      };
    const all = Object.fromEntries(POLICY_GUARDS.map((name) => [name, note(name)])) as OwnGuards;
    expect(outcome(all, 'orig')).toEqual(['core INVITE']);
    expect([...new Set(asked)].sort()).toEqual(
      ['anonymityNotAllowed', 'destinationOutsideSip', 'serviceNotAuthorised', 'versionNotSupported'].sort(),
    );
  });

  it('every own guard that only repeats the standard answer changes nothing', () => {
    const same = Object.fromEntries(
      POLICY_GUARDS.map((name) => [name, (_asking: unknown, standard: boolean) => standard]),
    ) as OwnGuards;
    for (const role of ['orig', 'term'] as const) {
      for (const options of [{}, { headers: [['Privacy', 'id']] as const }, { uri: 'mailto:carol@mail.example' }]) {
        expect(outcome(same, role, options)).toEqual(outcome({}, role, options));
      }
    }
  });
});

describe('an own guard that fails', () => {
  it.each<[string, OwnGuard<'anonymityNotAllowed'>, string]>([
    [
      'throws',
      () => {
        throw new Error('no such table');
      },
      'no such table',
    ],
    ['answers nothing', (() => undefined) as never, 'it answered undefined, not true or false'],
    ['answers later', (async () => true) as never, 'it answered a promise, not true or false'],
  ])('%s: the standard answer stands; it is counted each time, and logged once a minute', (_how, guard, error) => {
    const problems: unknown[] = [];
    const world = new World({ guards: { anonymityNotAllowed: guard }, policy: { ...B2BUA, allowAnonymity: false } });
    const { engine } = world.pf;
    world.pf.onProblem = (message, details) => void problems.push([message, details]);
    for (let call = 0; call < 3; call++) {
      const near = world.peer(`phone${call}`).invite({ headers: [['Privacy', 'id']] });
      world.settle();
      near.response(403);
    }
    expect(engine.counters.guardFailures).toEqual({ anonymityNotAllowed: 3 });
    expect(problems).toEqual([
      [
        'an own guard gave no answer; the standard one stands',
        { guard: 'anonymityNotAllowed', error, session: expect.any(String), failures: 1 },
      ],
    ]);
    world.advance(61_000);
    world.peer('later').invite();
    world.settle();
    expect(problems).toHaveLength(2);
  });
});

describe('own guards are given once', () => {
  const sip = { onEvent: () => {}, execute: () => {} };

  it('a name that is no question of policy, and what is no function, are refused', () => {
    const make = (guards: unknown) => () =>
      createEngine({ sip, contact: '127.0.0.1:5060', guards: guards as OwnGuards });
    expect(make({ isOffer: () => true })).toThrow(/^guards\.isOffer: no such question of policy; there are serviceNot/);
    expect(make({ doNotDisturb: true })).toThrow('guards.doNotDisturb: expected a function, found boolean');
    expect(make({ doNotDisturb: () => true })).not.toThrow();
  });

  it('every session has the same chart, which is not that of another engine', () => {
    const world = new World({ guards: { doNotDisturb: () => false }, policy: B2BUA });
    invite(world, 'orig');
    invite(world, 'term');
    world.settle();
    const machines = new Set([...world.pf.engine.sessions.values()].map(({ actor }) => actor.logic));
    expect(machines.size).toBe(1);
    expect(new World().pf.engine.machineFor(true)).not.toBe(world.pf.engine.machineFor(true));
  });

  it('they go on top of a chart of one’s own', () => {
    const machine = sessionMachine.provide({ guards: { versionNotSupported: () => true } });
    expect(outcome({}, 'orig', {}, { machine })).toEqual(['403 INVITE']);
    expect(outcome({ anonymityNotAllowed: () => true }, 'orig', {}, { machine })).toEqual(['403 INVITE']);
  });
});

describe('own guards are told of', () => {
  const guards: OwnGuards = { anonymityNotAllowed: ({ context }, standard) => standard || context.role === 'orig' };

  it('by explain: the answer, what it read, and what the standard answer is', () => {
    const world = new World({ guards, policy: B2BUA });
    const near = world.peer('alice').invite();
    let told: Explanation | undefined;
    const source = { address: '10.0.1.1', port: 5060, transport: 'UDP', trusted: true };
    world.pf.engine.explain(near.invite, source, (explanation) => {
      told = explanation;
    });
    expect(told?.steps.find(({ guard }) => guard === 'anonymityNotAllowed')).toMatchObject({
      holds: true,
      own: { standard: false, failure: null },
      reads: expect.arrayContaining([{ path: 'role', value: 'orig' }]),
    });
    expect(told?.steps.find(({ guard }) => guard === 'versionNotSupported')).not.toHaveProperty('own');
    expect(told?.effects.map(({ type }) => type)).toContain('refuse');
    expect(world.pf.engine.counters.guardFailures).toEqual({});
  });

  it('by a traced step', () => {
    let trace: Trace | undefined;
    const observe = (session: Session, event: Parameters<Trace['step']>[0]): void => {
      trace ??= new Trace(session, true, guards);
      trace.step(event);
    };
    const world = new World({ guards, policy: B2BUA, observe });
    invite(world, 'orig');
    world.settle();
    const [first] = trace?.steps ?? [];
    const answers = first === undefined ? [] : replay(first, trace?.guards).guards;
    expect(answers.find(({ guard }) => guard === 'anonymityNotAllowed')).toMatchObject({
      holds: true,
      own: { standard: false },
    });
  });
});
