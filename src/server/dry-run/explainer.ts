/** The engine of a configuration without its server: it explains, and does nothing else. */
import type { OwnGuards } from '../../../machines/session/own-guards.ts';
import type { Engine } from '../../engine/engine.ts';
import { createEngine } from '../../index.ts';
import { profiles } from '../../policy/profiles.ts';
import type { Clock } from '../../time/clock.ts';
import { contactKeyIn } from '../config/check.ts';
import type { Config } from '../config/schema.ts';
import { engineSettings } from '../engine-settings.ts';
import { policiesOf } from '../policies.ts';
import { ANY_CLIENT, servedBy, subscribers } from '../subscribers.ts';

/** Whether the users have registered, where that is not in the files. */
export type Registered = 'yes' | 'no' | 'unknown';

/** Throws a ConfigError where the users can't be read. */
export function explainer(config: Config, registered: Registered, guards: OwnGuards | undefined): Engine {
  const served = servedBy(config);
  const clients = { yes: ANY_CLIENT, no: [], unknown: 'unknown' } as const;
  const host = config.sip.advertise ?? config.domain;
  const { engine } = createEngine({
    ...engineSettings(config),
    policy: policiesOf(config, served),
    ...(guards === undefined ? {} : { guards }),
    ...(config.sip.contactKey === undefined ? {} : { contactKey: contactKeyIn(config.sip.contactKey) }),
    sip: { onEvent: () => {}, execute: () => {} },
    clock: stillClock,
    contact: host,
    // Preferences that are kept elsewhere are not asked for: the dry run needs no server.
    profiles: profiles({
      ...subscribers(config, served, { clientsOf: () => clients[registered] }),
      instanceOf: () => null,
    }),
  });
  return engine;
}

const stillClock: Clock = {
  now: () => 0,
  schedule: (_delayMs, _owner, name) => ({ name, dueAt: Number.POSITIVE_INFINITY, cancel: () => {} }),
};
