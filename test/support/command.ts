/** Commands of the compiled program, run beside the test, so that a server inside the test can answer them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from './server.ts';

export const PROGRAM = join(PROJECT, 'dist', 'src', 'server', 'main.js');

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function command(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  const { cwd, env = {} } = options;
  return new Promise((resolve) => {
    const whole = { encoding: 'utf8', env: { ...process.env, ...env }, ...(cwd === undefined ? {} : { cwd }) } as const;
    const child = execFile(process.execPath, [PROGRAM, ...args], whole, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}
