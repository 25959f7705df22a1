/** `policy.guards`: a module of the operator's own, beside the configuration file, whose guards the engine asks. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isPolicyGuard, type OwnGuards, POLICY_GUARDS } from '../../machines/session/own-guards.ts';
import { loadConfig } from './config/load.ts';
import { ConfigError, type Mistake } from './config/mistake.ts';
import { nearest } from './config/nearest.ts';
import type { Config } from './config/schema.ts';

/**
 * What the module gives: its `guards`, else its default export. Undefined where none is configured. Throws a
 * {@link ConfigError} with the place of the key.
 *
 * @param file the configuration file, beside which a relative path is looked for
 */
export async function ownGuardsOf({ policy }: Config, file: string | undefined): Promise<OwnGuards | undefined> {
  if (policy.guards === undefined) return undefined;
  const path = resolve(file === undefined ? '.' : dirname(file), policy.guards);
  const mistakes = (messages: readonly string[]): ConfigError => {
    const line = loadConfig(file).lineOf(['policy', 'guards']);
    return new ConfigError(
      messages.map((message): Mistake => ({ file: file ?? 'defaults', line, key: 'policy.guards', message })),
    );
  };
  if (!existsSync(path)) throw mistakes([`${path}: no such file`]);
  let module: { readonly guards?: unknown; readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    throw mistakes([`${path} can not be loaded: ${(error as Error).message}`]);
  }
  const guards = module.guards ?? module.default;
  const wrong = mistakesIn(guards);
  if (wrong.length > 0) throw mistakes(wrong.map((message) => `${path}: ${message}`));
  return guards as OwnGuards;
}

function mistakesIn(guards: unknown): string[] {
  if (typeof guards !== 'object' || guards === null) {
    return ['expected an export named guards, or a default one, with guards by name'];
  }
  return Object.entries(guards).flatMap(([name, guard]) => {
    if (!isPolicyGuard(name)) {
      const known = nearest(name, POLICY_GUARDS);
      return [`${name}: no such question of policy${known === undefined ? '' : `; did you mean ${known}?`}`];
    }
    return typeof guard === 'function' ? [] : [`${name}: expected a function, found ${typeof guard}`];
  });
}
