/** Preferences by the driver the configuration names. */
import { randomBytes } from 'node:crypto';
import type { CredentialsOptions } from '../preferences/xcap/credentials.ts';
import { XcapPreferences } from '../preferences/xcap/xcap.ts';
import type { Clock } from '../time/clock.ts';
import type { XcapConfig } from './config/preferences.ts';
import type { Config } from './config/schema.ts';
import { readSecret } from './config/secrets.ts';
import type { Logger } from './log.ts';
import type { Served } from './subscribers.ts';

/** Undefined where they stand beside the users. Throws where a secret can not be had. */
export function preferencesBy(config: Config, served: Served, clock: Clock, log: Logger): XcapPreferences | undefined {
  const { preferences } = config;
  if (preferences.driver !== 'xcap') return undefined;
  return new XcapPreferences({
    ...preferences,
    clock,
    cnonce: () => randomBytes(12).toString('hex'),
    credentials: credentialsOf(preferences.auth),
    defaults: () => served,
    onFailing(error) {
      if (error === null) log.info('preferences can be had again');
      else log.warn({ error }, 'preferences can not be had: what was known last, or the default, counts');
    },
  });
}

export function credentialsOf(auth: XcapConfig['auth']): CredentialsOptions | undefined {
  if (auth === undefined) return undefined;
  return auth.type === 'digest'
    ? { type: 'digest', username: auth.username, password: readSecret(auth.password) }
    : { type: 'bearer', token: readSecret(auth.token) };
}
