#!/usr/bin/env node
/** The command line (contract): exit 0 done, 1 failed, 2 bad usage or configuration. */
import { Command, CommanderError } from 'commander';
import { checkConfig } from './commands/check-config.ts';
import { conformance } from './commands/conformance.ts';
import { explainPolicy } from './commands/explain.ts';
import { listHistory, showHistory } from './commands/history.ts';
import { CommandFailed, UsageError } from './commands/output.ts';
import { serve } from './commands/serve.ts';
import { endSession, listSessions, showSession } from './commands/sessions.ts';
import { visualize } from './commands/visualize.ts';
import { ConfigError } from './config/load.ts';
import { version } from './version.ts';

const DEFAULT_ADMIN = 'http://127.0.0.1:8080';

function program(): Command {
  const cpm = new Command('cpm-engine')
    .description('The CPM Participating Function: OMA CPM sessions as explicit state machines')
    .version(version())
    .exitOverride()
    .showHelpAfterError();

  cpm
    .command('serve')
    .description('run the server')
    .option('-c, --config <file>', 'configuration file (YAML); without one, defaults and a store under ./data')
    .action(serve);

  cpm
    .command('demo')
    .description('a whole recorded session between two real clients, on loopback')
    .option(
      '--serve [when]',
      'leave the server running afterwards: always, never, or auto (where a terminal is attached)',
      'never',
    )
    .action(async (options: { serve: string | true }) => {
      const { demo } = await import('./commands/demo.ts');
      await demo({ serve: options.serve === true ? 'always' : options.serve });
    });

  cpm
    .command('check-config <file>')
    .description('print the effective configuration, or what is wrong with it')
    .option('--json', 'print JSON')
    .action(checkConfig);

  cpm
    .command('visualize')
    .description('write visualizations/: conformance matrix, configuration schema')
    .option('--check', 'write nothing; exit 1 where the committed files differ')
    .action(visualize);

  cpm
    .command('conformance')
    .description('print the matrix of the 183 clauses: where each is built, which tests prove it')
    .option('--json', 'print JSON')
    .option('--open', 'only clauses that are not proven')
    .action(conformance);

  adminCommands(cpm);
  return cpm;
}

function adminCommands(cpm: Command): void {
  const onServer = (command: Command): Command =>
    command
      .option('--admin <url>', 'admin address of the server', DEFAULT_ADMIN)
      .option('--token <secret>', 'bearer token, as env:NAME or file:PATH')
      .option('--json', 'print JSON');

  const sessions = cpm.command('sessions').description('sessions of a running server');
  onServer(sessions.command('list', { isDefault: true }).description('list them'))
    .option('--state <prefix>', 'only those in this state, such as b2buaEstablished')
    .option('--user <text>', 'only those of this served user')
    .option('--limit <n>', 'at most so many', '100')
    .action(listSessions);
  onServer(sessions.command('show <id>').description('one session and its ladder')).action(showSession);
  onServer(sessions.command('end <id>').description('end one, on every leg')).action(endSession);

  const history = cpm.command('history').description('what a running server has recorded');
  onServer(history.command('list <user>').description('folders of a user')).action(listHistory);
  onServer(history.command('show <user> <folder>').description('objects in a folder')).action(showHistory);

  const policy = cpm.command('policy').description('the policy of a running server');
  onServer(
    policy.command('explain <file>').description('what an INVITE in FILE (- for standard input) would get, and why'),
  ).action(explainPolicy);
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${error instanceof ConfigError ? '' : 'cpm-engine: '}${(error as Error).message}\n`);
    return error instanceof ConfigError || error instanceof UsageError ? 2 : error instanceof CommandFailed ? 1 : 1;
  }
}

process.exitCode = await main(process.argv);
