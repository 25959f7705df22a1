/** The invariants where the world becomes healthy in the end, or one fault lasts for ever in one direction. */
import { describe, it } from '@jest/globals';
import { holds } from './drawn.ts';
import { finales, scenes } from './scenes.ts';

describe('invariants 1 to 15 at last', () => {
  it('hold, and every session ends within its bound, once the world is healthy or deaf in one direction', () => {
    holds('liveness', scenes({ finale: finales.liveness, maxCommands: 10 }));
  }, 600_000);
});
