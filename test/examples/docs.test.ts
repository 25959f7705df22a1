/** README and docs name only what is there: links, imports, commands, clauses, ambiguities, configuration keys. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type Config, configSchema } from '../../src/server/config/schema.ts';
import { usersSchema } from '../../src/server/config/users-file.ts';
import { PROJECT, runCommand } from '../support/server.ts';

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');
const documents = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(PROJECT, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));
const readme = read('README.md');

/** Code blocks of one language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1] ?? '',
  );
}

it.each(documents)('%s links to files that exist', (name) => {
  const links = [...read(name).matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? '');
  expect(links.filter((link) => !existsSync(join(PROJECT, dirname(name), link)))).toEqual([]);
});

it('the README is under 200 lines', () => {
  expect(readme.split('\n').length).toBeLessThan(200);
});

it('the README imports only what the package exports', async () => {
  const [code = ''] = blocks(readme, 'ts');
  const imports = [...code.matchAll(/import \{([^}]+)\} from '([^']+)'/g)];
  expect(imports.length).toBeGreaterThan(0);
  for (const [, names = '', from = ''] of imports) {
    const module = (await import(from)) as Record<string, unknown>;
    for (const name of names.split(',')) expect(module[name.trim()]).toBeDefined();
  }
});

it('the configuration in the README is valid, whole keys and all', () => {
  const [config = '', users = ''] = blocks(readme, 'yaml');
  expect(configSchema.parse(parse(config)).isf.routes).toEqual(['sip:127.0.0.1:5080;lr']);
  expect(Object.keys(usersSchema.parse(parse(users)).users)).toEqual(['sip:alice@home.example']);
});

it('the README names every command, and none that is not there', () => {
  const help = runCommand(PROJECT, '--help').out;
  const there = [...help.matchAll(/^ {2}([a-z-]+)(?: \[options\])?(?: <file>)? {2,}/gm)].map((match) => match[1] ?? '');
  const rows = [...readme.matchAll(/^\| `cpm-engine ([a-z-]+)/gm)].map((match) => match[1] ?? '');
  expect([...new Set(rows)].sort()).toEqual(there.filter((name) => name !== 'help').sort());
});

it('the departures name clauses, ambiguities and configuration keys that exist', () => {
  const departures = read('docs/departures.md');
  const ids = (path: string): string[] => [...read(path).matchAll(/"id": *"([^"]+)"/g)].map((match) => match[1] ?? '');
  const clauses = ids('spec/clauses.json');
  expect(
    [...departures.matchAll(/\b[OT]-[0-9A-Z]+(?:-[0-9a-zA-Z]+)*/g)]
      .map(([id]) => id)
      .filter((id) => !clauses.includes(id)),
  ).toEqual([]);
  const ambiguities = ids('spec/ambiguities.json');
  expect([...departures.matchAll(/\bA-\d\d\b/g)].map(([id]) => id).filter((id) => !ambiguities.includes(id))).toEqual(
    [],
  );

  const config: Config = configSchema.parse({ policy: { requiredUserAgent: {} } });
  const keys = [...departures.matchAll(/`((?:policy|compat|recording|timers|sip|isf)\.\w+)(?:: \w+)?`/g)].map(
    (match) => match[1] ?? '',
  );
  expect(keys.length).toBeGreaterThan(5);
  for (const key of keys) {
    const [section = '', name = ''] = key.split('.');
    expect([key, name in (config as unknown as Record<string, object>)[section]!]).toEqual([key, true]);
  }
});
