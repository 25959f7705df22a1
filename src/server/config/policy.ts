/** The policy the guards ask, out of the configuration. */
import type { Policy } from '../../../machines/session/policy.ts';
import type { Config } from './schema.ts';

export function policyOf(config: Config): Policy {
  const { policy, isf, timers, compat, history, preferences, media } = config;
  return {
    mediaPath: policy.mediaPath,
    allowAnonymity: policy.allowAnonymity,
    anonymityFromHeader: policy.anonymityFromHeader,
    requiredUserAgent: policy.requiredUserAgent ?? null,
    interworkOn: policy.interworkOn,
    proxyInterworkOn6xx: policy.proxyInterworkOn6xx,
    isfSchemes: policy.isfSchemes,
    noClient: policy.noClient,
    allowedMedia: policy.allowedMedia,
    sdpCheck: policy.sdpCheck,
    maxRedirects: policy.maxRedirects,
    partialClose: policy.partialClose,
    rejectedStreams: isf.secondary.enabled ? policy.rejectedStreams : 'accept',
    isfAvailable: isf.routes.length > 0,
    secondaryTimeoutMs: isf.secondary.timeoutMs,
    defaultAllowOfflineStorage: policy.defaultAllowOfflineStorage,
    preferencesTimeoutMs: preferences.timeoutMs,
    mediaFailure: media?.onFailure ?? 'end',
    reasonText: policy.reasonText,
    recording: history.driver !== 'none',
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
