/** Secrets stand outside the configuration: in the environment or in a file of their own. */
import { readFileSync } from 'node:fs';

/** The secret behind `env:NAME` or `file:PATH`. Throws where there is none. */
export function readSecret(reference: string): string {
  const colon = reference.indexOf(':');
  const name = reference.slice(colon + 1);
  if (reference.startsWith('env:')) {
    const value = process.env[name];
    if (value === undefined || value === '') throw new Error(`environment variable ${name} is not set`);
    return value;
  }
  return readFileSync(name, 'utf8').trim();
}
