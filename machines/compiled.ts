/**
 * A statechart made ready to run.
 *
 * At each event XState's interpreter works out which transitions a state has, which states one leaves and enters, and
 * what the snapshot's value and nodes are then. All of it follows from the chart alone, so here it is worked out once.
 * What is left at an event is the guards and the assignments themselves. The result stays XState's: the actor, its
 * mailbox and its snapshots; only `transition` and `getInitialSnapshot` are other ones, and a property test holds them
 * equal to the interpreter's.
 *
 * Only what session charts are made of is compiled: one parallel root or none, compound and atomic states, named
 * guards, assignments, targets within their region. A chart with anything else runs on the interpreter.
 */
import type {
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  ContextFrom,
  InputFrom,
  SnapshotFrom,
} from 'xstate';
import { type GivesChanges, type WorkOnCopy, workOf } from './on-copy.ts';

type Context = AnyMachineSnapshot['context'];
type Guard = (args: { context: Context; event: AnyEventObject }) => boolean;
type CopyOf = (context: Context) => Context;
type Assignment = WorkOnCopy<Context, AnyEventObject>;

interface Candidate {
  readonly guard: Guard | undefined;
  readonly actions: readonly Assignment[];
  /** Where the region is afterwards; undefined where it stays. */
  readonly target: Leaf | undefined;
  /** Entry actions of the states on the way there. */
  readonly entry: readonly Assignment[];
}

/** An atomic state with all that it and its ancestors have to say. */
interface Leaf {
  readonly node: AnyStateNode;
  readonly region: number;
  /** Candidates by event type, those of the innermost state first. */
  readonly on: Map<string, readonly Candidate[]>;
  readonly always: readonly Candidate[];
}

/** Where all regions are, with everything in a snapshot but the context. */
interface Configuration {
  readonly leaves: readonly Leaf[];
  readonly snapshot: AnyMachineSnapshot;
  /** Where the regions are when one of them has gone to a leaf, as far as that has happened. */
  readonly after: Map<Leaf, Configuration>;
}

/** Kept in a snapshot under a symbol, which JSON leaves out. */
const CONFIGURATION = Symbol('configuration');
type Marked = AnyMachineSnapshot & { readonly [CONFIGURATION]?: Configuration };

const INIT = 'xstate.init';
const STOP = 'xstate.stop';
const NONE: readonly Candidate[] = [];

/**
 * The same machine with transitions worked out beforehand; the machine itself where that can't be done. `copyOf` copies a
 * context, field by field: a spread that meets many shapes asks the runtime for each property.
 */
export function compiled<M extends AnyStateMachine>(
  machine: M,
  copyOf: (context: ContextFrom<M>) => ContextFrom<M> = (context) => ({ ...(context as object) }) as ContextFrom<M>,
): M {
  let ready = READY.get(machine) as M | undefined;
  if (ready === undefined) {
    ready = madeReady(machine, copyOf);
    READY.set(machine, ready);
  }
  return ready;
}

const READY = new WeakMap<AnyStateMachine, AnyStateMachine>();

function madeReady<M extends AnyStateMachine>(machine: M, copyOf: CopyOf): M {
  const chart = Chart.of(machine, copyOf);
  if (chart === undefined) return machine;
  const ready = Object.create(machine) as M;
  ready.transition = (snapshot, event, scope) =>
    snapshot.status === 'active' ? chart.transition(snapshot, event) : machine.transition(snapshot, event, scope);
  ready.getInitialSnapshot = (_scope, input) => chart.initial(input);
  // One that this chart has made is whole; only one that was stored has to be put together.
  ready.restoreSnapshot = (snapshot, scope) =>
    (snapshot as Partial<Marked>)[CONFIGURATION] === undefined
      ? machine.restoreSnapshot(snapshot, scope)
      : (snapshot as AnyMachineSnapshot);
  (ready as Ready)[CHART] = chart;
  return ready;
}

const CHART = Symbol('chart');
type Ready = AnyStateMachine & { [CHART]?: Chart };

/** Where an actor of this machine begins; undefined where the machine is not compiled, and only XState can say. */
export function beginningOf<M extends AnyStateMachine>(machine: M, input: InputFrom<M>): SnapshotFrom<M> | undefined {
  return (machine as Ready)[CHART]?.initial(input) as SnapshotFrom<M> | undefined;
}

/** A part of a chart that is not compiled. */
class Unsupported extends Error {}

class Chart {
  readonly #machine: AnyStateMachine;
  readonly #copyOf: CopyOf;
  readonly #leaves = new Map<AnyStateNode, Leaf>();
  readonly #configurations = new Map<string, Configuration>();
  readonly #start: Configuration;
  readonly #startEntry: readonly Assignment[];

  static of(machine: AnyStateMachine, copyOf: CopyOf): Chart | undefined {
    try {
      return new Chart(machine, copyOf);
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
  }

  constructor(machine: AnyStateMachine, copyOf: CopyOf) {
    this.#machine = machine;
    this.#copyOf = copyOf;
    const regions = machine.root.type === 'parallel' ? Object.values(machine.root.states) : [machine.root];
    for (const [at, region] of regions.entries()) this.#collect(region, at);
    for (const leaf of this.#leaves.values()) this.#fill(leaf);
    const starts = regions.map((region) => this.#leafBelow(region));
    this.#start = this.#configuration(starts.map((node) => this.#leaf(node)));
    this.#startEntry = starts.flatMap((node) => this.#entryBetween(machine.root, node));
  }

  // --- compiling ---------------------------------------------------------------------------------------------

  #collect(node: AnyStateNode, region: number): void {
    if (node.exit.length > 0 || node.invoke.length > 0 || node.type === 'history' || node.type === 'final') {
      throw new Unsupported(node.id);
    }
    if (node.type === 'atomic') this.#leaves.set(node, { node, region, on: new Map(), always: [] });
    else if (node.type === 'parallel') throw new Unsupported(node.id);
    for (const child of Object.values(node.states)) this.#collect(child, region);
  }

  #fill(leaf: Leaf): void {
    const always = leaf.always as Candidate[];
    for (const node of pathUp(leaf.node)) {
      for (const [type, transitions] of node.transitions) {
        if (type.includes('*')) throw new Unsupported(`${node.id} ${type}`);
        const candidates = transitions.map((transition) => this.#candidate(transition, leaf));
        leaf.on.set(type, [...(leaf.on.get(type) ?? NONE), ...candidates]);
      }
      for (const transition of node.always ?? []) always.push(this.#candidate(transition, leaf));
    }
  }

  #candidate(transition: TransitionOf<AnyStateNode>, leaf: Leaf): Candidate {
    const { source, target, reenter } = transition;
    const guard = transition.guard === undefined ? undefined : this.#guard(transition.guard);
    const actions = transition.actions.map((action) => this.#assignment(action));
    if (target === undefined) return { guard, actions, target: undefined, entry: [] };
    const [aim] = target;
    if (target.length !== 1 || aim === undefined || reenter || aim === source) throw new Unsupported(source.id);
    const node = this.#leafBelow(aim);
    if (this.#leaf(node).region !== leaf.region) throw new Unsupported(source.id);
    const domain = isBelow(aim, source) ? source : commonAncestor(source, aim);
    return { guard, actions, target: this.#leaf(node), entry: this.#entryBetween(domain, node) };
  }

  #guard(guard: unknown): Guard {
    const found = typeof guard === 'string' ? this.#machine.implementations.guards[guard] : undefined;
    if (typeof found !== 'function' || 'check' in found) throw new Unsupported(String(guard));
    return found as unknown as Guard;
  }

  #assignment(action: unknown): Assignment {
    const name = typeof action === 'string' ? action : String((action as { readonly type?: string }).type);
    const found = this.#machine.implementations.actions[name] as { readonly assignment?: unknown } | undefined;
    if (typeof found?.assignment !== 'function') throw new Unsupported(name);
    return workOf(found.assignment as GivesChanges<Context, AnyEventObject>);
  }

  #entryBetween(domain: AnyStateNode, leaf: AnyStateNode): Assignment[] {
    const entered = pathUp(leaf).filter((node) => isBelow(node, domain));
    return entered.reverse().flatMap((node) => node.entry.map((action) => this.#assignment(action)));
  }

  #leafBelow(node: AnyStateNode): AnyStateNode {
    let at = node;
    while (at.type === 'compound') {
      const [first] = at.initial.target ?? [];
      if (first === undefined || at.initial.actions.length > 0) throw new Unsupported(at.id);
      at = first;
    }
    return at;
  }

  #leaf(node: AnyStateNode): Leaf {
    const leaf = this.#leaves.get(node);
    if (leaf === undefined) throw new Unsupported(node.id);
    return leaf;
  }

  // --- running -----------------------------------------------------------------------------------------------

  #configuration(leaves: readonly Leaf[]): Configuration {
    const key = leaves.map((leaf) => leaf.node.id).join(' ');
    let found = this.#configurations.get(key);
    if (found === undefined) {
      const value = leaves.reduce((whole, leaf) => withPath(whole, leaf.node.path), {} as object);
      const snapshot = this.#machine.resolveState({ value: value as never, context: {} });
      found = { leaves, snapshot, after: new Map() };
      this.#configurations.set(key, found);
    }
    return found;
  }

  /** A snapshot that another process or the interpreter has made. */
  #configurationOf(snapshot: AnyMachineSnapshot): Configuration {
    const atomic = snapshot._nodes.filter((node: AnyStateNode) => node.type === 'atomic');
    return this.#configuration(
      atomic.map((node: AnyStateNode) => this.#leaf(node)).sort((a: Leaf, b: Leaf) => a.region - b.region),
    );
  }

  initial(input: unknown): AnyMachineSnapshot {
    const event = { type: INIT, input };
    const { context: begin } = this.#machine.config;
    const context = this.#copyOf(
      typeof begin === 'function' ? (begin as (args: object) => Context)({ input }) : (begin ?? {}),
    );
    for (const assignment of this.#startEntry) assignment(context, event);
    return this.#settle(this.#start, context, event);
  }

  /** One copy of the context for the event, and every action works on it. */
  transition(snapshot: Marked, event: AnyEventObject): AnyMachineSnapshot {
    if (event.type === STOP) return { ...snapshot, status: 'stopped' } as AnyMachineSnapshot;
    const configuration = snapshot[CONFIGURATION] ?? this.#configurationOf(snapshot);
    const named = select(configuration, event, snapshot.context, event.type);
    const taken = named.length > 0 ? named : select(configuration, event, snapshot.context, undefined);
    if (taken.length === 0) return snapshot;
    const context = this.#copyOf(snapshot.context);
    return this.#settle(this.#take(taken, configuration, context, event), context, event);
  }

  /** Takes eventless transitions until there are none. */
  #settle(from: Configuration, context: Context, event: AnyEventObject): AnyMachineSnapshot {
    let configuration = from;
    for (;;) {
      const enabled = select(configuration, event, context, undefined);
      if (enabled.length === 0) return snapshotAt(configuration, context);
      configuration = this.#take(enabled, configuration, context, event);
    }
  }

  /** One microstep: the actions of all transitions, then the entry actions of all states that are entered. */
  #take(taken: readonly Candidate[], from: Configuration, context: Context, event: AnyEventObject): Configuration {
    let configuration = from;
    for (const { actions, target } of taken) {
      for (const assignment of actions) assignment(context, event);
      if (target !== undefined) configuration = this.#moved(configuration, target);
    }
    for (const { entry } of taken) for (const assignment of entry) assignment(context, event);
    return configuration;
  }

  #moved(from: Configuration, target: Leaf): Configuration {
    let after = from.after.get(target);
    if (after === undefined) {
      after = this.#configuration(from.leaves.map((leaf) => (leaf.region === target.region ? target : leaf)));
      from.after.set(target, after);
    }
    return after;
  }
}

/** What is enabled in each region, at most one transition in each. Without a type: the eventless ones. */
function select(
  { leaves }: Configuration,
  event: AnyEventObject,
  context: Context,
  type: string | undefined,
): readonly Candidate[] {
  let taken: Candidate[] | undefined;
  for (const leaf of leaves) {
    const candidates = type === undefined ? leaf.always : leaf.on.get(type);
    if (candidates === undefined) continue;
    for (const candidate of candidates) {
      if (candidate.guard !== undefined && !candidate.guard({ context, event })) continue;
      if (taken === undefined) taken = [candidate];
      else taken.push(candidate);
      break;
    }
  }
  return taken ?? NONE;
}

function snapshotAt(configuration: Configuration, context: Context): AnyMachineSnapshot {
  const { snapshot } = configuration;
  const made = {
    status: snapshot.status,
    output: undefined,
    error: undefined,
    machine: snapshot.machine,
    context,
    _nodes: snapshot._nodes,
    value: snapshot.value,
    tags: snapshot.tags,
    children: {},
    historyValue: {},
    matches: snapshot.matches,
    hasTag: snapshot.hasTag,
    can: snapshot.can,
    getMeta: snapshot.getMeta,
    toJSON: snapshot.toJSON,
    [CONFIGURATION]: configuration,
  };
  return made as unknown as AnyMachineSnapshot;
}

// --- the tree ------------------------------------------------------------------------------------------------

type TransitionOf<N extends AnyStateNode> = N['transitions'] extends Map<string, (infer T)[]> ? T : never;

/** The node and its ancestors, the root last. */
function pathUp(node: AnyStateNode): AnyStateNode[] {
  const path: AnyStateNode[] = [];
  for (let at: AnyStateNode | undefined = node; at !== undefined; at = at.parent) path.push(at);
  return path;
}

function isBelow(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return node !== ancestor && pathUp(node).includes(ancestor);
}

function commonAncestor(left: AnyStateNode, right: AnyStateNode): AnyStateNode {
  const above = pathUp(left).slice(1);
  return pathUp(right)
    .slice(1)
    .find((node) => above.includes(node)) as AnyStateNode;
}

/** `{a: {b: {}}}` with the path added; XState resolves it to a state value. */
function withPath(value: object, path: readonly string[]): object {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const inner = (value as Record<string, object>)[first] ?? {};
  return { ...value, [first]: withPath(inner, rest) };
}
