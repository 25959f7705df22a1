/** The policy of an operator who has said nothing (contract, digest 5), and a user of whom nothing is known. */
import type { Policy, Profile } from '../../machines/session/policy.ts';

export const DEFAULT_POLICY: Policy = {
  mediaPath: 'auto',
  allowAnonymity: true,
  anonymityFromHeader: false,
  requiredUserAgent: null,
  interworkOn: {
    orig: [404, 405, 410, 415, 416, 488, 501, 604, 606],
    term: [404, 408, 410, 415, 480, 484, 488, 500, 501, 503, 504, 606],
  },
  proxyInterworkOn6xx: false,
  isfSchemes: 'others',
  noClient: 'interwork',
  allowedMedia: ['message', 'audio', 'video'],
  sdpCheck: 'any',
  maxRedirects: 1,
  partialClose: 'streams',
  rejectedStreams: 'interwork',
  isfAvailable: false,
  secondaryTimeoutMs: 5000,
  defaultAllowOfflineStorage: false,
  preferencesTimeoutMs: 500,
  mediaFailure: 'end',
  reasonText: false,
  recording: true,
  messages: {
    maxBytes: 1300,
    recordNotifications: true,
    deferred: {
      on: [408, 430, 480, 500, 503, 504],
      answerMs: 8000,
      lifetimeMs: 259_200_000,
      retryMs: 60_000,
      longestRetryMs: 3_600_000,
      perUser: 100,
      total: 10_000,
      atOnce: 100,
      notify: true,
    },
  },
  timers: {
    se: 1800,
    minSE: 90,
    refresher: 'peer',
    byeJoinMs: 2000,
    storeBudgetMs: 1500,
    transactionMs: 32_000,
    ringingMs: 181_000,
  },
  compat: { termTimerMetadata: 'both', termFolderIgnoresPreference: false, messageUid: 'sessionInfo' },
};

/** A user who may do everything, has one client that takes chat, and whose conversations are not kept. */
export const DEFAULT_PROFILE: Profile = {
  known: true,
  user: null,
  services: null,
  allowOfflineStorage: false,
  doNotDisturb: false,
  blacklisted: false,
  interworking: null,
  clients: [{ instance: '', services: ['session', 'session.group', 'msg'], media: ['message'] }],
  replacedInstance: null,
};
