/** `cpm-engine isf`: runs the reference ISF with its IWFs until it is told to stop. */
import { stringify } from 'yaml';
import { startReference } from '../../isf/reference/start.ts';
import { isfAdmin } from '../admin/isf.ts';
import { hostAndPort } from '../config/host-port.ts';
import type { IsfConfig } from '../config/isf.ts';
import { checkedIsfConfig, isfWarningsOf } from '../config/isf-check.ts';
import { referenceOptions } from '../isf.ts';
import { createLog, type Logger, referenceLog } from '../log.ts';
import { CommandFailed, print } from './output.ts';
import { stopAsked } from './stop-asked.ts';

export async function isf(options: { config?: string; check?: boolean }): Promise<void> {
  const config = checkedIsfConfig(options.config);
  if (options.check) return print(stringify(config).trimEnd());
  const log = createLog(config.log);
  for (const warning of isfWarningsOf(config)) log.warn(warning);
  const running = await start(config, log);
  // Whoever reads the ready line may send a signal at once.
  const asked = stopAsked(() => log.info('stopping: new sessions get 503'));
  print(`ready ${running.addresses.map(([name, address]) => `${name}=${address}`).join(' ')}`);
  await asked;
  await running.close();
  log.info('stopped');
}

interface Running {
  readonly addresses: readonly (readonly [string, string])[];
  close(): Promise<void>;
}

async function start(config: IsfConfig, log: Logger): Promise<Running> {
  const { listen } = config.admin;
  const options = referenceOptions(config, referenceLog(log, config.log.redact));
  const reference = await startReference(options).catch((error: Error) => {
    throw new CommandFailed(error.message);
  });
  const app = isfAdmin(reference);
  const admin = await app.listen(hostAndPort(listen)).catch(async (error: Error) => {
    await reference.close(0);
    throw new CommandFailed(`admin.listen ${listen}: ${error.message}; choose another, port 0 takes a free one`);
  });
  return {
    addresses: [['isf', reference.listening.join(',')], ...Object.entries(reference.addresses), ['admin', admin]],
    async close() {
      await reference.close(config.shutdown.graceMs);
      await app.close();
    },
  };
}
