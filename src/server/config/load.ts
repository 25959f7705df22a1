/** Reading configuration files: every mistake comes back with its file, line and key, and what was expected there. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError, type Mistake } from './mistake.ts';
import { nearest } from './nearest.ts';
import { type Config, configSchema } from './schema.ts';

/** Values the contract promises and this version does not have yet. */
const NOT_YET: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'sessions.driver': { redis: 'sqlite' },
};

/** What a file said, and where each key stands in it. */
export interface Placed<T> {
  readonly file: string;
  readonly value: T;
  /** Line of a key, or of the nearest one above it that is there; from 1. */
  lineOf(key: readonly PropertyKey[]): number | undefined;
}

/** The effective configuration of a file; without a file, the defaults. Throws a {@link ConfigError}. */
export function loadConfig(file: string | undefined): Placed<Config> {
  if (file !== undefined) return readYaml(file, configSchema);
  return { file: 'defaults', value: configSchema.parse({}), lineOf: () => undefined };
}

/** A YAML file by a schema. Throws a {@link ConfigError} with every mistake in it. */
export function readYaml<T extends z.ZodType>(file: string, schema: T): Placed<z.output<T>> {
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
export function parseYaml<T extends z.ZodType>(file: string, text: string, schema: T): Placed<z.output<T>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors.map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    key: '',
    message: error.message,
  }));
  if (broken.length > 0) throw new ConfigError(broken);
  const given = (document.toJS({ maxAliasCount: 50 }) as unknown) ?? {};
  const lineOf = (path: readonly PropertyKey[]): number | undefined => {
    for (let length = path.length; length > 0; length--) {
      const node = keyNode(document, path.slice(0, length));
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const result = schema.safeParse(given);
  if (result.success) return { file, value: result.data, lineOf };
  const mistakes = result.error.issues.flatMap((issue) => mistakesOf(issue, { file, schema, given, lineOf }));
  throw new ConfigError(mistakes.sort((left, right) => (left.line ?? 0) - (right.line ?? 0)));
}

/** The key itself, since its value may begin lines below. Items of a list have none: there it is the value. */
function keyNode(document: Document, path: readonly PropertyKey[]): unknown {
  const last = path.at(-1);
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) return parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last))?.key;
  return document.getIn(path, true);
}

interface Reading {
  readonly file: string;
  readonly schema: z.ZodType;
  readonly given: unknown;
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

function mistakesOf(issue: z.core.$ZodIssue, reading: Reading): Mistake[] {
  const { file, schema, lineOf } = reading;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((unknown) => {
      const known = nearest(unknown, keysAt(schema, issue.path));
      const message = known === undefined ? 'unknown key' : `unknown key; did you mean ${known}?`;
      const path = [...issue.path, unknown];
      return { file, line: lineOf(path), key: path.join('.'), message };
    });
  }
  const key = issue.path.join('.');
  // A key that is itself of the wrong form, as an address in users.yaml: what was expected stands inside.
  const expected = issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join('; ') : issue.message;
  return [
    { file, line: lineOf(issue.path), key, message: notYet(key, valueAt(reading.given, issue.path)) ?? expected },
  ];
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | null | undefined)?.[step], given);
}

/** A driver that is promised and not there yet says so, instead of looking like a slip of the pen. */
function notYet(key: string, value: unknown): string | undefined {
  const instead = typeof value === 'string' ? NOT_YET[key]?.[value] : undefined;
  return instead === undefined ? undefined : `${value} is not in this version, use ${instead}`;
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
