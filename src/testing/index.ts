/** `cpm-engine/testing`: the virtual world, for testing your own policy without sockets and without waiting. */
export { bodyOf, Call, type Extra, type Lines, uriIn } from './call.ts';
export {
  type Adversary,
  type BoundName,
  type Configuration,
  configurationOf,
  configurationsOf,
  resultTable,
  type SearchResult,
  search as searchSessions,
  VARIANTS as SESSION_VARIANTS,
  violationText,
} from './model-check/index.ts';
export { DEFAULT_PROFILE, type FunctionOptions, ParticipatingFunction } from './participating-function.ts';
export { chatSdp, firstLine, type InviteOptions, Peer, type PeerNetwork, SESSION_SERVICE } from './peer.ts';
export { SeededRandom } from './seeded.ts';
export { VirtualClock } from './virtual-clock.ts';
export { type Passage, VirtualNetwork, type Weather } from './virtual-network.ts';
export { VirtualDisk, VirtualStore } from './virtual-store.ts';
export { World, type WorldOptions } from './world.ts';
