/** Everything that can happen next in a world: one move each, by a peer, the network, a stack, the store or a deadline. */
import type { LegName } from '../../../machines/session/context.ts';
import type { Effect } from '../../../machines/session/effects.ts';
import type { ChartEvent, ChartGraph, Outcome } from './chart-graph.ts';
import type { Configuration } from './configuration.ts';
import { Records, restarted } from './crash.ts';
import { ownMoves, QUEUE_BOUND, settled } from './peers.ts';
import { proxied, proxyGivesUp, proxyHears } from './proxy.ts';
import { carriedOut, type Heard, isStray, lost, stackGivesUp, stackHears } from './user-agent.ts';
import { type Fault, newWire, type Wire, type World, withWire } from './world.ts';

/** UIDs of the model's store. */
export const SESSION_INFO_UID = 7;
export const GROUP_STATE_UID = 8;

/** One step from a world to the next; `event` and `outcome` where the session took part in it. */
export interface Step {
  readonly says: string;
  readonly world: World;
  readonly event?: ChartEvent;
  readonly outcome?: Outcome;
}

export class Moves {
  readonly #graph: ChartGraph;
  readonly #configuration: Configuration;
  readonly #records = new Records();
  /** Steps not taken since a queue would have held more than its bound. */
  bounded = 0;

  constructor(graph: ChartGraph, configuration: Configuration) {
    this.#graph = graph;
    this.#configuration = configuration;
  }

  /** All steps from a world, always in the same order. */
  of(world: World): Step[] {
    const steps: Step[] = [];
    if (world.chart.call !== 'closed') {
      this.#profile(world, steps);
      for (const wire of world.wires) this.#wire(world, wire, steps);
      this.#store(world, steps);
      this.#deadlines(world, steps);
      this.#orders(world, steps);
    }
    this.#crash(world, steps);
    return steps;
  }

  #may(world: World, fault: Fault): boolean {
    const { faults, kinds } = this.#configuration.bound;
    return kinds.includes(fault) && world.faults.length < faults && !world.faults.includes(fault);
  }

  #withFault(world: World, fault: Fault): readonly Fault[] {
    return [...world.faults, fault].sort();
  }

  // --- wires -------------------------------------------------------------------------------------------------

  #wire(world: World, wire: Wire, steps: Step[]): void {
    const { leg, up, held, due } = wire;
    for (const { says, wire: after } of ownMoves(wire, this.#configuration)) {
      this.#push(steps, world, withWire(world, after), { says: `${leg}: peer ${says}` });
    }
    if (wire.peer === 'alerting' && !wire.rang) this.#toUs(world, { ...wire, rang: true }, '180', steps);
    if (held !== null) {
      const late = { ...wire, held: null, down: [...wire.down, held] };
      this.#push(steps, world, withWire(world, late), { says: `${leg}: peer gets ${held} late` });
    }
    const [message, ...rest] = up;
    if (message !== undefined) this.#toUs(world, { ...wire, up: rest }, message, steps);
    for (const name of due) {
      const heard = this.#isProxy ? proxyGivesUp(wire, name) : stackGivesUp(wire, name);
      this.#hear(world, heard, `${leg}: nothing came for ${name}`, steps);
    }
    this.#disturbances(world, wire, steps);
  }

  get #isProxy(): boolean {
    return this.#configuration.mode === 'proxy';
  }

  #toUs(world: World, wire: Wire, message: string, steps: Step[]): void {
    const hears = this.#isProxy ? proxyHears : stackHears;
    this.#hear(world, hears(wire, message, this.#configuration), `${wire.leg}: ${message} arrives`, steps);
  }

  /** The oldest message to us is lost; the younger of two overtakes the older. */
  #disturbances(world: World, wire: Wire, steps: Step[]): void {
    const [first, second] = wire.up;
    if (first === undefined || world.faults.length >= this.#configuration.bound.faults) return;
    if (this.#may(world, 'loss')) {
      const after = withWire(world, lost({ ...wire, up: wire.up.slice(1) }, first, false));
      const faults = this.#withFault(world, 'loss');
      this.#push(steps, world, { ...after, faults }, { says: `${wire.leg}: ${first} is lost` });
    }
    if (second === undefined || !this.#may(world, 'reordering')) return;
    const after = withWire(world, { ...wire, up: [second, first] });
    const faults = this.#withFault(world, 'reordering');
    this.#push(steps, world, { ...after, faults }, { says: `${wire.leg}: ${second} overtakes ${first}` });
  }

  #hear(world: World, { wire, event }: Heard, says: string, steps: Step[]): void {
    const after = withWire(world, wire);
    if (event === undefined) this.#push(steps, world, after, { says: `${says}, for the stack alone` });
    else this.#event(after, event, says, steps);
  }

  // --- what has just been sent -------------------------------------------------------------------------------

  /** A step, and the same step with each fault that can befall what was sent in it. */
  #push(steps: Step[], before: World, after: World, told: Omit<Step, 'world'>): void {
    this.#settle(steps, after, told);
    if (after.faults.length >= this.#configuration.bound.faults) return;
    for (const wire of after.wires) {
      const known = before.wires.find(({ leg }) => leg === wire.leg)?.down.length ?? 0;
      for (const message of wire.down.slice(known)) this.#befall(steps, after, wire, message, told);
    }
  }

  #befall(steps: Step[], world: World, wire: Wire, message: string, told: Omit<Step, 'world'>): void {
    const strike = (fault: Fault, struck: Wire, says: string): void => {
      const after = { ...withWire(world, struck), faults: this.#withFault(world, fault) };
      this.#settle(steps, after, { ...told, says: `${told.says}; ${wire.leg}: ${says}` });
    };
    const gone = { ...wire, down: wire.down.filter((each) => each !== message) };
    if (this.#may(world, 'loss') && message !== '180') strike('loss', lost(gone, message, true), `${message} is lost`);
    // RFC 3261 9.1: CANCEL waits for a response, so it can't overtake its INVITE.
    const overtaken = message !== 'INVITE' && message !== '180' && wire.held === null;
    if (this.#may(world, 'reordering') && overtaken) {
      strike('reordering', { ...gone, held: message }, `${message} is held up`);
    }
    const asked = /^[A-Z]+ /.test(message) && (wire.peer === 'up' || wire.peer === 'leaving');
    if (this.#may(world, 'restartedPeer') && asked) {
      strike('restartedPeer', { ...wire, peer: 'over' }, `peer has restarted before ${message}`);
    }
  }

  #settle(steps: Step[], world: World, told: Omit<Step, 'world'>): void {
    let after = world;
    for (const wire of world.wires) {
      const rested = this.#rest(wire);
      if (rested !== wire) after = withWire(after, rested);
    }
    if (overflows(after)) this.bounded++;
    else steps.push({ ...told, world: after });
  }

  /** The peer takes what has come to it, and our stack what says nothing new to anybody. */
  #rest(wire: Wire): Wire {
    if (wire.down.length === 0 && wire.up.length === 0) return wire;
    let after = settled(wire);
    while (isStray(after, this.#configuration.mode)) after = settled({ ...after, up: after.up.slice(1) });
    return after;
  }

  // --- the rest of the world -----------------------------------------------------------------------------------

  #profile(world: World, steps: Step[]): void {
    if (!world.asked) return;
    const event = { type: 'preferencesKnown', profile: this.#configuration.profile } as const;
    this.#event({ ...world, asked: false }, event, 'the profile is known', steps);
    if (!this.#may(world, 'duplicate')) return;
    const faults = this.#withFault(world, 'duplicate');
    this.#event({ ...world, faults }, event, 'the profile is known, and will be once more', steps);
  }

  #store(world: World, steps: Step[]): void {
    const { store } = world;
    const [job, ...jobs] = store.jobs;
    if (job === undefined) return;
    const uids = { sessionInfoUid: SESSION_INFO_UID, groupStateUid: GROUP_STATE_UID };
    const event: ChartEvent =
      job === 'open' ? { type: 'historyOpened', sessionInfoUid: SESSION_INFO_UID } : { type: 'historySealed', ...uids };
    const sealed = store.sealed || job === 'seal';
    this.#event({ ...world, store: { ...store, jobs, sealed } }, event, `the store has done ${job}`, steps);
    if (this.#may(world, 'duplicate')) {
      const faults = this.#withFault(world, 'duplicate');
      const after = { ...world, store: { ...store, sealed }, faults };
      this.#event(after, event, `the store has done ${job}, and will say so again`, steps);
    }
    if (this.#may(world, 'storeFailure')) {
      const after = { ...world, faults: this.#withFault(world, 'storeFailure') };
      this.#event(after, { type: 'historyFailed' }, `the store fails at ${job}`, steps);
    }
  }

  /** Any deadline may be the next to be over, long before or after whatever else is under way. */
  #deadlines(world: World, steps: Step[]): void {
    for (const name of Object.keys(world.chart.context.deadlines)) {
      this.#event(world, deadlineEvent(name), `${name} is over`, steps);
    }
  }

  /** An operator ends the session, or its media do, once and at any time before it ends otherwise. */
  #orders(world: World, steps: Step[]): void {
    if (world.ordered || world.chart.context.ending !== null) return;
    const after = { ...world, ordered: true };
    this.#event(after, { type: 'endOrdered', by: 'shutdown' }, 'the server shuts down', steps);
    if (world.chart.call.startsWith('interworking') || world.chart.call.startsWith('b2bua')) {
      this.#event(after, { type: 'mediaFailed', leg: 'a' }, 'the media fail', steps);
    }
  }

  // --- the session ---------------------------------------------------------------------------------------------

  #event(world: World, event: ChartEvent, says: string, steps: Step[]): void {
    const outcome = this.#graph.take(world.chart, event, freeStep(world, event));
    this.#push(steps, world, this.#apply(world, outcome, event), { says, event, outcome });
  }

  /** The world once the effects are on their way. */
  #apply(world: World, outcome: Outcome, event: ChartEvent | undefined): World {
    const after = performed(world, outcome.effects, event, this.#isProxy);
    return { ...after, chart: outcome.state, written: this.#writtenAfter(after, outcome) };
  }

  /** The record of the last checkpoint; a session that is over is no longer written. */
  #writtenAfter(world: World, { state, effects, stored }: Outcome): World['written'] {
    const { kinds, faults } = this.#configuration.bound;
    if (!kinds.includes('crash') || world.faults.length >= faults || world.faults.includes('crash')) return null;
    if (!stored || state.call === 'closed') return world.written;
    return this.#records.of(state, effects);
  }

  #crash(world: World, steps: Step[]): void {
    if (!this.#may(world, 'crash')) return;
    const after = restarted(world, this.#withFault(world, 'crash'));
    if (after === null) return;
    this.#settle(steps, after, { says: 'killed and started again' });
  }

  /** The ways in which it can begin: the INVITE has just come. */
  first(): Step[] {
    const outcome = this.#graph.initial(this.#configuration.input);
    const bare = emptyWorld(outcome);
    const steps: Step[] = [];
    this.#push(steps, bare, this.#apply(bare, outcome, undefined), { says: 'the INVITE comes', outcome });
    return steps;
  }
}

const overflows = (world: World): boolean =>
  world.wires.some(({ up, down }) => up.length > QUEUE_BOUND || down.length > QUEUE_BOUND);

function emptyWorld({ state }: Outcome): World {
  return {
    chart: state,
    wires: [newWire('a', true)],
    store: { jobs: [], ordered: '', sealed: false },
    asked: false,
    ordered: false,
    faults: [],
    written: null,
  };
}

function performed(world: World, effects: readonly Effect[], event: ChartEvent | undefined, proxy: boolean): World {
  let after = world;
  for (const effect of effects) {
    if (effect.type === 'fetchPreferences') after = { ...after, asked: true };
    else if (effect.type === 'openHistory' || effect.type === 'sealHistory') after = withJob(after, effect.type);
    else after = proxy ? proxied(after, effect, event) : carriedOut(after, effect, event);
  }
  return after;
}

function withJob(world: World, type: 'openHistory' | 'sealHistory'): World {
  const job = type === 'openHistory' ? 'open' : 'seal';
  const { store } = world;
  const ordered = `${store.ordered}${job.slice(0, 1)}`;
  return { ...world, store: { ...store, jobs: [...store.jobs, job], ordered } };
}

/** The event a deadline raises: `sessionExpired:a` is that of leg `a`. */
export function deadlineEvent(name: string): ChartEvent {
  const [type, leg] = name.split(':') as [string, LegName | undefined];
  return (leg === undefined ? { type } : { type, leg }) as ChartEvent;
}

/** The lowest number that no exchange where the event can make one bears, so that equal worlds give equal names. */
function freeStep(world: World, event: ChartEvent): number {
  const taken = new Set<string>();
  const wires = event.type === 'refreshDue' ? world.wires.filter(({ leg }) => leg === event.leg) : world.wires;
  for (const { ours, up, down } of wires) for (const name of [...ours, ...up, ...down]) taken.add(numberOf(name));
  for (const { as } of world.chart.context.relays) taken.add(numberOf(as));
  let step = 1;
  while (taken.has(String(step))) step++;
  return step;
}

const numberOf = (name: string): string => name.slice(name.lastIndexOf('-') + 1);
