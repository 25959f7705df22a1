/**
 * A play: a stage, time that moves when it is told to, and what is done on it. Nothing but the beginning, the acts and
 * their instants decides what happens, so the same link gives the same play, byte for byte.
 */
import type { Session } from '../engine/session.ts';
import type { Unstamped } from '../engine/translate.ts';
import type { Flight } from '../testing/virtual-network.ts';
import { type Act, type Done, type Instant, LONGEST_MS, type MemberId } from './acts.ts';
import { CallTheatre } from './call-theatre.ts';
import { Interference } from './interference.ts';
import { type Beginning, type Link, MOST_ACTS } from './link.ts';
import { Notebook } from './notebook.ts';
import { perform } from './perform.ts';
import { restOf } from './rest.ts';
import type { Row } from './rows.ts';
import { says } from './says.ts';
import { sceneTheatre } from './scene-theatre.ts';
import type { PlayedFunction, Theatre } from './theatre.ts';
import { type Verdict, verdictsOf } from './verdicts.ts';

/** Rows a play can have; beyond, it stands still. Somebody who repeats himself for ever would fill any memory. */
const MOST_ROWS = 6000;
/** Timers that fire in one step at the most, where nothing comes of them that can be seen. */
const MOST_SILENT = 200;
/** Nothing happens any more in a play that has run on for so long, ms. */
const TO_THE_END_MS = 4 * 3_600_000;

export class Play {
  readonly beginning: Beginning;
  readonly theatre: Theatre;
  readonly interference: Interference;
  readonly notebook: Notebook;
  /** What has been done so far. */
  readonly acts: Done[] = [];
  /** Acts of the link whose instant has not come. */
  #coming: Done[];
  /** Scripted events that are past. */
  #cue = 0;
  /** Timers and scripted events so far. */
  #fired = 0;

  constructor(beginning: Beginning, acts: readonly Done[] = []) {
    this.beginning = beginning;
    this.#coming = [...acts];
    const observe = (of: MemberId, session: Session, event: Unstamped | undefined): void =>
      this.notebook.step(of, session, event);
    this.theatre =
      beginning.kind === 'call' ? new CallTheatre(beginning.setting, observe) : sceneTheatre(beginning.scene, observe);
    const { network, members } = this.theatre;
    const sites = new Map(members.map(({ address, site }) => [address, site]));
    this.interference = new Interference(network.weather, (address) => sites.get(address) ?? address);
    network.weather = this.interference.weather;
    this.notebook = new Notebook(this.theatre);
  }

  /** A play as its link has it, at the instant that the link names. */
  static from({ beginning, acts, upTo }: Link): Play {
    const play = new Play(beginning, acts);
    if (upTo !== undefined) play.runTo(upTo);
    return play;
  }

  // --- where it stands -------------------------------------------------------------------------------------------

  /** ms since the beginning. */
  get elapsed(): number {
    return this.theatre.clock.elapsed;
  }

  get begun(): number {
    return this.theatre.clock.now() - this.elapsed;
  }

  get instant(): Instant {
    return { at: this.elapsed, fired: this.#fired };
  }

  get rows(): readonly Row[] {
    return this.notebook.rows;
  }

  get flights(): readonly Flight[] {
    return this.theatre.network.flights;
  }

  /** Acts of the link that are still to come. */
  get coming(): readonly Done[] {
    return this.#coming;
  }

  /** True once it stands still for good: too long, or too much happened. */
  get full(): boolean {
    return this.rows.length >= MOST_ROWS || this.elapsed >= LONGEST_MS;
  }

  /** A script still has something to do. */
  get scripted(): boolean {
    return this.#cue < this.theatre.script.length;
  }

  /** Nothing waits to happen: no timer, no script, no act of the link. */
  get still(): boolean {
    return this.next === undefined;
  }

  link(): Link {
    return { beginning: this.beginning, acts: [...this.acts, ...this.#coming], upTo: this.instant };
  }

  verdicts(of: PlayedFunction): readonly Verdict[] {
    return verdictsOf(of, restOf(of, this.theatre), this.theatre.clock.now());
  }

  /** Whether everything has come to rest at every function. */
  get atRest(): boolean {
    return this.theatre.functions.every((each) => restOf(each, this.theatre).forgotten);
  }

  // --- time ------------------------------------------------------------------------------------------------------

  /** When something happens next, ms since the beginning; a timer unless a script or an act comes first. */
  get next(): number | undefined {
    const timer = this.theatre.clock.next;
    const script = this.theatre.script[this.#cue]?.at;
    const times = [timer === undefined ? undefined : timer - this.begun, script, this.#coming[0]?.at];
    const known = times.filter((each) => each !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Lets one thing happen that is due at or before `until`, ms since the beginning. False where nothing is. */
  #once(until: number): boolean {
    if (this.full || until > LONGEST_MS) return false;
    const { clock, script } = this.theatre;
    const timer = clock.next === undefined ? Number.POSITIVE_INFINITY : clock.next - this.begun;
    const act = this.#coming[0];
    const cue = script[this.#cue];
    // An act of a link is at its place among all else; a script comes when all that was due has happened.
    if (act !== undefined && act.at <= until && this.#isDue(act, Math.min(timer, cue?.at ?? timer))) {
      this.#letPass(act.at);
      this.#coming.shift();
      this.#perform(act.act);
      return true;
    }
    if (cue !== undefined && cue.at <= until && cue.at < timer) {
      this.#letPass(cue.at);
      this.#cue++;
      this.#fired++;
      this.notebook.note(null, 'act', cue.says);
      cue.run();
      return true;
    }
    if (timer > until) return false;
    this.#fired++;
    return clock.step();
  }

  /** `next`: when something else happens, ms since the beginning. */
  #isDue({ at, fired }: Instant, next: number): boolean {
    return next > at || (next === at && fired !== null && this.#fired >= fired);
  }

  /** Time passes in which nothing happens. */
  #letPass(until: number): void {
    const { clock } = this.theatre;
    const time = this.begun + until;
    if (time > clock.now() && (clock.next === undefined || clock.next > time)) clock.advanceTo(time);
  }

  /** Moves on to this time, ms since the beginning. */
  advanceTo(time: number): void {
    const until = Math.min(time, LONGEST_MS);
    while (this.#once(until));
    if (!this.full) this.#letPass(until);
  }

  /** Moves on until something can be seen: a message, a step, a note. False where nothing happens any more. */
  step(): boolean {
    const before = this.#seen();
    for (let silent = 0; silent < MOST_SILENT; silent++) {
      const next = this.next;
      if (next === undefined || !this.#once(Math.max(next, this.elapsed))) return false;
      if (this.#seen() !== before) return true;
    }
    return true;
  }

  #seen(): string {
    return `${this.rows.length} ${this.notebook.arrivals}`;
  }

  /** Moves on until all is over and forgotten; what never ends by itself is given some hours. */
  toTheEnd(): void {
    const limit = Math.min(LONGEST_MS, this.elapsed + TO_THE_END_MS);
    while (!this.full && this.elapsed < limit && !(this.atRest && !this.scripted && this.#coming.length === 0)) {
      const next = this.next;
      if (next === undefined) {
        // Nothing is to come but forgetting.
        this.advanceTo(Math.min(limit, this.elapsed + 1000));
        if (this.notebook.untouched) return;
      } else this.advanceTo(Math.min(next, limit));
    }
  }

  /** Moves on to an instant of a link. */
  runTo({ at, fired }: Instant): void {
    if (fired === null) return this.advanceTo(at);
    while (this.#fired < fired && this.#once(at));
    // Acts of that very instant belong to it; timers that had not fired do not.
    while (this.#coming[0] !== undefined && this.#coming[0].at <= at && (this.#coming[0].fired ?? 0) <= fired) {
      if (!this.#once(at)) break;
    }
    this.#letPass(at);
  }

  // --- acts ------------------------------------------------------------------------------------------------------

  /** Does it now. What was still to come of a link is no more: from here on it is another play. */
  act(act: Act): void {
    if (this.acts.length >= MOST_ACTS) throw new Error(`a play has at most ${MOST_ACTS} acts`);
    this.#coming = [];
    this.#perform(act);
  }

  #perform(act: Act): void {
    this.acts.push({ act, ...this.instant });
    const { says: text, of } = says(act, this.theatre, this.flights);
    this.notebook.note(of, 'act', text);
    perform(act, this.theatre, this.interference);
  }
}
