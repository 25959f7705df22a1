/** `cpm-engine serve` as its users run it: the compiled program, a configuration file, the admin interface. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Program, Scene } from './processes.ts';

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'src', 'server', 'main.js');

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
}

/** Starts the server; what is not said is as short as tests like it. */
export async function serve(scene: Scene, config: Record<string, unknown>, name = 'pf'): Promise<RunningServer> {
  const { sip, ...rest } = config as { sip?: Record<string, unknown> };
  const whole = {
    sip: { listen: ['udp:127.0.0.1:0'], ...sip },
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
  return attach(scene, configFile);
}

/** Starts the server on a configuration that is there already, as after a crash. */
export async function attach(scene: Scene, configFile: string): Promise<RunningServer> {
  const program = scene.start(process.execPath, [MAIN, 'serve', '--config', configFile]);
  const ready = await program.says(/^ready sip=(\S+) admin=(\S+)$/m);
  const ports = Object.fromEntries(
    (ready[1] ?? '').split(',').map((address) => [address.split(':')[0] ?? '', Number(address.split(':').at(-1))]),
  );
  const admin = ready[2] ?? '';
  const get = async <T>(path: string): Promise<T> => (await fetch(`${admin}${path}`)).json() as Promise<T>;
  return {
    program,
    admin,
    ports,
    configFile,
    get,
    async metric(metric) {
      const text = await (await fetch(`${admin}/metrics`)).text();
      const values = [...text.matchAll(new RegExp(`^cpm_${metric}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
      return values.reduce((sum, match) => sum + Number(match[1]), 0);
    },
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

export { MAIN as mainProgram };
