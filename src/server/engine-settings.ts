/** What the engine takes straight from the configuration. */
import type { CreateEngineOptions } from '../index.ts';
import type { Config } from './config/schema.ts';
import { isfRoutes } from './isf-routes.ts';

export function engineSettings(config: Config) {
  const { sip, recording } = config;
  return {
    products: sip.productTokens,
    ...(sip.warningAgent === undefined ? {} : { warningAgent: sip.warningAgent }),
    ...(sip.core === undefined ? {} : { core: sip.core }),
    isf: isfRoutes(config.isf.routes, Math.random),
    rules: { metadata: recording.metadata, keepOldGroupState: recording.keepOldGroupState },
    retry: recording.retry,
    groupState: recording.groupState,
    conferenceEvents: recording.conferenceEvents === 'passing',
    ...(config.history.driver !== 'none' ? { folderName: config.history.folderName } : {}),
    otherServices: config.policy.otherServices,
  } satisfies Partial<CreateEngineOptions>;
}
