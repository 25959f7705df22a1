/** `cpm-engine isf` as its users run it: the compiled program and a configuration file. */
import { stringify } from 'yaml';
import type { Program, Scene } from './processes.ts';
import { MAIN, until } from './server.ts';

export interface RunningIsf {
  readonly program: Program;
  /** What listens, by the names of the ready line: `127.0.0.1:5080`, without a transport. */
  readonly at: Readonly<Record<string, string>>;
  readonly admin: string;
  /** A counter by its event; 0 where it never happened. */
  count(event: string): Promise<number>;
  held(kind: string): Promise<number>;
  /** Waits for a service's sessions to be so many. */
  sessions(service: 'sms' | 'email', number: number): Promise<void>;
}

export async function runIsf(scene: Scene, config: Record<string, unknown>): Promise<RunningIsf> {
  const whole = {
    admin: { listen: '127.0.0.1:0' },
    media: { ports: '0' },
    log: { level: 'info', format: 'json' },
    shutdown: { graceMs: 3000 },
    ...config,
  };
  const program = scene.start(process.execPath, [MAIN, 'isf', '--config', scene.file('isf.yaml', stringify(whole))]);
  const [, line = ''] = await program.says(/^ready (.*)$/m);
  const at = Object.fromEntries(
    line.split(' ').map((pair) => {
      const [name = '', address = ''] = pair.split(/=(.*)/);
      return [name, address.replace(/^(?:udp:|http:\/\/)/, '')];
    }),
  );
  const admin = `http://${at.admin}`;
  const metric = async (name: string, label: string): Promise<number> => {
    const text = await (await fetch(`${admin}/metrics`)).text();
    return Number(new RegExp(`^cpm_isf_${name}\\{\\w+="${label}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  };
  return {
    program,
    at,
    admin,
    count: (event) => metric('events_total', event),
    held: (kind) => metric('held', kind),
    sessions: (service, number) =>
      until(
        `${service} has ${number} sessions`,
        async () => (await metric('held', `${service}.sessions`)) === number,
        30_000,
      ),
  };
}
