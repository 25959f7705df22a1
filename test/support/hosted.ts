/** A server inside the test's own process, with a caller and a callee on real sockets and its admin side at hand. */
import { request } from 'node:http';
import { stringify } from 'yaml';
import { adminServer } from '../../src/server/admin/http.ts';
import { configSchema } from '../../src/server/config/schema.ts';
import { createLog } from '../../src/server/log.ts';
import { type Server, startServer } from '../../src/server/server.ts';
import type { Call, InviteOptions } from '../../src/testing/index.ts';
import { letPerish } from './perishable.ts';
import type { Scene } from './processes.ts';
import { until } from './server.ts';
import { UdpPhone } from './udp-phone.ts';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: T;
}

export interface Hosted {
  readonly server: Server;
  readonly alice: UdpPhone;
  readonly bob: UdpPhone;
  /** Log lines, parsed. */
  readonly log: Record<string, unknown>[];
  /** `http://127.0.0.1:8080` */
  readonly admin: string;
  ask<T>(method: 'GET' | 'POST', path: string, headers?: Record<string, string>, body?: string): Promise<Answer<T>>;
  /** A metric's value; the sum over its labels. */
  metric(name: string): Promise<number>;
  /** A session with both sides of it. */
  establish(options?: InviteOptions): Promise<{ near: Call; far: Call }>;
  close(): Promise<void>;
}

/** What is not said is as short as tests like it. `users` becomes users.yaml. */
export async function host(
  scene: Scene,
  config: Record<string, unknown> = {},
  {
    users,
    token,
    origins = [],
  }: { readonly users?: unknown; readonly token?: string; readonly origins?: string[] } = {},
): Promise<Hosted> {
  const bob = await UdpPhone.open('bob', '127.0.0.1:9');
  const { sip, ...rest } = config as { sip?: Record<string, unknown> };
  const whole = configSchema.parse({
    sip: {
      listen: ['udp:127.0.0.1:0'],
      core: `sip:127.0.0.1:${bob.port};lr`,
      contactKey: `file:${scene.file('contact.key', '0123456789abcdef0123456789abcdef')}`,
      overload: { maxLagMs: 60_000 },
      ...sip,
    },
    ...(users === undefined ? {} : { users: { driver: 'file', path: scene.file('users.yaml', stringify({ users })) } }),
    registrar: { driver: 'none' },
    admin: { listen: '127.0.0.1:0' },
    timers: { t1: 50 },
    sessions: { driver: 'sqlite', path: ':memory:' },
    history: { driver: 'sqlite', path: ':memory:' },
    shutdown: { graceMs: 500 },
    log: { level: 'debug', format: 'json' },
    ...rest,
  });
  const log: Record<string, unknown>[] = [];
  const server = await startServer(whole, createLog(whole.log, { write: (line) => void log.push(JSON.parse(line)) }));
  if (server.media !== undefined) letPerish(server.media.network);
  const address = server.listening[0]?.replace(/^udp:/, '') ?? '';
  const alice = await UdpPhone.open('alice', address);
  bob.peer.pf = address;
  const app = adminServer(server, { token, redact: whole.log.redact, origins });
  const admin = await app.listen({ host: '127.0.0.1', port: 0 });
  let sessions = 0;

  return {
    server,
    alice,
    bob,
    log,
    admin,
    ask: (method, path, headers = {}, body = '') => ask(admin, { method, path, headers, body }),
    async metric(name) {
      const bearer: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const { body } = await ask<string>(admin, { method: 'GET', path: '/metrics', headers: bearer, body: '' });
      const values = [...body.matchAll(new RegExp(`^cpm_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
      return values.reduce((sum, match) => sum + Number(match[1]), 0);
    },
    async establish(options = {}) {
      const mark = `contribution-${++sessions}`;
      const headers = [['Contribution-ID', mark] as const, ...(options.headers ?? [])];
      const near = alice.invite({ ...options, headers });
      const { status } = await alice.outcome(near);
      if (status !== 200) throw new Error(`the session got ${status}`);
      const find = () => [...bob.calls.values()].find(({ invite }) => invite.header('contribution-id') === mark);
      await until('the callee has its ACK', async () => bob.heard(find() as Call).includes('ACK'));
      return { near, far: find() as Call };
    },
    async close() {
      alice.close();
      bob.close();
      await app.close();
      await server.stop();
    },
  };
}

interface Question {
  readonly method: string;
  readonly path: string;
  /** Any at all: `fetch` would not let a test set Host. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function ask<T>(admin: string, { method, path, headers, body }: Question): Promise<Answer<T>> {
  return new Promise((resolve, reject) => {
    const asking = request(`${admin}${path}`, { method, headers, agent: false }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      const isJson = String(response.headers['content-type']).includes('json');
      const told = (isJson ? JSON.parse(text) : text) as T;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: told });
    });
    asking.once('error', reject);
    asking.end(body);
  });
}
