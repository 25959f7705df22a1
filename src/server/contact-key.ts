/** The key of the contact tokens: it must outlive the process, since clients keep our Contacts. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { contactKeyIn } from './config/check.ts';

/** Made at the first start, where the configuration names no key. */
const OWN_FILE = 'data/contact.key';

/** The key behind a reference, or the one in the file of our own. Throws where neither can be had. */
export function contactKey(reference: string | undefined): string {
  if (reference !== undefined) return contactKeyIn(reference);
  try {
    readFileSync(OWN_FILE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(dirname(OWN_FILE), { recursive: true });
    writeFileSync(OWN_FILE, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  }
  return contactKeyIn(`file:${OWN_FILE}`);
}
