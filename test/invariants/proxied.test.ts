/** The invariants in proxy mode: nothing originated, nothing kept, everything passed on. */
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { type Command, PLAIN_SETTING, type Scene } from '../../src/testing/index.ts';
import { holds } from './drawn.ts';
import { finales, one, scenes, setting } from './scenes.ts';

/** Killed while an offer is on its way, in either direction, over a slow network. */
const offered: fc.Arbitrary<Scene> = fc
  .record({
    seed: fc.nat(1_000_000),
    delayMs: one(1, 40, 200),
    inDialog: one<number | null>(200, 200, 488, null),
    who: one('near' as const, 'far' as const),
    instant: one('now' as const, 'committed' as const),
    at: fc.nat(700),
    downMs: one(1, 50, 400),
    finale: finales.health,
  })
  .map(({ seed, delayMs, inDialog, who, instant, at, downMs, finale }) => ({
    seed,
    setting: {
      ...PLAIN_SETTING,
      mediaPath: 'never',
      network: { ...PLAIN_SETTING.network, delayMs },
      conduct: { near: { inDialog }, far: { inDialog } },
    },
    commands: [
      { do: 'wait', ms: 2000 },
      { do: 'offer', who, method: 'INVITE', empty: false },
      { do: 'wait', ms: at },
      { do: 'crash', instant, downMs },
      { do: 'wait', ms: 40_000 },
    ] satisfies Command[],
    finale,
  }));

describe('invariants 1 to 15 in proxy mode', () => {
  it('hold in both roles, with forks, redirections, CANCEL and BYE from every side', () => {
    const proxied = setting.map((drawn) => ({ ...drawn, mediaPath: 'never' as const }));
    holds('proxied', scenes({ setting: proxied }));
  }, 600_000);

  it('hold where the process is killed while an offer is on its way', () => {
    holds('offered', offered);
  }, 600_000);
});
