/** The policy the guards ask, out of the configuration. */
import type { DeferredPolicy, Policy } from '../../../machines/session/policy.ts';
import type { Config } from './schema.ts';

/** The driver keeps the deadline itself, and then knows better than the session what was known last. */
const DRIVER_ANSWERS_FIRST_MS = 100;

export function policyOf(config: Config): Policy {
  const { policy, isf, timers, compat, history, preferences, media, recording } = config;
  return {
    mediaPath: policy.mediaPath,
    allowAnonymity: policy.allowAnonymity,
    anonymityFromHeader: policy.anonymityFromHeader,
    requiredUserAgent: policy.requiredUserAgent ?? null,
    interworkOn: policy.interworkOn,
    proxyInterworkOn6xx: policy.proxyInterworkOn6xx,
    isfSchemes: policy.isfSchemes,
    noClient: policy.noClient,
    keepsSessions: keepsSessions(config),
    allowedMedia: policy.allowedMedia,
    sdpCheck: policy.sdpCheck,
    maxRedirects: policy.maxRedirects,
    partialClose: policy.partialClose,
    rejectedStreams: isf.secondary.enabled ? policy.rejectedStreams : 'accept',
    isfAvailable: isf.routes.length > 0,
    secondaryTimeoutMs: isf.secondary.timeoutMs,
    defaultAllowOfflineStorage: policy.defaultAllowOfflineStorage,
    mediaFailure: media?.onFailure ?? 'end',
    preferencesTimeoutMs: preferences.timeoutMs + (preferences.driver === 'xcap' ? DRIVER_ANSWERS_FIRST_MS : 0),
    reasonText: policy.reasonText,
    recording: history.driver !== 'none',
    messages: {
      maxBytes: policy.messages.maxBytes,
      recordNotifications: recording.notifications,
      deferred: deferredOf(policy.deferred),
    },
    timers: {
      se: timers.se,
      minSE: timers.minSE,
      refresher: timers.refresher,
      byeJoinMs: timers.byeJoinMs,
      storeBudgetMs: timers.storeBudgetMs,
      transactionMs: 64 * timers.t1,
      ringingMs: timers.timerC,
    },
    compat: {
      termTimerMetadata: compat.termTimerMetadata,
      termFolderIgnoresPreference: compat.termFolderIgnoresPreference,
      messageUid: compat.messageUid,
    },
  };
}

/** Sessions are taken where media pass here, over transports that need no certificate of the function's own. */
export function keepsSessions({ media, sip }: Config): boolean {
  return media !== undefined && sip.listen.some((address) => /^(udp|tcp):/i.test(address));
}

function deferredOf({ lifetimeSeconds, retry, ...as }: Config['policy']['deferred']): DeferredPolicy {
  return { ...as, lifetimeMs: lifetimeSeconds * 1000, retryMs: retry.firstMs, longestRetryMs: retry.longestMs };
}
