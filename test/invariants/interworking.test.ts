/** The invariants where one or several IWFs carry the session: partial close, second attempts, late answers. */
import { describe, it } from '@jest/globals';
import { holds } from './drawn.ts';
import { scenes, setting } from './scenes.ts';

describe('invariants 1 to 15 with Interworking Functions', () => {
  it('hold with one IWF and with two, in both roles, kept and not kept', () => {
    const interworked = setting.map((drawn) => {
      const { conduct } = drawn;
      // The first IWF takes one stream, the second the other.
      const split = { ...conduct, iwf1: { ...conduct.iwf1, answers: [200], rejects: [[1], []] } };
      return { ...drawn, mediaPath: 'always' as const, interworked: true, streams: 2, conduct: split };
    });
    holds('interworking', scenes({ setting: interworked }));
  }, 600_000);
});
