/** Programs a test starts: each in a folder of its own, each ended by its own id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), 'cpm-'));
  readonly #programs: Program[] = [];
  readonly #lasts: (() => Promise<void>)[] = [];

  /** Writes a file into the folder; its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Starts a program in the folder. */
  start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
    const child = spawn(command, args, { cwd: this.folder, env: { ...process.env, ...env } });
    const program = new Program(child, command);
    this.#programs.push(program);
    return program;
  }

  /** Something else to be ended with the scene, before its programs. */
  atEnd(last: () => Promise<void>): void {
    this.#lasts.push(last);
  }

  /** Ends what still runs and removes the folder. */
  async close(): Promise<void> {
    for (const last of this.#lasts) await last();
    await Promise.all(this.#programs.map((program) => program.end()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Program {
  readonly child: ChildProcess;
  readonly #name: string;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess, name: string) {
    this.child = child;
    this.#name = name;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  /** Ends it, if it still runs. */
  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise((resolve) => this.child.once('exit', resolve));
      const last = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
      this.child.kill('SIGTERM');
      await gone;
      clearTimeout(last);
    }
    await this.#letGo();
  }

  /** A process of its own that outlives it keeps its pipes open, and with them the tests: they are not waited for. */
  async #letGo(): Promise<void> {
    const pipes = [this.child.stdout, this.child.stderr].filter((pipe) => pipe !== null && !pipe.closed);
    if (pipes.length === 0) return;
    const closed = Promise.all(pipes.map((pipe) => new Promise((resolve) => pipe?.once('close', resolve))));
    let patience: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      patience = setTimeout(resolve, 1000);
    });
    await Promise.race([closed, late]);
    clearTimeout(patience);
    for (const pipe of pipes) pipe?.destroy();
  }

  /** Exit code; throws where the program takes longer. */
  exit(limitMs: number): Promise<number | null> {
    if (this.child.exitCode !== null) return Promise.resolve(this.child.exitCode);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.#name} did not end:\n${this.stdout}\n${this.stderr}`)),
        limitMs,
      );
      this.child.once('exit', (code) => {
        clearTimeout(timer);
        resolve(code);
      });
    });
  }

  /** Waits for text on standard output; the match. */
  says(pattern: RegExp, limitMs = 20_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout);
        if (match === null) return;
        this.child.stdout?.off('data', look);
        clearTimeout(timer);
        resolve(match);
      };
      const timer = setTimeout(
        () => reject(new Error(`${this.#name} never said ${pattern}:\n${this.stdout}\n${this.stderr}`)),
        limitMs,
      );
      this.child.stdout?.on('data', look);
      this.child.once('exit', (code) => reject(new Error(`${this.#name} ended with ${code}:\n${this.stderr}`)));
      look();
    });
  }
}

/** Below what the system gives to sockets that ask for no port in particular, so that none of them takes it meanwhile. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;

/** A port that is free for UDP and TCP, and the one above it for UDP: SIPp takes its commands there. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + 2 * Math.floor((Math.random() * PORTS) / 2);
    const free = await Promise.all([isFreeUdp(port), isFreeUdp(port + 1), isFreeTcp(port)]);
    if (free.every(Boolean)) return port;
  }
}

function isFreeUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => socket.close(() => resolve(true)));
  });
}

function isFreeTcp(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
