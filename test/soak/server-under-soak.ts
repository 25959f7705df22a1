/** The server whose endurance is tried: `cpm-engine serve` in a process of its own, looked at from outside. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { stringify } from 'yaml';
import type { Scene } from '../support/processes.ts';
import { type RunningServer, serve } from '../support/server.ts';
import { USERS } from './attempt.ts';
import { grownKinds, type Heap, heapSnapshots, readHeap, takeSnapshot } from './heap.ts';

export interface Addresses {
  readonly core: string;
  readonly isf: string;
}

/** What is held while nothing is to be done. Only code may grow: while the compiler finds more to do, and then no longer. */
export interface AtRest {
  /** Bytes of heap that live, without code. */
  readonly heapBytes: number;
  readonly codeBytes: number;
  /** Descriptors the process has open. */
  readonly descriptors: number;
  /** Those of them that are sockets. */
  readonly sockets: number;
  readonly timers: number;
}

/** Gauges that are 0 when nothing is to be done. */
const EMPTY_AT_REST = [
  'sessions',
  'sip_held',
  'outbox_depth',
  'media_bindings',
  'media_connections',
  'recorder_under_way',
] as const;

interface Listed {
  readonly id: string;
  readonly state: string;
}

export interface ServerOptions {
  /** URLs of modules it loads first. */
  readonly modules?: readonly string[];
  /** A folder in which the first and the latest snapshot of its heap are kept. */
  readonly snapshots?: string;
}

export class ServerUnderSoak {
  readonly #scene: Scene;
  readonly #server: RunningServer;
  readonly #snapshots: string | undefined;
  /** The first and the latest. */
  #heaps: readonly [Heap, Heap] | undefined;

  private constructor(scene: Scene, server: RunningServer, snapshots: string | undefined) {
    this.#scene = scene;
    this.#server = server;
    this.#snapshots = snapshots;
    if (snapshots !== undefined) mkdirSync(snapshots, { recursive: true });
  }

  static async start(scene: Scene, { core, isf }: Addresses, options: ServerOptions): Promise<ServerUnderSoak> {
    const config = {
      // A snapshot of the heap stops it for seconds, and its clock counts them ten times: that is no overload.
      sip: { listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'], core: `sip:${core};lr`, overload: { maxLagMs: 600_000 } },
      isf: { routes: [`sip:${isf};transport=tcp;lr`] },
      users: { driver: 'file', path: scene.file('users.yaml', stringify({ users: USERS })) },
      media: { listen: '127.0.0.1', ports: '0', openMs: 4000, reconnectMs: 3000 },
      // What is kept to be looked at would count as grown until there is as much of it as there may be.
      admin: { listen: '127.0.0.1:0', traces: 0 },
      shutdown: { graceMs: 60_000 },
      log: { level: 'silent', format: 'json' },
    };
    const modules = [heapSnapshots(scene.folder), ...(options.modules ?? [])];
    return new ServerUnderSoak(scene, await serve(scene, config, { timeLapse: true, modules }), options.snapshots);
  }

  get udp(): string {
    return `127.0.0.1:${this.#server.ports.udp}`;
  }

  get tcpPort(): number {
    return this.#server.ports.tcp ?? 0;
  }

  get #pid(): number {
    return this.#server.program.child.pid ?? 0;
  }

  // --- looking -----------------------------------------------------------------------------------------------------

  /** Every metric without its labels, summed; those by reason as `name{reason}` too. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const values = new Map<string, number>();
    const text = await this.#ask('GET', '/metrics');
    for (const [, name = '', label, value] of text.matchAll(/^cpm_(\w+)(?:\{\w+="([^"]*)"\})? (\S+)$/gm)) {
      values.set(name, (values.get(name) ?? 0) + Number(value));
      if (label !== undefined) values.set(`${name}{${label}}`, Number(value));
    }
    return values;
  }

  /** What is still held, one text each; empty where nothing is. */
  async held(): Promise<string[]> {
    const metrics = await this.metrics();
    return EMPTY_AT_REST.flatMap((name) => {
      const number = metrics.get(name) ?? 0;
      return number === 0 ? [] : [`${name} ${number}`];
    });
  }

  /** The ladders of some sessions that live. */
  async ladders(): Promise<string> {
    const { sessions } = JSON.parse(await this.#ask('GET', '/api/sessions?limit=3')) as { sessions: Listed[] };
    const told = sessions.map(async ({ id, state }) => {
      const { text } = JSON.parse(await this.#ask('GET', `/api/sessions/${encodeURIComponent(id)}/ladder`)) as {
        text: readonly string[];
      };
      return `session ${id} in ${state}\n${text.join('\n')}`;
    });
    return (await Promise.all(told)).join('\n');
  }

  async atRest(): Promise<AtRest> {
    const heap = await this.#heap();
    this.#heaps = [this.#heaps?.[0] ?? heap, heap];
    const timers = (await this.metrics()).get('timers') ?? 0;
    const descriptors = this.#descriptors();
    const sockets = descriptors.filter((target) => target.startsWith('socket:')).length;
    const { bytes: heapBytes, codeBytes } = heap;
    return { heapBytes, codeBytes, timers, descriptors: descriptors.length, sockets };
  }

  async #heap(): Promise<Heap> {
    const file = await takeSnapshot(this.#server.program.child, this.#scene.folder);
    const heap = readHeap(file);
    const name = this.#heaps === undefined ? 'first' : 'latest';
    if (this.#snapshots !== undefined) copyFileSync(file, join(this.#snapshots, `${name}.heapsnapshot`));
    rmSync(file);
    return heap;
  }

  /** What its heap has more of than at the first rest. */
  grownKinds(): string {
    return this.#heaps === undefined ? '' : grownKinds(...this.#heaps);
  }

  #descriptors(): string[] {
    const folder = `/proc/${this.#pid}/fd`;
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(join(folder, name))];
      } catch {
        // Closed between the two looks.
        return [];
      }
    });
  }

  /** Rows that its stores still have of sessions and of history work. Only once it has ended. */
  stored(): { readonly sessions: number; readonly intents: number } {
    const db = new Database(join(this.#scene.folder, 'pf-sessions.sqlite'), { readonly: true });
    const count = (table: string): number => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
    const stored = { sessions: count('sessions'), intents: count('work') };
    db.close();
    return stored;
  }

  // --- doing things to it ----------------------------------------------------------------------------------------

  /** Orders the end of every session of these users, as an operator does. */
  async endSessionsOf(user: string): Promise<void> {
    const { sessions } = JSON.parse(await this.#ask('GET', `/api/sessions?limit=1000&user=${user}`)) as {
      sessions: Listed[];
    };
    await Promise.all(sessions.map(({ id }) => this.#ask('POST', `/api/sessions/${encodeURIComponent(id)}/end`)));
  }

  /** The message store refuses whatever is written, or takes it again. */
  refuseHistory(refused: boolean): void {
    const db = new Database(join(this.#scene.folder, 'pf-history.sqlite'), { timeout: 5000 });
    db.exec('DROP TRIGGER IF EXISTS refused');
    if (refused) {
      db.exec("CREATE TRIGGER refused BEFORE INSERT ON objects BEGIN SELECT RAISE(FAIL, 'the store is down'); END");
    }
    db.close();
  }

  /** Its disk takes nothing, neither sessions nor history, or takes it again. */
  fillDisk(full: boolean): void {
    const limit = full ? '0:unlimited' : 'unlimited:unlimited';
    const { status, stderr, error } = spawnSync('prlimit', ['--pid', String(this.#pid), `--fsize=${limit}`]);
    if (status !== 0)
      throw new Error(`prlimit (util-linux) limits the size of files here: ${error?.message ?? stderr}`);
  }

  /** Users and policy are read again. */
  reload(): void {
    this.#server.program.child.kill('SIGHUP');
  }

  /** Ends it as an operator does; its exit code. */
  async stop(): Promise<number | null> {
    this.#server.program.child.kill('SIGTERM');
    return this.#server.program.exit(30_000);
  }

  get complaints(): string {
    return this.#server.program.stderr;
  }

  /** By a connection of its own each time, so that none of ours counts among those it holds. */
  #ask(method: 'GET' | 'POST', path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asking = request(`${this.#server.admin}${path}`, { method, agent: false }, async (response) => {
        resolve(Buffer.concat(await response.toArray()).toString());
      });
      asking.once('error', reject);
      asking.end();
    });
  }
}
