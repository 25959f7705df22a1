/** Reading configuration files: every mistake comes back with its file, line and key, and what was expected there. */
import { readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { type Config, configSchema } from './schema.ts';

export interface Mistake {
  readonly file: string;
  /** From 1; undefined where the whole file is meant. */
  readonly line: number | undefined;
  /** Path of the key, `policy.mediaPath`; empty for the file as a whole. */
  readonly key: string;
  readonly message: string;
}

export class ConfigError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(mistakeLine).join('\n'));
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

/** `pf.yaml:12: policy.mediaPath: expected one of …` */
export function mistakeLine({ file, line, key, message }: Mistake): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${key === '' ? '' : `${key}: `}${message}`;
}

/** Values the contract promises and this version does not have yet. */
const NOT_YET: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'history.driver': { imap: 'sqlite' },
  'preferences.driver': { xcap: 'file' },
  'sessions.driver': { redis: 'sqlite' },
};

/** The effective configuration of a file; without a file, the defaults. Throws a {@link ConfigError}. */
export function loadConfig(file: string | undefined): Config {
  return file === undefined ? configSchema.parse({}) : readYaml(file, configSchema);
}

/** A YAML file by a schema. Throws a {@link ConfigError} with every mistake in it. */
export function readYaml<T extends z.ZodType>(file: string, schema: T): z.output<T> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new ConfigError([{ file, line: undefined, key: '', message: reason }]);
  }
  return parseYaml(file, text, schema);
}

/** As {@link readYaml}, for text that was read already. `file` is only for messages. */
export function parseYaml<T extends z.ZodType>(file: string, text: string, schema: T): z.output<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors.map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    key: '',
    message: error.message.split('\n')[0] ?? 'not YAML',
  }));
  if (broken.length > 0) throw new ConfigError(broken);
  const value = document.toJS({ maxAliasCount: 50 }) as unknown;
  const lineOf = (path: readonly PropertyKey[]): number | undefined => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return undefined;
  };
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.flatMap((issue) => mistakesOf(issue, file, schema, lineOf)));
}

function mistakesOf(
  issue: z.core.$ZodIssue,
  file: string,
  schema: z.ZodType,
  lineOf: (path: readonly PropertyKey[]) => number | undefined,
): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((unknown) => {
      const known = nearest(unknown, keysAt(schema, issue.path));
      const message = known === undefined ? 'unknown key' : `unknown key; did you mean ${known}?`;
      const path = [...issue.path, unknown];
      return { file, line: lineOf(path), key: path.join('.'), message };
    });
  }
  const key = issue.path.join('.');
  return [{ file, line: lineOf(issue.path), key, message: notYet(key, issue) ?? issue.message }];
}

/** A driver that is promised and not there yet says so, instead of looking like a slip of the pen. */
function notYet(key: string, issue: z.core.$ZodIssue): string | undefined {
  const promised = NOT_YET[key];
  if (promised === undefined || (issue.code !== 'invalid_union' && issue.code !== 'invalid_value')) return undefined;
  const names = Object.entries(promised).map(([name, instead]) => `${name} is not in this version, use ${instead}`);
  return `${issue.message}; ${names.join('; ')}`;
}

/** Key names a schema takes at a path, found by asking its JSON form. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: JsonSchema | undefined = schema.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as JsonSchema;
  for (const step of path) {
    at = typeof step === 'number' ? at?.items : (at?.properties?.[String(step)] ?? at?.additionalProperties);
    if (at === undefined || typeof at !== 'object') return [];
  }
  const alternatives = [at, ...(at.anyOf ?? []), ...(at.oneOf ?? [])];
  return alternatives.flatMap((one) => Object.keys(one.properties ?? {}));
}

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly additionalProperties?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}
