/** `cpm-engine policy explain`: what a running server would do with an INVITE or a MESSAGE, and why. */
import { readFileSync } from 'node:fs';
import { type AdminOptions, ask } from './admin-client.ts';
import { CommandFailed, print } from './output.ts';

export async function explainPolicy(file: string, options: AdminOptions & { json?: boolean }): Promise<void> {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'latin1');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new CommandFailed(`${file}: ${reason}`);
  }
  const explanation = await ask<{ text: string[] }>(options, 'POST', '/api/policy/explain', text);
  if (options.json) return print(JSON.stringify({ ...explanation, text: undefined }, null, 2));
  for (const line of explanation.text) print(line);
}
