/** `cpm-engine check-config`: the effective configuration, or every mistake in it with its place. */
import { stringify } from 'yaml';
import { checkedConfig } from '../config/check.ts';
import { diffLines, diffOf, isSame } from '../config/diff.ts';
import { isLoopbackHost } from '../config/host-port.ts';
import { keepsSessions } from '../config/policy.ts';
import type { Config } from '../config/schema.ts';
import { ownGuardsOf } from '../own-guards.ts';
import { isTakenUp } from '../reload.ts';
import { servedBy } from '../subscribers.ts';
import { print } from './output.ts';

export async function checkConfig(file: string, options: { json?: boolean; diff?: string }): Promise<void> {
  const config = checkedConfig(file);
  await ownGuardsOf(config, file);
  if (options.diff !== undefined) printDiff(checkedConfig(options.diff), config, options.json ?? false);
  else print(options.json ? JSON.stringify(config, null, 2) : stringify(config).trimEnd());
  for (const warning of warningsOf(config)) process.stderr.write(`warning: ${warning}\n`);
}

/** What `to` changes, against `from`. */
function printDiff(from: Config, to: Config, json: boolean): void {
  const side = (config: Config) => ({ config, users: servedBy(config).users });
  const diff = diffOf(side(from), side(to));
  if (json) return print(JSON.stringify(diff, null, 2));
  if (isSame(diff)) return print('nothing differs');
  for (const line of diffLines(diff, (key) => (isTakenUp(key) ? '' : ' (needs a restart)'))) print(line);
}

/** What is not wrong and still worth knowing. */
export function warningsOf(config: Config): string[] {
  const warnings: string[] = [];
  if (config.media === undefined && config.policy.mediaPath === 'always') {
    warnings.push('media: not set; there is no MSRP relay, and addresses in session descriptions pass through');
  }
  if (config.sip.core === undefined) warnings.push('sip.core: not set; requests go where their Request-URI leads');
  if (config.registrar.driver === 'regEvent' && config.sip.core === undefined) {
    warnings.push('registrar.driver: regEvent subscribes at sip.core, which is not set');
  }
  warnings.push(...deferringWarnings(config), ...preferencesWarnings(config));
  return warnings;
}

function deferringWarnings(config: Config): string[] {
  const { policy, sessions, registrar } = config;
  if (policy.noClient !== 'defer') return [];
  const warnings: string[] = [];
  if (!keepsSessions(config)) {
    warnings.push('policy.noClient: defer keeps no sessions without media and a udp or tcp address; they get 480');
  }
  if (sessions.driver === 'memory') {
    warnings.push('sessions.driver: memory; messages that were kept with a 202 are lost when the server stops');
  }
  if (registrar.driver === 'none') {
    warnings.push(
      'registrar.driver: none; nobody tells when a client registers, so kept messages are only tried again',
    );
  }
  return warnings;
}

function preferencesWarnings({ preferences, users }: Config): string[] {
  if (preferences.driver !== 'xcap') return [];
  const warnings: string[] = [];
  const { protocol, hostname } = new URL(preferences.root);
  if (protocol === 'http:' && preferences.auth?.type === 'bearer' && !isLoopbackHost(hostname)) {
    warnings.push('preferences.auth: the bearer token goes over the network in clear; expected an https root');
  }
  if (preferences.auth === undefined && preferences.assertedIdentity === 'none') {
    warnings.push('preferences.assertedIdentity: with none and no auth the server can not know who asks');
  }
  if (preferences.maxAgeMs > preferences.staleMs) {
    warnings.push('preferences.staleMs: shorter than maxAgeMs; no document outlives a failure of the server');
  }
  if (users.driver === 'file') {
    warnings.push('preferences.driver: with xcap, preferences and blacklists in users.yaml are not looked at');
  }
  return warnings;
}
