/** `cpm-engine check-config`: the effective configuration, or every mistake in it with its place. */
import { stringify } from 'yaml';
import { ConfigError, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { loadUsers } from '../config/users-file.ts';
import { listenAddresses } from '../sip-addresses.ts';
import { trustOf } from '../trust.ts';
import { print } from './output.ts';

export function checkConfig(file: string, options: { json?: boolean }): void {
  const config = checkedConfig(file);
  print(options.json ? JSON.stringify(config, null, 2) : stringify(config).trimEnd());
  for (const warning of warningsOf(config)) process.stderr.write(`warning: ${warning}\n`);
}

/** The configuration with everything checked that needs more than its form. Throws a ConfigError. */
export function checkedConfig(file: string | undefined): Config {
  const config = loadConfig(file);
  const mistakes: { key: string; message: string }[] = [];
  const check = (key: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      mistakes.push({ key, message: (error as Error).message });
    }
  };
  check('sip.trusted', () => trustOf(config.sip.trusted));
  check('sip.listen', () => {
    for (const { port } of listenAddresses(config)) if (port > 65_535) throw new Error(`port ${port} does not exist`);
  });
  if (config.users.driver === 'file') loadUsers(config.users.path);
  if (config.admin.token === undefined && !/^(127\.|\[::1\]|localhost:)/.test(config.admin.listen)) {
    mistakes.push({ key: 'admin.token', message: `needed, since admin.listen ${config.admin.listen} is not loopback` });
  }
  if (config.registrar.driver === 'static' && config.users.driver !== 'file') {
    mistakes.push({
      key: 'registrar.driver',
      message: 'static takes the clients of users.yaml, so users.driver must be file',
    });
  }
  if (mistakes.length > 0) {
    throw new ConfigError(mistakes.map((mistake) => ({ file: file ?? 'defaults', line: undefined, ...mistake })));
  }
  return config;
}

/** What is not wrong and still worth knowing. */
export function warningsOf(config: Config): string[] {
  const warnings: string[] = [];
  if (config.media !== undefined) {
    warnings.push('media: there is no MSRP relay in this version; addresses in session descriptions pass through');
  }
  if (config.sip.core === undefined) warnings.push('sip.core: not set; requests go where their Request-URI leads');
  return warnings;
}
