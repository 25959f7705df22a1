/** Secrets stand outside the configuration: in the environment or in a file of their own. */
import { readFileSync } from 'node:fs';

/** The secret behind `env:NAME` or `file:PATH`. Throws where there is none. */
export function readSecret(reference: string): string {
  const [, kind, name = ''] = /^(env|file):(.+)$/.exec(reference) ?? [];
  if (kind === undefined) throw new Error(`expected env:NAME or file:PATH, never the secret itself`);
  if (kind === 'env') {
    const value = process.env[name];
    if (value === undefined || value === '') throw new Error(`environment variable ${name} is not set`);
    return value;
  }
  const value = readFile(name);
  if (value === '') throw new Error(`${name} is empty`);
  return value;
}

function readFile(name: string): string {
  try {
    return readFileSync(name, 'utf8').trim();
  } catch (error) {
    throw new Error(
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? `${name}: no such file` : (error as Error).message,
    );
  }
}
