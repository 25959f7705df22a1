/** `cpm-engine/testing`: the virtual world, for testing your own policy without sockets and without waiting. */
export { bodyOf, Call, type Extra, type Lines, uriIn } from './call.ts';
export { Chronicle, type ChronicleEntry } from './chronicle.ts';
export { type Conduct, GOOD_CONDUCT } from './endpoint/conduct.ts';
export { Endpoint } from './endpoint/endpoint.ts';
export * from './invariants/index.ts';
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
export { type NetworkFaults, NO_FAULTS, SeededWeather } from './network-faults.ts';
export { DEFAULT_PROFILE, type FunctionOptions, ParticipatingFunction } from './participating-function.ts';
export { chatSdp, firstLine, type InviteOptions, Peer, type PeerNetwork, SESSION_SERVICE } from './peer.ts';
export { ladderOf } from './scenario/ladder.ts';
export { type Cue, cuesOf, type Played, play } from './scenario/play.ts';
export { type Command, type Finale, PLAIN_SETTING, type Scene, type Setting, type Who } from './scenario/scene.ts';
export { Stage, type StageOptions } from './scenario/stage.ts';
export { SeededRandom } from './seeded.ts';
export { type HistoryMood, UnreliableHistory } from './unreliable-history.ts';
export { VirtualClock } from './virtual-clock.ts';
export { VirtualMedia } from './virtual-media.ts';
export { type Flight, type NetworkWatcher, type Passage, VirtualNetwork, type Weather } from './virtual-network.ts';
export { VirtualDisk, VirtualStore } from './virtual-store.ts';
export { WatchedFunction } from './watched-function.ts';
export { World, type WorldOptions } from './world.ts';
