#!/usr/bin/env -S node --min-semi-space-size=16 --max-semi-space-size=16 --initial-old-space-size=256 --short-builtin-calls
/**
 * The command line (contract): exit 0 done, 1 failed, 2 bad usage or configuration. What a command needs is loaded when
 * it runs, so that a look at the sessions does not wait for a SIP stack.
 *
 * The first line gives V8 a young generation of its full size at once, and an old one that is first collected at 256 MB:
 * each of the collections on the way there takes a few milliseconds from a call, and both cores for 50 ms. It also has V8's
 * builtins copied to where compiled code can call them by a short jump (docs/benchmarks.md).
 */
import { Command, CommanderError } from 'commander';
import { UsageError } from './commands/output.ts';
import { ConfigError } from './config/mistake.ts';
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
    .action(async (options) => (await import('./commands/serve.ts')).serve(options));

  cpm
    .command('demo')
    .description('a whole recorded session between two real clients, on loopback')
    .option(
      '--serve [when]',
      'leave a server running afterwards: yes, no, or auto (where a terminal is attached)',
      'no',
    )
    .option('-c, --config <file>', 'configuration of that server; without one, defaults')
    .option('--json', 'print JSON')
    .action(async (options: { serve: string | true; config?: string; json?: boolean }) => {
      const { demo } = await import('./commands/demo.ts');
      await demo({ ...options, serve: options.serve === true ? 'yes' : options.serve, json: options.json ?? false });
    });

  cpm
    .command('check-config <file>')
    .description('print the effective configuration, or what is wrong with it')
    .option('--diff <other>', 'print what is different in it from this other file')
    .option('--json', 'print JSON')
    .action(async (what, options) => (await import('./commands/check-config.ts')).checkConfig(what, options));

  const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  cpm
    .command('ladder <file>')
    .description('sessions out of a capture (pcap, pcapng; - for standard input) or an exported session')
    .option('--call <id>', 'only sessions with this in a Call-ID, in the Contribution-ID or in their id')
    .option('--node <address:port>', 'where a Participating Function listens; else they are found', several)
    .option('--isf <address:port>', 'behind which IWFs are reached, so that invariant 11 can be judged', several)
    .option('--svg <file>', 'draw it, with everybody who takes part')
    .option('--export <file>', 'write the one session as a file that the page opens')
    .option('--no-redact', 'leave numbers, subjects and bodies in that file')
    .option('--check', 'exit 1 where an invariant is broken')
    .option('--json', 'print JSON')
    .action(async (what, options) => (await import('./commands/ladder.ts')).ladder(what, options));

  cpm
    .command('isf')
    .description('run the reference ISF with its SMS (SMPP) and e-mail (SMTP) interworking functions')
    .option('-c, --config <file>', 'configuration file (YAML); without one, defaults for this machine')
    .option('--check', 'print the effective configuration, or what is wrong with it, and run nothing')
    .action(async (options) => (await import('./commands/isf.ts')).isf(options));

  cpm
    .command('visualize')
    .description('write visualizations/: pictures, conformance matrix, configuration schema')
    .option('--check', 'write nothing; exit 1 where the committed files differ')
    .action(async (options) => (await import('./commands/visualize.ts')).visualize(options));

  cpm
    .command('conformance')
    .description('print the matrix of the 183 clauses: where each is built, which tests prove it')
    .option('--json', 'print JSON')
    .option('--open', 'only clauses that are not proven')
    .action(async (options) => (await import('./commands/conformance.ts')).conformance(options));

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
    .action(async (options) => (await import('./commands/sessions.ts')).listSessions(options));
  onServer(sessions.command('show <id>').description('one session and its ladder')).action(async (what, options) =>
    (await import('./commands/sessions.ts')).showSession(what, options),
  );
  onServer(sessions.command('export <id>').description('write one as a file that the page and ladder open'))
    .requiredOption('--to <file>', 'where it goes; - for standard output')
    .action(async (what, options) => (await import('./commands/sessions.ts')).exportSession(what, options));
  onServer(sessions.command('end <id>').description('end one, on every leg')).action(async (what, options) =>
    (await import('./commands/sessions.ts')).endSession(what, options),
  );

  const deferred = cpm.command('deferred').description('messages a running server keeps for users who are not there');
  onServer(deferred.command('list', { isDefault: true }).description('list them, the oldest of each user first'))
    .option('--user <text>', 'only those for this user')
    .option('--limit <n>', 'at most so many', '100')
    .action(async (options) => (await import('./commands/deferred.ts')).listDeferred(options));
  onServer(deferred.command('drop <id>').description('remove one; its sender hears of it if it asked to')).action(
    async (what, options) => (await import('./commands/deferred.ts')).dropDeferred(what, options),
  );

  const history = cpm.command('history').description('what a running server has recorded');
  onServer(history.command('list <user>').description('folders of a user')).action(async (what, options) =>
    (await import('./commands/history.ts')).listHistory(what, options),
  );
  onServer(history.command('show <user> <folder>').description('objects in a folder')).action(
    async (what, where, options) => (await import('./commands/history.ts')).showHistory(what, where, options),
  );
  onServer(history.command('export <user> <folder>').description('take a folder away as .eml files, and as one page'))
    .requiredOption('--to <dir>', 'where the files go, one for each object')
    .option('--html <file>', 'the whole conversation as one page')
    .action(async (what, where, options) =>
      (await import('./commands/history.ts')).exportHistory(what, where, options),
    );

  const policy = cpm.command('policy').description('the policy of a running server');
  onServer(
    policy
      .command('explain <file>')
      .description('what an INVITE or MESSAGE in FILE (- for standard input) would get, and why'),
  ).action(async (what, options) => (await import('./commands/explain.ts')).explainPolicy(what, options));
  replayCommand(onServer(policy.command('replay [files...]')));
}

function replayCommand(command: Command): void {
  command
    .description('recorded INVITEs under another policy: whose verdict changes. FILES are .sip files, traces, folders')
    .requiredOption('--against <file>', 'configuration with the policy that is tried')
    .option('-c, --config <file>', 'configuration it is compared with; without one, defaults')
    .option(
      '--from-admin',
      'the INVITEs of the traced sessions of a running server, compared with what it has in force',
    )
    .option('--at <time>', 'when the INVITEs came, where they do not say; now, where it is not given')
    .option('--registered <which>', 'whether users have registered, where users.yaml does not say: yes, no', 'unknown')
    .option('--fail-on-change', 'exit 1 where a verdict changes')
    .action(async (files, options) => (await import('./commands/replay.ts')).replayPolicy(files, options));
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${error instanceof ConfigError ? '' : 'cpm-engine: '}${(error as Error).message}\n`);
    return error instanceof ConfigError || error instanceof UsageError ? 2 : 1;
  }
}

// Whoever reads has seen enough, as in `cpm-engine demo | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await main(process.argv);
