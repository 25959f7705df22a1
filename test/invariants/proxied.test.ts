/** The invariants in proxy mode: nothing originated, nothing kept, everything passed on. */
import { describe, it } from '@jest/globals';
import { holds } from './drawn.ts';
import { scenes, setting } from './scenes.ts';

describe('invariants 1 to 15 in proxy mode', () => {
  it('hold in both roles, with forks, redirections, CANCEL and BYE from every side', () => {
    const proxied = setting.map((drawn) => ({ ...drawn, mediaPath: 'never' as const }));
    holds('proxied', scenes({ setting: proxied }));
  }, 600_000);
});
