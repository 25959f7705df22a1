/** The searches that are made at each change, and the larger ones made by hand. */
import { type Adversary, type Configuration, configurationOf, VARIANTS, type Variant } from './configuration.ts';
import type { Fault } from './world.ts';

const OUTSIDE: readonly Fault[] = ['loss', 'reordering', 'duplicate', 'restartedPeer', 'storeFailure'];

const adversary = (name: string, faults: number, kinds: readonly Fault[], offers = false): Adversary => ({
  name,
  bound: { faults, kinds },
  offers,
});

export const CALM = adversary('calm', 0, []);
export const ONE_FAULT = adversary('one fault', 1, OUTSIDE);
export const TWO_FAULTS = adversary('two faults', 2, OUTSIDE);
export const CRASH = adversary('crash', 1, ['crash']);
export const OFFERS = adversary('offers', 0, [], true);
export const CRASH_AND_FAULT = adversary('crash and fault', 2, [...OUTSIDE, 'crash']);
export const OFFERS_AND_FAULT = adversary('offers and fault', 1, OUTSIDE, true);

type Chosen = readonly [Adversary, (variant: Variant) => boolean];

const always = (): boolean => true;
const isLarge = ({ storage, iwfs }: Variant): boolean => storage && iwfs > 0;
/** Of those with many states the terminating side is searched without faults: it differs little once it is answered. */
const isWide = (variant: Variant): boolean =>
  isLarge(variant) || (variant.role === 'term' && (variant.storage || variant.iwfs === 2));
const isSmall = ({ mode, storage, iwfs }: Variant): boolean => mode === 'proxy' || (!storage && iwfs < 2);

const BOUNDS = {
  /** Everything, within a minute on one slow core. */
  change: [
    [CALM, (variant) => isWide(variant)],
    [ONE_FAULT, (variant) => !isWide(variant)],
    [CRASH, (variant) => isSmall(variant) || (variant.storage && variant.iwfs === 0 && variant.role === 'orig')],
    [OFFERS, ({ role, mode, storage, iwfs }) => mode === 'proxy' || (!storage && iwfs === (role === 'orig' ? 1 : 0))],
  ],
  large: [
    [ONE_FAULT, always],
    [TWO_FAULTS, (variant) => !isLarge(variant)],
    [CRASH, always],
    [CRASH_AND_FAULT, isSmall],
    [OFFERS, (variant) => !(variant.storage && variant.iwfs === 2)],
    [OFFERS_AND_FAULT, isSmall],
  ],
} satisfies Record<string, readonly Chosen[]>;

export type BoundName = keyof typeof BOUNDS;

export function configurationsOf(bound: BoundName): Configuration[] {
  const chosen: readonly Chosen[] = BOUNDS[bound];
  return chosen.flatMap(([by, takes]) => VARIANTS.filter(takes).map((variant) => configurationOf(variant, by)));
}
