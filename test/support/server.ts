/** `cpm-engine serve` as its users run it: the compiled program, a configuration file, the admin interface. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import type { Program, Scene } from './processes.ts';

/** Folder of the project, also for what is compiled below `dist`. */
export const PROJECT = dirname(createRequire(import.meta.url).resolve('cpm-engine/package.json'));

const MAIN_FILE = join('dist', 'src', 'server', 'main.js');
/** The compiled program. */
export const MAIN = join(PROJECT, MAIN_FILE);

/** Runs a command of the package in `root` to its end. */
export function runCommand(root: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, MAIN_FILE), ...args], {
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

export interface RunningServer {
  readonly program: Program;
  /** `http://127.0.0.1:8080` */
  readonly admin: string;
  /** Ports by transport. */
  readonly ports: Readonly<Record<string, number>>;
  readonly configFile: string;
  get<T>(path: string): Promise<T>;
  /** A metric's value; the sum over its labels. */
  metric(name: string): Promise<number>;
  /** A metric's values by its one label. */
  counts(name: string): Promise<Record<string, number>>;
}

/** A module that makes the clock of the program that loads it run ten times as fast. */
const TIME_LAPSE = supportModule('time-lapse.mjs');
/** One that makes it collect its garbage at SIGUSR2. */
const COLLECT_GARBAGE = supportModule('collect-garbage.mjs');

function supportModule(name: string): string {
  return pathToFileURL(join(PROJECT, 'test', 'support', name)).href;
}

export interface ServeOptions {
  /** Of its files; by default `pf`. */
  readonly name?: string;
  /** Its clock runs ten times as fast. */
  readonly timeLapse?: boolean;
  /** SIGUSR2 makes it collect its garbage. */
  readonly collectsGarbage?: boolean;
  /** URLs of further modules that it loads before anything else. */
  readonly modules?: readonly string[];
}

/** Starts the server; what is not said is as short as tests like it. */
export async function serve(
  scene: Scene,
  config: Record<string, unknown>,
  { name = 'pf', timeLapse = false, collectsGarbage = false, modules = [] }: ServeOptions = {},
): Promise<RunningServer> {
  const { sip, ...rest } = config as { sip?: Record<string, unknown> };
  const whole = {
    // A busy machine is no overload; and a clock ten times as fast shows every pause ten times as long.
    sip: { listen: ['udp:127.0.0.1:0'], overload: { maxLagMs: 10_000 }, ...sip },
    users: { driver: 'any' },
    registrar: { driver: 'none' },
    admin: { listen: '127.0.0.1:0' },
    log: { level: 'warn', format: 'json' },
    warmUp: false,
    sessions: { driver: 'sqlite', path: `${name}-sessions.sqlite` },
    history: { driver: 'sqlite', path: `${name}-history.sqlite` },
    ...rest,
  };
  const configFile = scene.file(`${name}.yaml`, stringify(whole));
  return attach(scene, configFile, [
    ...(timeLapse ? [TIME_LAPSE] : []),
    ...(collectsGarbage ? [COLLECT_GARBAGE] : []),
    ...modules,
  ]);
}

/** Starts the server on a configuration that is there already, as after a crash. `token` is that of its admin side. */
export async function attach(
  scene: Scene,
  configFile: string,
  modules: readonly string[] = [],
  token?: string,
): Promise<RunningServer> {
  const imports = modules.flatMap((module) => ['--import', module]);
  const program = scene.start(process.execPath, [...imports, MAIN, 'serve', '--config', configFile]);
  const ready = await program.says(/^ready sip=(\S+) admin=(\S+)$/m);
  const ports = Object.fromEntries(
    (ready[1] ?? '').split(',').map((address) => [address.split(':')[0] ?? '', Number(address.split(':').at(-1))]),
  );
  const admin = ready[2] ?? '';
  const ask = (path: string): Promise<Response> =>
    fetch(`${admin}${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  const get = async <T>(path: string): Promise<T> => (await ask(path)).json() as Promise<T>;
  const countsOf = async (name: string): Promise<Record<string, number>> => {
    const text = await (await ask('/metrics')).text();
    const lines = text.matchAll(new RegExp(`^cpm_${name}(?:\\{\\w+="([^"]*)"\\})? (\\S+)$`, 'gm'));
    return Object.fromEntries([...lines].map(([, label = '', value]) => [label, Number(value)]));
  };
  return {
    program,
    admin,
    ports,
    configFile,
    get,
    async metric(name) {
      return Object.values(await countsOf(name)).reduce((sum, value) => sum + value, 0);
    },
    counts: countsOf,
  };
}

/** Waits until something holds, asking again and again; throws where it never does. */
export async function until(what: string, holds: () => Promise<boolean>, limitMs = 15_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Bytes of heap that live, in a server that collects garbage. */
export async function liveHeap(server: RunningServer): Promise<number> {
  server.program.child.kill('SIGUSR2');
  const collected = await server.metric('heap_bytes');
  // The signal may come behind the first question.
  server.program.child.kill('SIGUSR2');
  return Math.min(collected, await server.metric('heap_bytes'));
}

/** Waits until no session, transaction or leg is held any longer. */
export async function nothingLeft(server: RunningServer): Promise<void> {
  const held = async (): Promise<number> => (await server.metric('sessions')) + (await server.metric('sip_held'));
  await until('nothing is held', async () => (await held()) === 0);
}
