/** `cpm-engine serve`: runs the server until it is told to stop. */

import type { OwnGuards } from '../../../machines/session/own-guards.ts';
import { adminServer } from '../admin/http.ts';
import { checkedConfig } from '../config/check.ts';
import { hostAndPort } from '../config/host-port.ts';
import type { Config } from '../config/schema.ts';
import { readSecret } from '../config/secrets.ts';
import { createLog, type Logger } from '../log.ts';
import { ownGuardsOf } from '../own-guards.ts';
import { needsRestart } from '../reload.ts';
import { tuneRuntime } from '../runtime.ts';
import { type Server, startServer } from '../server.ts';
import { warmUp } from '../warm-up.ts';
import { warningsOf } from './check-config.ts';
import { CommandFailed, print } from './output.ts';
import { stopAsked } from './stop-asked.ts';

export async function serve(options: { config?: string }): Promise<void> {
  const config = checkedConfig(options.config);
  const log = createLog(config.log);
  for (const warning of warningsOf(config)) log.warn(warning);
  tuneRuntime();
  if (config.warmUp)
    await warmUp(config).catch((error: Error) =>
      log.warn({ error: error.message }, 'no warm-up: the first calls will be slow'),
    );
  const running = await start(config, log, await ownGuardsOf(config, options.config));
  reloadOnHangup(options.config, running.server, log);
  // Whoever reads the ready line may send a signal at once.
  const stopped = stopOnSignal(running, log);
  print(`ready sip=${running.server.listening.join(',')} admin=${running.admin}`);
  await stopped;
}

interface Running {
  readonly server: Server;
  /** `http://127.0.0.1:8080` */
  readonly admin: string;
  close(): Promise<void>;
}

/** Starts SIP and admin side. Throws, with what to do, where an address can't be had. */
export async function start(config: Config, log: Logger, guards?: OwnGuards): Promise<Running> {
  const server = await startServer(config, log, guards).catch((error: Error) => {
    throw new CommandFailed(error.message);
  });
  const { token, listen, origins } = config.admin;
  const app = adminServer(server, {
    token: token === undefined ? undefined : readSecret(token),
    redact: config.log.redact,
    origins,
  });
  try {
    await app.listen(hostAndPort(listen));
  } catch (error) {
    // Whatever was taken up waits for the next start: nobody asked for it to end.
    await server.stop('keep');
    throw new CommandFailed(
      `admin.listen ${listen}: ${(error as Error).message}; choose another, port 0 takes a free one`,
    );
  }
  const address = app.server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    server,
    admin: `http://${listen.replace(/\d+$/, String(port))}`,
    async close() {
      await server.stop();
      await app.close();
    },
  };
}

/** SIGHUP: policy and users anew; live sessions keep the policy they began with. A mistake changes nothing. */
function reloadOnHangup(file: string | undefined, server: Server, log: Logger): void {
  process.on('SIGHUP', () => {
    try {
      const config = checkedConfig(file);
      const { changes } = server.reload(config);
      log.info({ changes }, 'configuration read again: policy and users are in force for new sessions');
      const waiting = needsRestart(server.config, config);
      if (waiting.length > 0) log.warn({ keys: waiting }, 'these have changed too, and need a restart');
    } catch (error) {
      server.reloads.refused(error as Error);
      log.error({ error: (error as Error).message }, 'configuration not read again; the old one stays in force');
    }
  });
}

async function stopOnSignal(running: Running, log: Logger): Promise<void> {
  await stopAsked(() => {
    log.info({ sessions: running.server.cpm.engine.sessions.size }, 'stopping: new sessions get 503');
  });
  await running.close();
  log.info('stopped');
}
