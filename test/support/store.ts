/** A message store that stops answering, and goes on. */
import type { World } from '../../src/testing/index.ts';

interface Stalled {
  append?: unknown;
  held?: (() => void)[];
}

/** From now on the store answers nothing. */
export function stall(world: World): void {
  const history = world.pf.history as unknown as Stalled;
  const append = history.append as (...args: unknown[]) => void;
  history.held = [];
  history.append = (...args: unknown[]) => history.held?.push(() => append.apply(history, args));
}

/** Whoever had asked it is gone. */
export function forgetStalled(world: World): void {
  (world.pf.history as unknown as Stalled).held = [];
}

/** The store answers again, what waited first. */
export function resume(world: World): void {
  const history = world.pf.history as unknown as Stalled;
  delete history.append;
  for (const held of history.held ?? []) held();
}
