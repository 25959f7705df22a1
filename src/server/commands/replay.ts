/** `cpm-engine policy replay`: which recorded INVITEs get another verdict under another policy. */

import { checkedConfig } from '../config/check.ts';
import { changeText } from '../config/diff.ts';
import type { Config } from '../config/schema.ts';
import { explainer, type Registered } from '../dry-run/explainer.ts';
import { type Recording, recordedIn } from '../dry-run/recorded.ts';
import { replayed } from '../dry-run/replay.ts';
import type { Comparison, Verdict } from '../dry-run/verdict.ts';
import { ownGuardsOf } from '../own-guards.ts';
import { type AdminOptions, ask } from './admin-client.ts';
import { CommandFailed, print, UsageError } from './output.ts';

export interface ReplayCommand extends AdminOptions {
  readonly against: string;
  readonly config?: string;
  readonly fromAdmin?: boolean;
  readonly at?: string;
  readonly registered: string;
  readonly failOnChange?: boolean;
  readonly json?: boolean;
}

export interface Replay {
  readonly comparisons: readonly Comparison[];
  readonly unread: Recording['unread'];
}

export async function replayPolicy(files: readonly string[], options: ReplayCommand): Promise<void> {
  const next = checkedConfig(options.against);
  const replay = options.fromAdmin ? await onServer(files, next, options) : await onFiles(files, next, options);
  if (options.json) print(JSON.stringify(replay, null, 2));
  else printReplay(replay);
  const changed = replay.comparisons.filter((one) => one.changed).length;
  if (options.failOnChange && changed > 0) throw new CommandFailed(`verdicts changed: ${changed}`);
}

/** The server knows its users and registrations, and has the traced sessions: it compares, and nothing leaves it. */
async function onServer(files: readonly string[], next: Config, options: ReplayCommand): Promise<Replay> {
  if (files.length > 0) throw new UsageError('--from-admin takes the traced sessions of a server, and no files');
  if (options.config !== undefined) throw new UsageError('--from-admin compares with what the server has in force');
  return ask<Replay>(options, 'POST', '/api/policy/replay', JSON.stringify({ config: next }), 'application/json');
}

async function onFiles(files: readonly string[], next: Config, options: ReplayCommand): Promise<Replay> {
  if (files.length === 0) throw new UsageError('expected files or folders with INVITEs, or --from-admin');
  const { registered } = options;
  if (!['yes', 'no', 'unknown'].includes(registered)) {
    throw new UsageError(`--registered ${registered}: expected yes, no or unknown`);
  }
  const at = options.at === undefined ? Date.now() : Date.parse(options.at);
  if (Number.isNaN(at)) throw new UsageError(`--at ${options.at}: expected a time such as 2026-12-24T18:00:00+01:00`);
  const before = checkedConfig(options.config);
  const engineOf = async (config: Config, file: string | undefined) => ({
    engine: explainer(config, registered as Registered, await ownGuardsOf(config, file)),
  });
  const { invites, unread } = recordingIn(files);
  const sides = [await engineOf(before, options.config), await engineOf(next, options.against)] as const;
  return { comparisons: await replayed(invites, ...sides, { at }), unread };
}

function recordingIn(files: readonly string[]): Recording {
  try {
    return recordedIn(files);
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    throw new CommandFailed(code === 'ENOENT' ? `${path}: no such file` : message);
  }
}

function printReplay({ comparisons, unread }: Replay): void {
  const changed = comparisons.filter((one) => one.changed);
  for (const { name, before, after, policy } of changed) {
    print(`${name}: ${verdictText(before)} → ${verdictText(after)}`);
    for (const change of policy) print(`    ${changeText(change)}`);
  }
  const differing = comparisons.filter((one) => !one.changed && one.later.length > 0);
  for (const { name, after, later } of differing) {
    print(`${name}: still ${verdictText(after)}; later in the session may differ: ${later.join(', ')}`);
  }
  for (const { name, why } of unread) process.stderr.write(`${name}: ${why}\n`);
  print(`INVITEs ${comparisons.length}, verdicts changed ${changed.length}, may differ later ${differing.length}`);
}

function verdictText({ mode, outcome, without, recorded, rules }: Verdict): string {
  const words = [
    outcome,
    ...(mode === null || !outcome.startsWith('invites') ? [] : [mode === 'proxy' ? 'as proxy' : 'as B2BUA']),
    ...(without.length === 0 ? [] : [`without m-lines ${without.map((place) => place + 1).join(' ')}`]),
    ...(recorded ? ['recorded'] : []),
  ].join(', ');
  return rules.length === 0 ? words : `${words} (${rules.join(', ')})`;
}
