/** SIPp: scenarios written as steps, a run of them, and what it says when calls fail. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program, Scene } from './processes.ts';

/** One element of a scenario. Messages are lines, SIPp's keywords among them. */
export type Step = string;

export function send(lines: readonly string[], attributes = ''): Step {
  return `<send ${attributes}><![CDATA[\n${lines.join('\n')}\n]]></send>`;
}

/** Waits for a response (a status) or a request (a method). */
export function recv(what: number | string, attributes = '', actions: readonly string[] = []): Step {
  const head = `<recv ${typeof what === 'number' ? `response="${what}"` : `request="${what}"`} ${attributes}`;
  return actions.length === 0 ? `${head}/>` : `${head}><action>${actions.join('')}</action></recv>`;
}

export function pause(ms: number): Step {
  return `<pause milliseconds="${ms}"/>`;
}

/** Keeps a header's value, of all its lines, as `[$name]`. */
export function keep(header: string, name: string): string {
  return `<ereg regexp=".*" search_in="hdr" header="${header}:" assign_to="${name}"/>`;
}

/** A message with its body, or with none. */
export function message(head: readonly string[], sdp: readonly string[] = []): string[] {
  if (sdp.length === 0) return [...head, 'Content-Length: 0', ''];
  return [...head, 'Content-Type: application/sdp', 'Content-Length: [len]', '', ...sdp];
}

export function scenario(name: string, steps: readonly Step[]): string {
  return `<?xml version="1.0"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`;
}

export interface SippOptions {
  /** Its own port; the one above it takes its commands. */
  readonly port: number;
  /** Port it calls; absent, it is called. */
  readonly target?: number;
  /** How many calls it makes or takes before it ends; absent, it goes on. */
  readonly calls?: number;
  /** Calls a second. */
  readonly rate?: number;
  /** Calls at a time; no more are made while so many are up. */
  readonly atOnce?: number;
  /** How long the scenario's pauses last. */
  readonly holdMs?: number;
  /** After so many seconds it gives up. */
  readonly seconds?: number;
  /** Values of keywords in the scenario. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Over one TCP connection instead of UDP: nothing is lost where a busy machine is late. */
  readonly tcp?: boolean;
  /** Whether messages are kept, for `received`. */
  readonly trace?: boolean;
}

/** Starts SIPp with a scenario file, whose name without `.xml` is the run's own. */
export function startSipp(scene: Scene, file: string, options: SippOptions): SippRun {
  const {
    port,
    target,
    calls,
    rate = 20,
    atOnce = 5000,
    seconds = 60,
    keys = {},
    tcp = false,
    trace = false,
  } = options;
  const name = file.replace(/\.xml$/, '');
  const args = ['-sf', file, '-i', '127.0.0.1', '-p', String(port), '-cp', String(port + 1), '-nostdin'];
  args.push('-trace_err', '-error_file', `${name}.err`, '-timeout', String(seconds), '-timeout_error');
  if (tcp) args.push('-t', 't1');
  if (trace) args.push('-trace_msg', '-message_file', `${name}.msg`);
  if (options.holdMs !== undefined) args.push('-d', String(options.holdMs));
  if (calls !== undefined) args.push('-m', String(calls));
  for (const [key, value] of Object.entries(keys)) args.push('-key', key, value);
  if (target !== undefined) args.push('-r', String(rate), '-l', String(atOnce), `127.0.0.1:${target}`);
  return new SippRun(scene.start('sipp', args), name, scene.folder, seconds);
}

/** How much of SIPp's error file a failing test shows: the first failures tell more than the last. */
const SHOWN_LINES = 60;

export class SippRun {
  readonly program: Program;
  readonly #name: string;
  readonly #folder: string;
  readonly #seconds: number;

  constructor(program: Program, name: string, folder: string, seconds: number) {
    this.program = program;
    this.#name = name;
    this.#folder = folder;
    this.#seconds = seconds;
  }

  /** Waits for its end; throws with what SIPp has against the calls where any of them failed. */
  async succeeds(): Promise<void> {
    const code = await this.program.exit((this.#seconds + 10) * 1000);
    const failed = /Failed call\s*\|[^|]*\|\s*(\d+)/.exec(this.program.stdout)?.[1] ?? '0';
    if (code === 0 && failed === '0') return;
    // What a call failed of is one of many events: most tell of messages that came when their call was over.
    const events = this.#file('err').split(/(?=\d{4}-\d\d-\d\d\t)/);
    const telling = events.filter((event) => !event.includes('Dead call'));
    const errors = telling.join('').split('\n').slice(0, SHOWN_LINES).join('\n');
    throw new Error(`SIPp ${this.#name} ended with ${code}, ${failed} calls failed\n${errors}\n${this.program.stderr}`);
  }

  /** The messages it got, in their order. */
  received(): string[] {
    const parts = this.#file('msg').split(/^-{10,} .*\n/m);
    return parts.flatMap((part) => /message received \[\d+\] bytes :\s+(\S.*)$/s.exec(part)?.[1] ?? []);
  }

  #file(suffix: string): string {
    const path = join(this.#folder, `${this.#name}.${suffix}`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}
