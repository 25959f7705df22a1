/** The model check: every path of a session under a bounded adversary. See `docs/model-check.md`. */
export { type BoundName, CALM, CRASH, configurationsOf, OFFERS, ONE_FAULT, TWO_FAULTS } from './bounds.ts';
export {
  type Adversary,
  type Configuration,
  configurationOf,
  nameOf,
  VARIANTS,
  type Variant,
} from './configuration.ts';
export { resultTable, type Timed, violationText } from './report.ts';
export { type SearchResult, search, type Violation } from './search.ts';
export { FAULTS, type Fault } from './world.ts';
