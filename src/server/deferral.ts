/** The endpoint that takes sessions for users who are away, on sockets that nobody but this server talks to. */

import { Keeper, type KeeperHost } from '../deferral/keeper.ts';
import type { DeferralPort } from '../engine/ports.ts';
import { nodeMsrpIdentifiers } from '../host/node-msrp-identifiers.ts';
import { Correspondence } from '../isf/reference/iwf/correspondence.ts';
import { MsrpDoor } from '../isf/reference/iwf/door.ts';
import { Iwf } from '../isf/reference/iwf/iwf.ts';
import { type ReferenceLog, Tally } from '../isf/reference/log.ts';
import { DEFAULT_MSRP_LIMITS } from '../msrp/limits.ts';
import { MsrpNetwork } from '../msrp/transport/network.ts';
import { transportParam } from '../sip/flow.ts';
import { createSipStack, type ListeningSipStack } from '../sip/index.ts';
import type { NodeNetwork } from '../sip/transport/node-network.ts';
import type { Clock } from '../time/clock.ts';
import { keepsSessions } from './config/policy.ts';
import type { Config } from './config/schema.ts';
import { type Logger, referenceLog } from './log.ts';

export interface Deferral extends DeferralPort {
  /** Ends its sessions and closes its sockets. */
  close(): Promise<void>;
}

/** Bytes of a message that is kept: text, and no files. Times `policy.deferred.total`, it is what may be held. */
const KEPT_BYTES = 16_384;
/** Sessions at a time, and how long a user may ring, ms. */
const SESSIONS = 1000;
const RINGING_MS = 60_000;

interface Surroundings {
  readonly clock: Clock;
  /** The server's own, and listens. */
  readonly network: NodeNetwork;
  readonly log: Logger;
  readonly host: KeeperHost;
}

/** Undefined where no media pass here, or nobody could talk to it. Throws where no port is to be had. */
export async function openDeferral(config: Config, by: Surroundings): Promise<Deferral | undefined> {
  const { media } = config;
  const { clock, network, host } = by;
  const door = network.listening.find(({ transport }) => transport === 'UDP' || transport === 'TCP');
  if (media === undefined || door === undefined || !keepsSessions(config)) return undefined;
  const address = here(door.address);
  const spelled = address.includes(':') ? `[${address}]` : address;
  const limits = { ...DEFAULT_MSRP_LIMITS, idleMs: Math.max(media.idleMs, DEFAULT_MSRP_LIMITS.idleMs) };
  const msrp = await MsrpNetwork.listen({ clock, limits, address, ports: [0, 0] });
  const stack = await createSipStack({
    listen: [`${door.transport.toLowerCase()}:${spelled}:0`],
    trusts: (peer) => peer.replace(/^::ffff:/, '') === address,
    timers: { t1: config.timers.t1 },
    clock,
  }).catch(async (error: unknown) => {
    await msrp.close();
    throw error;
  });
  const keeper = new Keeper(Math.min(media.maxMessageBytes, KEPT_BYTES), host);
  const core = `sip:${spelled}:${door.port}${transportParam(door.transport)};lr`;
  const iwf = endpointFor(keeper, { stack, msrp, core, media, log: referenceLog(by.log, config.log.redact), clock });
  keeper.open(iwf);
  return {
    routeSets: [[`<sip:${stack.contact};lr>`]],
    isDelivery: (request) => keeper.isDelivery(request),
    deliver: (id, said) => keeper.deliver(id, said),
    async close() {
      iwf.stop();
      await keeper.close();
      await stack.close();
      await msrp.close();
    },
  };
}

interface Endpoint {
  readonly stack: ListeningSipStack;
  readonly msrp: MsrpNetwork;
  /** The function itself. */
  readonly core: string;
  readonly media: NonNullable<Config['media']>;
  readonly log: ReferenceLog;
  readonly clock: Clock;
}

function endpointFor(service: Keeper, { stack, msrp, core, media, log, clock }: Endpoint): Iwf {
  return new Iwf({
    service,
    stack,
    door: new MsrpDoor(msrp, clock, DEFAULT_MSRP_LIMITS.openMs),
    clock,
    msrpIdentifiers: nodeMsrpIdentifiers(),
    addressOf: (uri) => uri,
    takes: ({ kind }) => kind === 'chat',
    core,
    limits: { sessions: SESSIONS, idleMs: media.idleMs, reconnectMs: media.reconnectMs, ringingMs: RINGING_MS },
    // Nobody is found by what was said before: each session is of its own conversation.
    correspondence: new Correspondence(SESSIONS, 1),
    log,
    tally: new Tally(),
  });
}

/** Where a place on every interface is reached from here. */
function here(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
}
