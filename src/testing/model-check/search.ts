/** Breadth-first search: every world that can be reached, each once, by a shortest path. */
import type { SessionMachine } from '../../../machines/session/machine.ts';
import { ChartGraph, type ChartState } from './chart-graph.ts';
import type { Configuration } from './configuration.ts';
import { longestSilence } from './deadlines.ts';
import { brokenAtEnd, brokenInState, brokenInStep } from './laws.ts';
import { Moves, type Step } from './moves.ts';
import { brokenByStray } from './strays.ts';
import { type World, WorldNames } from './world.ts';

export interface Violation {
  /** What does not hold, with the number of its invariant. */
  readonly law: string;
  /** Shortest path to it. */
  readonly path: readonly Step[];
}

export interface SearchResult {
  readonly configuration: string;
  /** Worlds visited: session, peers, messages, store, faults used. */
  readonly states: number;
  readonly transitions: number;
  /** Length of the longest shortest path. */
  readonly depth: number;
  /** States of the session alone, and in how many worlds it was closed. */
  readonly sessionStates: number;
  readonly closed: number;
  /** Transitions left out since a queue would have held more than its bound. */
  readonly bounded: number;
  /** Deadlines that pass at most before a session of which nobody hears is closed. */
  readonly deadlinesToEnd: number;
  /** States of both regions that the session was in. */
  readonly places: readonly string[];
  /** Kinds of effects that were ordered. */
  readonly effects: readonly string[];
  readonly violation: Violation | null;
}

/** Searches it all, or until something does not hold. */
export function search(machine: SessionMachine, configuration: Configuration): SearchResult {
  return new Search(machine, configuration).run();
}

class Search {
  readonly #graph: ChartGraph;
  readonly #moves: Moves;
  readonly #configuration: Configuration;
  readonly #names = new WorldNames();
  readonly #seen = new Map<string, number>();
  /** By number of a world: the one it was reached from, and by which of its steps. */
  readonly #from: number[] = [];
  readonly #by: number[] = [];
  readonly #places = new Set<string>();
  readonly #effects = new Set<string>();
  #transitions = 0;
  #closed = 0;

  constructor(machine: SessionMachine, configuration: Configuration) {
    this.#graph = new ChartGraph(machine);
    this.#moves = new Moves(this.#graph, configuration);
    this.#configuration = configuration;
  }

  run(): SearchResult {
    let frontier: [number, World][] = this.#moves.first().map((step, by) => [this.#note(step, -1, by), step.world]);
    let depth = 0;
    let violation: Violation | null = null;
    while (frontier.length > 0 && violation === null) {
      const next: [number, World][] = [];
      for (const [at, reached] of frontier) {
        violation = this.#expand(at, reached, next);
        if (violation !== null) break;
      }
      if (next.length > 0) depth++;
      frontier = next;
    }
    return this.#result(depth, violation);
  }

  #expand(at: number, world: World, next: [number, World][]): Violation | null {
    const law = brokenInState(world, this.#configuration);
    if (law !== null) return { law, path: this.#pathTo(at) };
    const steps = this.#moves.of(world);
    for (const [by, step] of steps.entries()) {
      this.#transitions++;
      const broken = brokenInStep(world, step, this.#configuration) ?? brokenAtEnd(step.world, this.#configuration);
      if (broken !== null) return { law: broken, path: [...this.#pathTo(at), step] };
      const number = this.#note(step, at, by);
      if (number >= 0) next.push([number, step.world]);
    }
    if (world.chart.call === 'closed') this.#closed++;
    return null;
  }

  /** The number of a new world; -1 for one that is known. */
  #note({ world, outcome }: Step, from: number, by: number): number {
    for (const { type } of outcome?.effects ?? []) this.#effects.add(type);
    const key = this.#names.of(world);
    if (this.#seen.has(key)) return -1;
    const number = this.#from.length;
    this.#places.add(world.chart.call).add(world.chart.recording);
    this.#seen.set(key, number);
    this.#from.push(from);
    this.#by.push(by);
    return number;
  }

  /** The steps from the beginning to a world, taken once more. */
  #pathTo(at: number): Step[] {
    const order: number[] = [];
    for (let each = at; each >= 0; each = this.#from[each] as number) order.push(this.#by[each] as number);
    let next = this.#moves.first();
    return order.reverse().map((by) => {
      const step = next[by] as Step;
      next = this.#moves.of(step.world);
      return step;
    });
  }

  #result(depth: number, found: Violation | null): SearchResult {
    const sessionStates = this.#graph.states.length;
    const beyond = found === null ? this.#beyond() : { deadlines: 0, violation: found };
    return {
      configuration: this.#configuration.name,
      states: this.#from.length,
      transitions: this.#transitions,
      depth,
      sessionStates,
      closed: this.#closed,
      bounded: this.#moves.bounded,
      deadlinesToEnd: beyond.deadlines,
      places: [...this.#places].sort(),
      effects: [...this.#effects].sort(),
      violation: beyond.violation,
    };
  }

  /** What is asked of each state of the session by itself, once all are known. */
  #beyond(): { readonly deadlines: number; readonly violation: Violation | null } {
    const reached = [...this.#graph.states];
    const { deadlines, stuck } = longestSilence(this.#graph, reached, this.#configuration);
    const broken = stuck ?? brokenByStray(this.#graph, reached, this.#configuration.profile);
    return { deadlines, violation: broken === null ? null : { law: broken.law, path: this.#pathInto(broken.state) } };
  }

  #pathInto(state: ChartState): Step[] {
    for (const [key, number] of this.#seen) if (key.startsWith(`${state.id} `)) return this.#pathTo(number);
    return [];
  }
}
