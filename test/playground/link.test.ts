/** Links: what a play is, in letters, read back as it was written, and refused with a reason where it is none. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ACTS, type Act, type Done, MEMBERS } from '../../src/playground/acts.ts';
import { type Link, LONGEST_LINK, linkIn, linkText, MOST_ACTS } from '../../src/playground/link.ts';
import { PLAIN_CALL } from '../../src/playground/setting.ts';
import { STORIES } from '../../src/playground/stories.ts';
import { PLAIN_SETTING, type Scene } from '../../src/testing/index.ts';

const member = fc.constantFrom(...MEMBERS);
const set = fc.constantFrom('on' as const, 'off' as const);
const number = fc.nat(60_000);

/** One of each act there is; a new one that is missing here does not compile. */
const drawn: { readonly [V in Act['do']]: fc.Arbitrary<Extract<Act, { do: V }>> } = {
  invite: fc.record({ do: fc.constant('invite'), to: fc.constantFrom('bob', 'carol'), streams: fc.nat(4) }),
  cancel: fc.record({ do: fc.constant('cancel'), who: member }),
  hangup: fc.record({ do: fc.constant('hangup'), who: member }),
  offer: fc.record({ do: fc.constant('offer'), who: member }),
  ring: fc.record({ do: fc.constant('ring'), who: member }),
  accept: fc.record({ do: fc.constant('accept'), who: member }),
  refuse: fc.record({ do: fc.constant('refuse'), who: member, status: fc.integer({ min: 300, max: 699 }) }),
  hand: fc.record({ do: fc.constant('hand'), who: member, set }),
  deaf: fc.record({ do: fc.constant('deaf'), who: member, set }),
  forget: fc.record({ do: fc.constant('forget'), who: member }),
  takes: fc.record({
    do: fc.constant('takes'),
    who: member,
    which: fc.constantFrom('all', 'first', 'second', 'none'),
  }),
  phone: fc.record({ do: fc.constant('phone'), set }),
  crash: fc.record({
    do: fc.constant('crash'),
    who: member,
    instant: fc.constantFrom('now', 'committed', 'stored'),
    down: number,
  }),
  start: fc.record({ do: fc.constant('start'), who: member }),
  store: fc.record({
    do: fc.constant('store'),
    who: member,
    mood: fc.constantFrom('well', 'failing', 'lost'),
    delay: number,
  }),
  end: fc.record({ do: fc.constant('end'), who: member, by: fc.constantFrom('operator', 'shutdown') }),
  cut: fc.record({ do: fc.constant('cut'), from: member, to: member, way: fc.constantFrom('both', 'one') }),
  mend: fc.record({ do: fc.constant('mend'), from: member, to: member }),
  drop: fc.record({ do: fc.constant('drop'), flight: fc.integer({ min: 1, max: 999 }) }),
  delay: fc.record({ do: fc.constant('delay'), flight: fc.integer({ min: 1, max: 999 }), ms: number }),
  double: fc.record({ do: fc.constant('double'), flight: fc.integer({ min: 1, max: 999 }) }),
  next: fc.record({
    do: fc.constant('next'),
    from: member,
    to: member,
    fate: fc.constantFrom('drop', 'delay', 'double'),
  }),
};

const acts: fc.Arbitrary<Done[]> = fc
  .array(
    fc.record({
      act: fc.oneof(...(Object.values(drawn) as fc.Arbitrary<Act>[])),
      at: number,
      fired: fc.option(fc.nat(5000)),
    }),
    { maxLength: 20 },
  )
  .map((all) => {
    // In order, as they are done.
    const times = all.map(({ at }) => at).sort((left, right) => left - right);
    const counts = all.map(({ fired }) => fired ?? 0).sort((left, right) => left - right);
    return all.map(({ act, fired }, at) => ({
      act,
      at: times[at] ?? 0,
      fired: fired === null ? null : (counts[at] ?? 0),
    }));
  });

const setting = fc.record({
  seed: fc.nat(1_000_000),
  media: fc.constantFrom('always' as const, 'auto' as const, 'never' as const),
  storage: set,
  close: fc.constantFrom('streams' as const, 'session' as const),
  timer: fc.constantFrom('none' as const, 'uac' as const, 'uas' as const),
  interval: fc.integer({ min: 90, max: 7200 }),
  hop: fc.integer({ min: 1, max: 5000 }),
  jitter: fc.nat(5000),
  loss: fc.nat(100),
  twice: fc.nat(100),
  commit: fc.nat(1000),
});

const SCENE: Scene = {
  seed: 7,
  setting: PLAIN_SETTING,
  commands: [
    { do: 'wait', ms: 50 },
    { do: 'bye', who: 'near' },
  ],
  finale: { mode: 'liveness', by: 'health' },
};

/** Why a link is refused. */
function refusal(hash: string): string {
  try {
    linkIn(hash);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

describe('a link', () => {
  it('says everything a play is made of, and is read back as it was written', () => {
    fc.assert(
      fc.property(setting, acts, (given, done) => {
        const link: Link = { beginning: { kind: 'call', setting: given }, acts: done, upTo: { at: 60_000, fired: 7 } };
        expect(linkIn(`#${linkText(link)}`)).toEqual(link);
      }),
      { numRuns: 300 },
    );
  });

  it('holds a scene with what it once showed, in letters that any terminal takes', () => {
    const found = 'a BYE “too much” – übrigens';
    const link: Link = {
      beginning: { kind: 'scene', scene: SCENE, found, invariant: 4 },
      acts: [{ at: 10, fired: 3, act: { do: 'hangup', who: 'far' } }],
      upTo: undefined,
    };
    const text = linkText(link);
    expect(text).toMatch(/^[A-Za-z0-9_=&.-]+$/);
    expect(linkIn(text)).toEqual(link);
    expect(linkIn(`#scene=${encodeURIComponent(JSON.stringify(SCENE))}`).beginning).toMatchObject({ scene: SCENE });
  });

  it('of nothing is a plain call', () => {
    expect(linkIn('')).toEqual({ beginning: { kind: 'call', setting: PLAIN_CALL }, acts: [], upTo: undefined });
  });

  it('leaves out what is as usual, so that a person can read it', () => {
    const call = { kind: 'call', setting: { ...PLAIN_CALL, seed: 9 } } as const;
    const act = { at: 2100, fired: 41, act: { do: 'crash', who: 'pfa', instant: 'now', down: 2000 } } as const;
    expect(linkText({ beginning: call, acts: [act], upTo: undefined })).toBe(
      'play=call&seed=9&acts=41.2100.crash.pfa.now.2000',
    );
  });

  it.each([
    ['#acts=1.2.explode.pfa', /"1\.2\.explode\.pfa" is no act: there is no "explode"/],
    ['#acts=1.2.crash.pfa', /needs 3 values after "crash": who, instant, down/],
    ['#acts=1.2.crash.pfx.now.5', /"pfx" is no who: it is alice, bob/],
    ['#acts=1.2.crash.pfa.now.-5', /"-5" is no down: it is a whole number from 0 to 86400000/],
    ['#acts=x.2.phone.on', /"x" is no number of timers/],
    ['#acts=1.9e9.phone.on', /"9e9" is no time/],
    ['#acts=5.9.phone.on,5.8.phone.off', /act 2 of the link comes before the one in front of it/],
    ['#acts=constructor', /there is no ""/],
    ['#acts=1.1.constructor', /there is no "constructor"/],
    ['#seed=-1', /seed is a whole number from 0 to 4294967295, not "-1"/],
    ['#media=sometimes', /media is one of always, auto, never/],
    ['#colour=red', /there is no setting "colour"; there are seed, media/],
    ['#__proto__=1', /there is no setting "__proto__"/],
    ['#seed=1&seed=2', /"seed" stands twice/],
    ['#seed=%', /not encoded/],
    ['#play=chess', /nothing called "chess" to play/],
    ['#scene=!!!', /neither JSON nor base64url; it may have been cut/],
    ['#scene=eyJhIjox', /this is no JSON/],
    ['#scene={}', /scene\.seed must be a whole number/],
    ['#scene=[1]', /the file must be an object|no JSON|neither/],
    [`#scene=${JSON.stringify(SCENE)}&loss=5`, /a scene brings its own setting: "loss"/],
    ['#at=1', /"" is no time/],
    ['#at=1.2.3', /no instant/],
  ])('that is none says why: %s', (hash, why) => {
    expect(refusal(hash)).toMatch(why);
  });

  it('and its parts are bounded', () => {
    expect(refusal(`#acts=${'x'.repeat(LONGEST_LINK)}`)).toMatch(/at most 120000 characters/);
    expect(refusal(`#acts=${Array.from({ length: MOST_ACTS + 1 }, () => '1.1.phone.on').join(',')}`)).toMatch(
      /at most 300 acts/,
    );
    const long = { ...SCENE, commands: Array.from({ length: 201 }, () => ({ do: 'mediaFails' })) };
    expect(refusal(`#scene=${JSON.stringify(long)}`)).toMatch(/scene\.commands must be a list of at most 200/);
  });

  it.each([
    [{ ...SCENE, seed: 1.5 }, /scene\.seed/],
    [{ ...SCENE, extra: 1 }, /scene has no "extra"; it has seed, setting, commands, finale/],
    [{ ...SCENE, commands: [{ do: 'dance' }] }, /scene\.commands\[0\]\.do must be "wait" or "bye"/],
    [{ ...SCENE, commands: [{ do: 'bye', who: 'nobody' }] }, /scene\.commands\[0\]\.who must be "near"/],
    [{ ...SCENE, commands: [{ do: 'wait', ms: 1e12 }] }, /scene\.commands\[0\]\.ms must be a whole number/],
    [{ ...SCENE, setting: { ...PLAIN_SETTING, streams: 900 } }, /scene\.setting\.streams/],
    [
      { ...SCENE, setting: { ...PLAIN_SETTING, conduct: { near: { ack: 'no' } } } },
      /conduct\.near\.ack must be "prompt"/,
    ],
    [{ ...SCENE, finale: { mode: 'liveness', by: 'magic' } }, /scene\.finale\.by/],
  ])('refuses a scene with the place of its mistake, %#', (scene, why) => {
    expect(refusal(`#scene=${JSON.stringify(scene)}`)).toMatch(why);
  });

  it('of each story can be read', () => {
    for (const { link } of STORIES) expect(linkText(linkIn(link))).toBe(link);
  });

  it('knows as many acts as can be done', () => {
    expect(Object.keys(drawn).sort()).toEqual(Object.keys(ACTS).sort());
  });
});
