/** The model check can fail: charts with one thing wrong in them, each caught by the law that it breaks. */
import { describe, expect, it } from '@jest/globals';
import {
  type Adversary,
  CALM,
  CRASH,
  configurationOf,
  ONE_FAULT,
  search,
  type Variant,
  violationText,
} from '../../src/testing/model-check/index.ts';
import { type Alteration, altered, without, withoutDeadline } from './altered.ts';

const PLAIN: Variant = { role: 'orig', mode: 'b2bua', storage: false, iwfs: 0 };
const STORED: Variant = { ...PLAIN, storage: true };
const TWO_IWFS: Variant = { ...PLAIN, iwfs: 2 };
const PROXY: Variant = { ...PLAIN, mode: 'proxy' };

interface Mistake {
  readonly what: string;
  readonly law: RegExp;
  readonly where: Variant;
  readonly by?: Adversary;
  readonly how: Alteration;
}

type Tree = Record<string, unknown>;
const on = (state: Tree): Tree => state.on as Tree;

const MISTAKES: readonly Mistake[] = [
  {
    what: 'ringing has no deadline',
    law: /^liveness: no deadline leads out of inviting\.ringing$/,
    where: PLAIN,
    how: { actions: { inviteCore: withoutDeadline('ringingOver') } },
  },
  {
    what: 'an established session has no deadline',
    law: /^liveness: no deadline leads out of b2buaEstablished\.steady$/,
    where: PLAIN,
    how: { actions: { answerInviter: (changes) => ({ ...changes, deadlines: {} }) } },
  },
  {
    what: 'the deadline of the wait for a second IWF is not taken',
    law: /^liveness: no deadline leads out of inviting\.answering$/,
    where: TWO_IWFS,
    how: {
      states: {
        'inviting.answering': (state) => delete on(state).secondaryOver,
        inviting: (state) => delete on(state).ringingOver,
      },
    },
  },
  {
    what: 'the BYE to the inviter is left out',
    law: /^invariant 1: the inviter is not told of the end$/,
    where: PLAIN,
    how: { actions: { tellLegs: without(({ type, leg }) => type === 'bye' && leg === 'a') } },
  },
  {
    what: 'the BYE to the second IWF is left out',
    law: /^invariant 11: IWF leg b2 is left in its dialog$/,
    where: TWO_IWFS,
    how: {
      actions: {
        tellLegs: without(({ type, leg }) => type === 'bye' && leg === 'b2'),
        endByServedClient: without(({ type, leg }) => type === 'bye' && leg === 'b2'),
      },
    },
  },
  {
    what: 'an IWF that is given up is not cancelled',
    law: /^invariant 11: IWF leg b2 is left ringing$/,
    where: TWO_IWFS,
    how: { actions: { answerWithoutSecondary: without(({ type }) => type === 'cancel') } },
  },
  {
    what: 'BYE in the early dialog of a second IWF ends it all',
    law: /^invariant 11: IWF leg b2 is left ringing$/,
    where: TWO_IWFS,
    by: ONE_FAULT,
    how: {
      states: { 'inviting.answering': (state) => (on(state).bye = { target: '#closing', actions: 'endByEarlyBye' }) },
    },
  },
  {
    what: 'a session timer leads straight to closed',
    law: /^invariant 2: the way to closed does not lead through tearingDown$/,
    where: PROXY,
    how: {
      states: { proxying: (state) => (on(state).sessionExpired = { target: '#closed', actions: 'forgetByTimer' }) },
    },
  },
  {
    what: 'a shutdown that comes late leads back out of tearingDown',
    law: /^invariant 2: endOrdered in tearingDown\S* starts the end again$/,
    where: PLAIN,
    how: { states: { tearingDown: (state) => (on(state).endOrdered = { target: '#established' }) } },
  },
  {
    what: 'a crossing BYE leads back out of tearingDown',
    law: /^invariant 2: the session comes back from its end$/,
    where: PLAIN,
    how: { states: { tearingDown: (state) => (on(state).bye = { target: '#established' }) } },
  },
  {
    what: 'a crossing BYE leads out of tearingDown and in again, in one step',
    law: /^invariant 2: tearingDown is entered twice$/,
    where: PLAIN,
    how: {
      states: {
        inviting: (state) => ((state.states as Tree).detour = { id: 'detour', always: { target: '#claiming' } }),
        tearingDown: (state) => (on(state).bye = { target: '#detour', actions: 'answerCrossingBye' }),
      },
    },
  },
  {
    what: 'a later trigger writes its own reason over the first',
    law: /^invariant 2: the reason of the ending changes$/,
    where: PLAIN,
    how: {
      actions: {
        answerCrossingBye: (changes, context) => ({
          ...changes,
          ending: { ...(context.ending as object), reason: 'operator' },
        }),
      },
    },
  },
  {
    what: 'a BYE is answered twice',
    law: /^invariant 3: bye-1 on leg [ab] is answered, but does not wait for an answer$/,
    where: PLAIN,
    how: {
      actions: {
        answerByes: ({ effects, ...changes }) =>
          effects === undefined ? changes : { ...changes, effects: effects.flatMap((each) => [each, each]) },
      },
    },
  },
  {
    what: 'a BYE is never answered',
    law: /^invariant 3: a BYE on leg [ab] has no answer$/,
    where: PLAIN,
    how: { actions: { answerByes: without(({ type }) => type === 'answerBye') } },
  },
  {
    what: 'BYE to a leg that has just sent one',
    law: /^invariant 4: bye on leg a, whose dialog has ended$/,
    where: PLAIN,
    how: {
      actions: {
        endByServedClient: (changes) => ({
          ...changes,
          effects: [...(changes.effects ?? []), { type: 'bye', leg: 'a' }],
        }),
      },
    },
  },
  {
    what: 'a closed session answers a BYE',
    law: /^invariant 4: bye in closed leads to answerBye$/,
    where: PLAIN,
    how: { states: { closed: (state) => (state.on = { bye: { actions: 'answerCrossingBye' } }) } },
  },
  {
    what: 'the last deadline tells legs by BYE in proxy mode too',
    law: /^invariant 5: bye in proxy mode$/,
    where: PROXY,
    how: {
      states: {
        tearingDown: (state) =>
          (on(state).teardownOver = { target: '.answering', actions: ['tellLegs', 'closeAllLegs', 'answerByes'] }),
      },
    },
  },
  {
    what: 'a 2xx that crosses the CANCEL of a shutdown is answered by the proxy',
    law: /^invariant 5: a 2xx is not passed on/,
    where: PROXY,
    how: {
      states: {
        inviting: (state) => (on(state).endOrdered = { target: '#claiming', actions: 'endByOrder' }),
        tearingDown: (state) => (on(state).answered = { actions: 'endLateAnswer' }),
      },
    },
  },
  {
    what: 'a 2xx that crosses the CANCEL of a shutdown is not taken any more by the proxy',
    law: /^invariant 5: a 2xx is not passed on/,
    where: PROXY,
    how: { states: { tearingDown: (state) => delete on(state).answered } },
  },
  {
    what: 'the last deadline leaves an INVITE without its final answer',
    law: /^invariant 3: the INVITE has no final answer$/,
    where: PROXY,
    how: { actions: { stopForwarding: without(({ type }) => type === 'refuse') } },
  },
  {
    what: 'the mode changes with the answer',
    law: /^invariant 6: the mode changes$/,
    where: PLAIN,
    how: { actions: { answerInviter: (changes) => ({ ...changes, mode: 'proxy' }) } },
  },
  {
    what: 'a UID is told before the history is sealed',
    law: /^invariant 8: Message-UID before the history is sealed$/,
    where: STORED,
    how: {
      actions: {
        tellLegs: (changes) => ({
          ...changes,
          effects: (changes.effects ?? []).map((each) => (each.type === 'bye' ? { ...each, messageUid: 7 } : each)),
        }),
      },
    },
  },
  {
    what: 'a history that was opened is never sealed',
    law: /^invariant 10: a history that was opened is never sealed$/,
    where: STORED,
    how: {
      states: Object.fromEntries(
        ['opening', 'live', 'degraded'].map((name) => [`recording.${name}`, (state: Tree) => delete state.always]),
      ),
    },
  },
  {
    what: 'a late 2xx is not taken any more',
    law: /^invariant 12: a late 2xx on leg b is not acknowledged and ended$/,
    where: PLAIN,
    how: { states: { tearingDown: (state) => delete on(state).answered } },
  },
  {
    what: 'a late 2xx has its ACK, and no BYE',
    law: /^invariant 12: a late 2xx on leg b is not acknowledged and ended$/,
    where: PLAIN,
    how: { actions: { endLateAnswer: without(({ type }) => type === 'bye') } },
  },
  {
    what: 'nothing bounds the end',
    law: /^invariant 13: no deadline bounds the end$/,
    where: PLAIN,
    how: { actions: { endByServedClient: withoutDeadline('teardownOver') } },
  },
  {
    what: 'what is heard on the way puts the last deadline off',
    law: /^invariant 13: the deadline of the end is put off$/,
    where: PLAIN,
    how: {
      actions: {
        answerCrossingBye: (changes, context) => ({
          ...changes,
          deadlines: { ...(context.deadlines as object), teardownOver: 1_000_035_500 },
        }),
      },
    },
  },
  {
    what: 'a BYE held back for an ACK is forgotten by the last deadline',
    law: /^invariant 1: the inviter is not told of the end$/,
    where: PLAIN,
    by: CRASH,
    how: { actions: { closeAllLegs: without(({ type }) => type === 'bye') } },
  },
];

describe('a chart in which', () => {
  it.each(MISTAKES)('$what is caught: $law', ({ law, where, by = CALM, how }) => {
    const { violation } = search(altered(where.storage, how), configurationOf(where, by));
    expect(violation?.law).toMatch(law);
    expect(violation?.path.length).toBeGreaterThan(0);
  });

  it('nothing is wrong is not caught: altering alone changes nothing', () => {
    for (const where of [PLAIN, STORED, TWO_IWFS, PROXY]) {
      expect(search(altered(where.storage, {}), configurationOf(where, CALM)).violation).toBeNull();
    }
  });
});

it('a violation is printed as its shortest path: what happened, where the session is, what it orders', () => {
  const machine = altered(false, { actions: { endLateAnswer: without(({ type }) => type === 'bye') } });
  const { violation } = search(machine, configurationOf(PLAIN, CALM));
  expect(violation === null ? '' : violationText(violation)).toBe(
    [
      'invariant 12: a late 2xx on leg b is not acknowledged and ended',
      '  1. the INVITE comes',
      '     inviting.ringing: a inviting, b inviting',
      '     orders trying, invite b',
      '  2. b: peer answers',
      '     inviting.ringing: a inviting, b inviting',
      '  3. ringingOver is over',
      '     tearingDown.closing: a closed, b cancelling',
      '     orders refuse 408, cancel b',
      '  4. b: 200 arrives',
      '     tearingDown.closing: a closed, b ending',
      '     orders acknowledge b',
    ].join('\n'),
  );
});

it('a chart that holds more than guards and assignments is refused', () => {
  const machine = altered(false, { states: { closed: (state) => (state.exit = 'letGo') } });
  expect(() => search(machine, configurationOf(PLAIN, CALM))).toThrow('only a chart of guards and assignments');
});
