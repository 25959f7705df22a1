/** How calls of the soak go, and above all how they end. */
import type { Attempt, Casting } from './attempt.ts';

export interface Course {
  readonly name: string;
  /** How many of them there are among others. */
  readonly weight: number;
  /** Casting that it needs; what it leaves open is drawn. */
  readonly casting: Partial<Casting>;
  /** Seconds of the lapse it takes; those that take long begin first. */
  readonly slow?: boolean;
  play(call: Attempt): Promise<void>;
}

/** A call that stands for a moment before something happens. */
const standing =
  (then: (call: Attempt) => unknown) =>
  async (call: Attempt): Promise<void> => {
    call.invite();
    if (!(await call.stands(call.near))) return;
    await call.pause(400);
    await then(call);
  };

/** A call that rings for a moment before something happens. */
const ringing =
  (then: (call: Attempt) => void) =>
  async (call: Attempt): Promise<void> => {
    call.invite();
    await call.pause(400);
    then(call);
    await call.pause(1500);
  };

const RINGS_ON = { far: { answers: [null] } } as const;
const INTERWORKED = { role: 'orig', served: 'kept', interworked: true } as const;
/** The first IWF takes one stream, the second the other. */
const TWO_IWFS = {
  ...INTERWORKED,
  streams: 2,
  conduct: { iwf1: { rejects: [[1], []] }, iwf2: { rejects: [[]] } },
} as const;

const SINGLE: readonly Course[] = [
  { name: 'the caller hangs up', weight: 6, casting: {}, play: standing(({ near }) => near.end()) },
  { name: 'the callee hangs up', weight: 6, casting: {}, play: standing(({ far }) => far.end()) },
  {
    name: 'both hang up at once',
    weight: 3,
    casting: {},
    play: standing(({ near, far }) => {
      near.end();
      far.end();
    }),
  },
  {
    name: 'BYE during re-INVITE',
    weight: 3,
    casting: {},
    play: standing(({ near, far }) => {
      near.reinvite(1);
      far.end();
    }),
  },
  {
    name: 're-INVITEs cross',
    weight: 2,
    casting: {},
    play: standing(async (call) => {
      call.near.reinvite(1);
      call.far.reinvite(1);
      await call.pause(3000);
      call.near.end();
    }),
  },
  {
    name: 'CANCEL while it rings',
    weight: 4,
    casting: { conduct: RINGS_ON },
    play: ringing(({ near }) => near.cancel()),
  },
  {
    name: 'CANCEL crosses 200',
    weight: 2,
    casting: { conduct: { far: { answers: [null], cancel: 'accepted' } } },
    play: ringing(({ near }) => near.cancel()),
  },
  { name: 'refusal', weight: 4, casting: { conduct: { far: { answers: [486] } } }, play: ringing(() => {}) },
  {
    name: 'refusal of everybody',
    weight: 1,
    casting: { conduct: { far: { answers: [603] } } },
    play: ringing(() => {}),
  },
  {
    name: 'a second fork answers late',
    weight: 2,
    casting: { conduct: { far: { forkAfterMs: 300 } } },
    play: standing(async (call) => {
      await call.pause(1000);
      call.near.end();
    }),
  },
  {
    name: 'the callee has no ear for BYE',
    weight: 1,
    casting: { conduct: { far: { bye: null } } },
    play: standing(({ near }) => near.end()),
  },
  {
    // In proxy mode nobody would say that this one is over.
    name: 'the callee was restarted',
    weight: 2,
    casting: { served: 'kept' },
    play: standing(async (call) => {
      call.far.forget();
      call.near.reinvite(1);
      await call.pause(1000);
    }),
  },
];

const SLOW: readonly Course[] = [
  {
    name: 'no ACK ever',
    weight: 2,
    slow: true,
    casting: { conduct: { near: { ack: 'never' } } },
    play: standing((call) => call.pause(34_000)),
  },
  {
    name: 'the session timer expires',
    weight: 2,
    slow: true,
    casting: { served: 'kept', conduct: { near: { timer: 'uac' }, far: { timer: 'uas' } } },
    play: async (call) => {
      call.invite({ expires: 90 });
      await call.pause(95_000);
    },
  },
  {
    name: 'the session timer of a proxied session expires',
    weight: 1,
    slow: true,
    casting: { served: 'proxied' },
    play: async (call) => {
      call.invite({ expires: 90 });
      await call.stands(call.near, call.far);
      call.near.forget();
      call.far.forget();
      await call.pause(95_000);
    },
  },
  {
    name: 'the callee falls silent',
    weight: 1,
    slow: true,
    casting: {},
    play: standing(async (call) => {
      call.far.deaf = true;
      call.near.reinvite(1);
      await call.pause(34_000);
    }),
  },
];

const INTERWORKING: readonly Course[] = [
  { name: 'an IWF hangs up', weight: 2, casting: INTERWORKED, play: standing(({ iwf1 }) => iwf1.end()) },
  {
    name: 'one of two IWFs leaves, then the caller',
    weight: 3,
    casting: TWO_IWFS,
    play: standing(async (call) => {
      await call.stands(call.iwf1, call.iwf2);
      call.iwf1.end();
      await call.pause(2000);
      call.near.end();
    }),
  },
  {
    name: 'one of two IWFs leaves, then the other',
    weight: 2,
    casting: TWO_IWFS,
    play: standing(async (call) => {
      await call.stands(call.iwf1, call.iwf2);
      call.iwf2.end();
      await call.pause(2000);
      call.iwf1.end();
    }),
  },
  {
    name: 'two IWFs leave at once',
    weight: 2,
    casting: TWO_IWFS,
    play: standing(async (call) => {
      await call.stands(call.iwf1, call.iwf2);
      call.iwf1.end();
      call.iwf2.end();
    }),
  },
  {
    name: 'IWF refuses',
    weight: 1,
    casting: { ...INTERWORKED, conduct: { iwf1: { answers: [404] } } },
    play: ringing(() => {}),
  },
];

const BROKEN: readonly Course[] = [
  {
    name: "the caller's connection breaks",
    weight: 3,
    casting: { transport: 'broken' },
    play: standing((call) => broken(call)),
  },
  {
    name: "the caller's connection breaks while it rings",
    weight: 2,
    slow: true,
    casting: { transport: 'broken', conduct: { far: { answerAfterMs: 2000 } } },
    play: async (call) => {
      call.invite();
      await call.pause(300);
      call.break('sip');
      await call.pause(6000);
    },
  },
  {
    name: 'the operator ends it',
    weight: 3,
    casting: { served: 'ordered' },
    play: standing((call) => call.pause(12_000)),
  },
  {
    name: 'a chat, then the caller hangs up',
    weight: 4,
    casting: { media: 'chat', served: 'kept' },
    play: standing(async (call) => {
      await call.chat(3);
      call.near.end();
    }),
  },
  {
    name: 'a chat whose connection breaks',
    weight: 2,
    casting: { media: 'chat', served: 'kept' },
    play: standing(async (call) => {
      await call.chat(1);
      call.break('media');
      await call.pause(8000);
    }),
  },
  {
    name: 'media that never come',
    weight: 1,
    casting: { media: 'absent', served: 'kept' },
    play: standing((call) => call.pause(8000)),
  },
];

/** What cannot be answered to the caller ends all the same. */
async function broken(call: Attempt): Promise<void> {
  call.break('sip');
  call.far.end();
  await call.pause(1000);
}

export const COURSES: readonly Course[] = [...SINGLE, ...SLOW, ...INTERWORKING, ...BROKEN];
