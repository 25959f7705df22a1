/** `cpm-engine check-config`: the effective configuration, or every mistake in it with its place. */
import { stringify } from 'yaml';
import { checkedConfig } from '../config/check.ts';
import type { Config } from '../config/schema.ts';
import { print } from './output.ts';

export function checkConfig(file: string, options: { json?: boolean }): void {
  const config = checkedConfig(file);
  print(options.json ? JSON.stringify(config, null, 2) : stringify(config).trimEnd());
  for (const warning of warningsOf(config)) process.stderr.write(`warning: ${warning}\n`);
}

/** What is not wrong and still worth knowing. */
export function warningsOf(config: Config): string[] {
  const warnings: string[] = [];
  if (config.media === undefined && config.policy.mediaPath === 'always') {
    warnings.push('media: not set; there is no MSRP relay, and addresses in session descriptions pass through');
  }
  if (config.sip.core === undefined) warnings.push('sip.core: not set; requests go where their Request-URI leads');
  return warnings;
}
