/** The MSRP relay that the configuration asks for, on its sockets. */
import { readFileSync } from 'node:fs';
import { nodeMsrpIdentifiers, sessionIds } from '../host/node-msrp-identifiers.ts';
import { DEFAULT_MSRP_LIMITS, type MsrpLimits } from '../msrp/limits.ts';
import type { Observe } from '../msrp/relay/observer.ts';
import { MsrpRelay } from '../msrp/relay/relay.ts';
import { MsrpNetwork, type PortRange } from '../msrp/transport/network.ts';
import type { Clock } from '../time/clock.ts';
import type { Config } from './config/schema.ts';

/** Undefined where no relay is configured. Throws where no port is to be had, or a file. */
export async function mediaNetwork(config: Config, clock: Clock): Promise<MsrpNetwork | undefined> {
  const { media } = config;
  if (media === undefined) return undefined;
  const { listen: address, advertise, ports, tls } = media;
  return MsrpNetwork.listen({
    clock,
    limits: limitsOf(media),
    address,
    ...(advertise === undefined ? {} : { advertise }),
    ports: portRangeOf(ports),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ports: portRangeOf(tls.ports),
            cert: readFileSync(tls.cert, 'utf8'),
            key: readFileSync(tls.key, 'utf8'),
            ...(tls.ca === undefined ? {} : { ca: readFileSync(tls.ca, 'utf8') }),
          },
        }),
  });
}

/** `failed` hears of each leg whose connection was lost and is not back in time; `observe` of what passes. */
export function mediaRelay(
  config: Config,
  clock: Clock,
  network: MsrpNetwork,
  key: string,
  failed: (session: string, leg: string) => void,
  observe: Observe | undefined,
): MsrpRelay {
  const limits = config.media === undefined ? DEFAULT_MSRP_LIMITS : limitsOf(config.media);
  const identifiers = nodeMsrpIdentifiers();
  const relay = new MsrpRelay({
    clock,
    limits,
    identifiers,
    network,
    sessionIdOf: sessionIds(key),
    failed,
    ...(observe === undefined ? {} : { observe }),
  });
  network.counters = relay.counters;
  return relay;
}

/** The section's limits as the relay takes them. */
export function limitsOf(media: NonNullable<Config['media']>): MsrpLimits {
  return {
    ...DEFAULT_MSRP_LIMITS,
    messageBytes: media.maxMessageBytes,
    headBytes: media.maxHeadBytes,
    connections: media.maxConnections,
    pending: media.maxPending,
    openMs: media.openMs,
    reconnectMs: media.reconnectMs,
    responseMs: media.responseMs,
    stallMs: media.stallMs,
    idleMs: media.idleMs,
  };
}

export function portRangeOf(text: string): PortRange {
  const [first = 0, last = first] = text.split('-').map(Number);
  return [first, last];
}
