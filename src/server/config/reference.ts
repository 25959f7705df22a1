/** The tables of docs/configuration.md: every key with its form, its default and what it does, out of the schemas. */
import type { z } from 'zod';
import { configSchema } from './schema.ts';
import { usersSchema } from './users-file.ts';

/** What of a JSON Schema is told. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
}

export interface KeyRow {
  /** `history.url`; `[]` stands for an item of a list, `*` for a name of one's own. */
  readonly key: string;
  /** Drivers the key belongs to, where there are several. */
  readonly drivers: readonly string[];
  readonly form: string;
  readonly fallback: string;
  readonly description: string;
}

const BEGIN =
  '<!-- keys: written by "cpm-engine visualize" from the schema, as everything down to the next such line -->';
const END = '<!-- end of keys -->';

/** These repeat others: conditions those of `when`, and what a rule sets the keys of the sections themselves. */
const REPEATED = /^policy\.rules\[\]\.(?:unless|set)\./;

/** The page with its tables written anew; what is around them stays. Throws where a mark is missing. */
export function withTables(page: string): string {
  const parts = page.split(/(?<=<!-- keys[^\n]*-->)[\s\S]*?(?=<!-- end of keys -->)/);
  if (parts.length !== 3) throw new Error(`docs/configuration.md: expected two places for tables, ${BEGIN} and ${END}`);
  const [first = '', second = '', last = ''] = parts;
  return `${first}\n\n${table(configRows())}\n\n${second}\n\n${table(usersRows())}\n\n${last}`;
}

export function configRows(): KeyRow[] {
  return rowsOf(configSchema);
}

export function usersRows(): KeyRow[] {
  return rowsOf(usersSchema);
}

function rowsOf(schema: z.ZodType): KeyRow[] {
  const rows = rowsIn(schema.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as Schema, '', []);
  // A key that several drivers have alike stands there once.
  const merged = new Map<string, KeyRow>();
  for (const row of rows) {
    const name = `${row.key} ${row.form} ${row.fallback} ${row.description}`;
    merged.set(name, { ...row, drivers: [...(merged.get(name)?.drivers ?? []), ...row.drivers] });
  }
  return [...merged.values()].filter(({ key }) => !REPEATED.test(key));
}

function rowsIn(schema: Schema, key: string, drivers: readonly string[]): KeyRow[] {
  const inner = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) =>
      name === 'driver' && one.const !== undefined ? [] : rowsIn(one, key === '' ? name : `${key}.${name}`, drivers),
    ),
    ...(isSchema(schema.additionalProperties) ? rowsIn(schema.additionalProperties, `${key}.*`, drivers) : []),
    ...alternatives(schema).flatMap((one) => rowsBelow(one, key, driverOf(one) ?? drivers)),
    ...(schema.items === undefined ? [] : rowsBelow(schema.items, `${key}[]`, drivers)),
  ];
  if (key === '' || key.endsWith('.*')) return inner;
  return [rowOf(schema, key, drivers), ...inner];
}

/** Of an alternative or an item only what is inside has a name of its own. */
function rowsBelow(schema: Schema, key: string, drivers: readonly string[]): KeyRow[] {
  return rowsIn(schema, key, drivers).filter((row) => row.key !== key);
}

function rowOf(schema: Schema, key: string, drivers: readonly string[]): KeyRow {
  const { description = alternatives(schema).find((one) => one.description !== undefined)?.description ?? '' } = schema;
  const fallback = schema.default === undefined || isObject(schema.default) ? '' : JSON.stringify(schema.default);
  return {
    key,
    drivers,
    form: formOf(schema),
    fallback,
    description: alternatives(schema).some(driverOf) ? '' : description,
  };
}

function alternatives({ anyOf = [], oneOf = [] }: Schema): readonly Schema[] {
  return [...anyOf, ...oneOf];
}

function driverOf({ properties }: Schema): string[] | undefined {
  const driver = properties?.driver?.const;
  return typeof driver === 'string' ? [driver] : undefined;
}

function isSchema(value: Schema | boolean | undefined): value is Schema {
  return typeof value === 'object';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `auto, always`, `number from 90`, `list of text`. */
function formOf(schema: Schema): string {
  const { type, enum: values, const: only, items } = schema;
  const drivers = alternatives(schema).flatMap((one) => driverOf(one) ?? []);
  if (drivers.length > 0) return `by driver: ${drivers.join(', ')}`;
  if (values !== undefined) return values.join(', ');
  if (only !== undefined) return String(only);
  if (alternatives(schema).length > 0) return [...new Set(alternatives(schema).map(formOf))].join(', or ');
  if (type === 'array') return `list of ${items === undefined ? 'anything' : plural(formOf(items))}`;
  if (type === 'integer' || type === 'number') return `number${boundsOf(schema)}`;
  if (type === 'string') return 'text';
  if (type === 'boolean') return 'true, false';
  if (type === 'null') return 'null';
  return type === 'object' ? 'section' : '';
}

function plural(form: string): string {
  return form === 'section' ? 'sections' : form;
}

/** Largest number JavaScript counts to; nobody means it. */
const ANY = Number.MAX_SAFE_INTEGER;

function boundsOf({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  const from = least === undefined || least === -ANY ? '' : ` from ${least}`;
  return maximum === undefined || maximum === ANY ? from : `${from} to ${maximum}`;
}

function table(rows: readonly KeyRow[]): string {
  const lines = rows.map(({ key, drivers, form, fallback, description }) => {
    const of = drivers.length === 0 ? '' : ` (${drivers.join(', ')})`;
    const cells = [`\`${key}\`${of}`, form, fallback === '' ? '' : `\`${fallback}\``, description];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    '| key | values | default | what it does, and the clause or ambiguity it settles |',
    '|---|---|---|---|',
    ...lines,
  ].join('\n');
}
