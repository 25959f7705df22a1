/** `cpm-engine/testing`: the virtual world, for testing your own policy without sockets and without waiting. */
export { Call, bodyOf, uriIn, type Extra, type Lines } from './call.ts';
export { DEFAULT_PROFILE, ParticipatingFunction, type FunctionOptions } from './participating-function.ts';
export { Peer, SESSION_SERVICE, chatSdp, firstLine, type InviteOptions } from './peer.ts';
export { SeededRandom } from './seeded.ts';
export { VirtualClock } from './virtual-clock.ts';
export { VirtualNetwork, type Passage, type Weather } from './virtual-network.ts';
export { VirtualDisk, VirtualStore } from './virtual-store.ts';
export { World, type WorldOptions } from './world.ts';
