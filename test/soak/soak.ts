/**
 * The soak: waves of calls with mixed endings and faults over real sockets, and a rest after each, in which nothing may
 * be held and nothing may have grown.
 */
import type { SipRequest } from '../../src/sip/message/message.ts';
import { SeededRandom } from '../../src/testing/index.ts';
import { Scene } from '../support/processes.ts';
import { Attempt, type Casting, type Surroundings } from './attempt.ts';
import { COURSES, type Course } from './courses.ts';
import { FEWEST_RESTS, type Growth, judge, type Rest } from './judgement.ts';
import { LapseClock } from './lapse-clock.ts';
import { Line } from './line.ts';
import { MediaSink } from './media-sink.ts';
import { ServerUnderSoak } from './server-under-soak.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Calls begun in each second of a wave. */
  readonly rate?: number;
  /** How long calls are begun in each wave, seconds. */
  readonly waveSeconds?: number;
  /** False leaves out the courses that take longer than a few seconds. */
  readonly slow?: boolean;
  /** Only courses whose name contains this. */
  readonly only?: string;
  /** Bytes of heap that each call may leave; by default what a long run tells from chance. */
  readonly tolerated?: number;
  /** URLs of modules the server loads first. */
  readonly modules?: readonly string[];
  /** A folder in which the first and the latest snapshot of its heap are kept. */
  readonly snapshots?: string;
  /** Calls before anything is measured: most caches are filled by them. */
  readonly warmUp?: number;
  /** How long a wave may take to end once nobody calls any more, ms. */
  readonly drainMs?: number;
  /** Hears of each rest. */
  readonly progress?: (rest: Rest, secondsLeft: number) => void;
}

export interface SoakReport {
  readonly seed: number;
  readonly seconds: number;
  readonly calls: number;
  /** Calls by the course they took. */
  readonly courses: Readonly<Record<string, number>>;
  /** Sessions ended, by reason, as the server counts them. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Times its stores failed. */
  readonly storeFailures: number;
  readonly historyFailures: number;
  readonly rests: readonly Rest[];
  readonly growth: readonly Growth[];
  /** What is wrong, one sentence each; empty where all is well. */
  readonly faults: readonly string[];
}

const RATE = 25;
const WARM_UP = 600;
/** On a busy machine a wave takes long; beyond this many times the time that was asked for, it ends with what it has. */
const PATIENCE = 5;
const WAVE_S = 4;
/** Slow courses begin in the first part of a wave, so that they are over soon after the others. */
const SLOW_SHARE = 0.3;
/** How long a wave has to end, once nobody calls any more: 64*T1 for the last transaction, and the machine may be busy. */
const DRAIN_MS = 60_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const scene = new Scene();
  const stage = await Stage.open(scene, options);
  try {
    return await stage.run();
  } finally {
    stage.close();
    await scene.close();
  }
}

class Stage {
  readonly #options: SoakOptions;
  readonly #server: ServerUnderSoak;
  readonly #around: Surroundings;
  readonly #attempts: Map<string, Attempt>;
  readonly #random: SeededRandom;
  readonly #courses = new Map<string, number>();
  readonly #rests: Rest[] = [];
  readonly #faults: string[] = [];
  #calls = 0;
  #waves = 0;

  private constructor(
    options: SoakOptions,
    server: ServerUnderSoak,
    around: Surroundings,
    attempts: Map<string, Attempt>,
  ) {
    this.#options = options;
    this.#server = server;
    this.#around = around;
    this.#attempts = attempts;
    this.#random = new SeededRandom(options.seed);
  }

  static async open(scene: Scene, options: SoakOptions): Promise<Stage> {
    const attempts = new Map<string, Attempt>();
    const at = (where: 'core' | 'isf') => (invite: SipRequest) =>
      attempts.get(invite.header('contribution-id') ?? '')?.placeAt(where);
    const [core, isf] = [await Line.udp(at('core')), await Line.tcp(at('isf'))];
    const addresses = { core: core.address, isf: isf.address };
    const server = await ServerUnderSoak.start(scene, addresses, options);
    const callers = { UDP: await Line.udp(() => undefined), TCP: await Line.connected(server.tcpPort) };
    const [clock, sink] = [new LapseClock(), await MediaSink.open()];
    const around = { clock, pf: server.udp, pfPort: server.tcpPort, callers, core, isf, sink };
    return new Stage(options, server, around, attempts);
  }

  get #lines(): readonly Line[] {
    const { callers, core, isf } = this.#around;
    return [callers.UDP, callers.TCP, core, isf];
  }

  async run(): Promise<SoakReport> {
    const { seconds, seed, progress, warmUp = WARM_UP } = this.#options;
    const began = performance.now();
    const spent = (): number => (performance.now() - began) / 1000;
    const more = (): boolean => {
      return spent() < seconds || (this.#rests.length < FEWEST_RESTS && spent() < PATIENCE * seconds);
    };
    while (more()) {
      const warm = this.#calls >= warmUp;
      await this.#wave(warm);
      if (!(await this.#drained())) break;
      if (!warm) continue;
      const rest = { calls: this.#calls, ...(await this.#server.atRest()) };
      this.#rests.push(rest);
      progress?.(rest, Math.max(0, seconds - spent()));
    }
    const metrics = await this.#server.metrics();
    const growth = this.#grown();
    await this.#end(metrics);
    return {
      seed,
      seconds: Math.round(spent()),
      calls: this.#calls,
      courses: Object.fromEntries(this.#courses),
      reasons: reasonsIn(metrics),
      storeFailures: metrics.get('store_failures_total') ?? 0,
      historyFailures: metrics.get('outbox_failures_total') ?? 0,
      rests: this.#rests,
      growth,
      faults: this.#faults,
    };
  }

  // --- a wave ------------------------------------------------------------------------------------------------------

  /** `warm`: the long courses too, at the usual rate. */
  async #wave(warm: boolean): Promise<void> {
    const { rate: usual = RATE, waveSeconds = WAVE_S, slow = true } = this.#options;
    const rate = warm ? usual : 2 * usual;
    const began = performance.now();
    const ends = began + waveSeconds * 1000;
    const calls: Promise<Attempt>[] = [];
    const troubles = this.#trouble(this.#waves++, waveSeconds * 1000);
    const operator = setInterval(() => void this.#operate(), 300);
    while (performance.now() < ends) {
      // What a busy machine was late with is made up for.
      const due = ((performance.now() - began) * rate) / 1000;
      while (calls.length < due)
        calls.push(this.#call(slow && warm && performance.now() < began + SLOW_SHARE * (ends - began)));
      await pause(10);
    }
    await troubles;
    const played = await Promise.all(calls);
    clearInterval(operator);
    for (const attempt of played) attempt.hangUp();
  }

  async #call(mayBeSlow: boolean): Promise<Attempt> {
    const course = this.#drawn(mayBeSlow);
    this.#calls++;
    this.#courses.set(course.name, (this.#courses.get(course.name) ?? 0) + 1);
    const attempt = await Attempt.prepare(this.#around, this.#cast(course));
    this.#attempts.set(attempt.id, attempt);
    await course.play(attempt);
    attempt.hangUp();
    return attempt;
  }

  #drawn(mayBeSlow: boolean): Course {
    const { only = '' } = this.#options;
    const wanted = COURSES.filter(({ name }) => name.includes(only));
    const quick = wanted.filter((course) => course.slow !== true || mayBeSlow);
    const courses = quick.length > 0 ? quick : wanted;
    let at = this.#random.next() * courses.reduce((sum, { weight }) => sum + weight, 0);
    for (const course of courses) {
      at -= course.weight;
      if (at < 0) return course;
    }
    return courses[0] as Course;
  }

  #cast({ casting }: Course): Casting {
    const one = <T>(...values: readonly T[]): T => values[Math.floor(this.#random.next() * values.length)] as T;
    return {
      role: one('orig', 'term'),
      served: one('kept', 'kept', 'proxied'),
      transport: one('UDP', 'TCP'),
      ...casting,
    };
  }

  /** What befalls the server in the middle of a wave. */
  async #trouble(wave: number, ms: number): Promise<void> {
    const server = this.#server;
    await pause(ms * 0.4);
    if (wave % 4 === 1) server.refuseHistory(true);
    else if (wave % 4 === 2) server.fillDisk(true);
    else if (wave % 4 === 3) for (const socket of this.#around.isf.connections) socket.destroy();
    else server.reload();
    await pause(ms * 0.2);
    if (wave % 4 === 1) server.refuseHistory(false);
    if (wave % 4 === 2) server.fillDisk(false);
  }

  async #operate(): Promise<void> {
    await Promise.all([this.#server.endSessionsOf('olga'), this.#server.endSessionsOf('oskar')]);
  }

  // --- a rest ------------------------------------------------------------------------------------------------------

  /** Waits until the server holds nothing; false, and a fault, where it goes on holding something. */
  async #drained(): Promise<boolean> {
    const { drainMs = DRAIN_MS } = this.#options;
    const end = performance.now() + drainMs;
    let held = await this.#server.held();
    while (held.length > 0 && performance.now() < end) {
      await pause(100);
      held = await this.#server.held();
    }
    if (held.length > 0) {
      const ladders = await this.#server.ladders();
      this.#faults.push(`still held ${drainMs / 1000} s after the last call: ${held.join(', ')}\n${ladders}`);
    }
    await Promise.all([...this.#attempts.values()].map((attempt) => attempt.close()));
    this.#attempts.clear();
    for (const line of this.#lines) line.forget();
    return held.length === 0;
  }

  #grown(): readonly Growth[] {
    if (this.#rests.length < FEWEST_RESTS) {
      this.#faults.push(`only ${this.#rests.length} rests: too short to say whether anything grows`);
      return [];
    }
    const growth = judge(this.#rests, this.#options.tolerated);
    for (const { what, perCall, certain, tolerated, grew } of growth) {
      if (!grew) continue;
      const numbers = [perCall, certain, tolerated].map((number) => number.toPrecision(3));
      const kinds = what === 'heapBytes' ? `: ${this.#server.grownKinds()}` : '';
      this.#faults.push(
        `${what} grew by ${numbers[0]} a call (at least ${numbers[1]}, tolerated ${numbers[2]})${kinds}`,
      );
    }
    return growth;
  }

  async #end(metrics: ReadonlyMap<string, number>): Promise<void> {
    const internal = metrics.get('internal_errors_total') ?? 0;
    if (internal > 0) this.#faults.push(`${internal} internal errors`);
    const code = await this.#server.stop();
    if (code !== 0) this.#faults.push(`the server ended with ${code}: ${this.#server.complaints}`);
    const { sessions, intents } = this.#server.stored();
    if (sessions > 0) this.#faults.push(`${sessions} sessions are still stored`);
    if (intents > 0) this.#faults.push(`${intents} pieces of history work are still stored`);
  }

  close(): void {
    for (const line of this.#lines) line.close();
    this.#around.sink.close();
    this.#around.clock.stop();
  }
}

function reasonsIn(metrics: ReadonlyMap<string, number>): Record<string, number> {
  const reasons: Record<string, number> = {};
  for (const [name, value] of metrics) {
    const reason = /^sessions_ended_total\{(.+)\}$/.exec(name)?.[1];
    if (reason !== undefined && value > 0) reasons[reason] = value;
  }
  return reasons;
}
