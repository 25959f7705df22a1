/** A session along its steps and messages: what is in its ladder, and where the session was at a point of it. */

export interface TimelineStep {
  readonly n: number;
  readonly at: number;
  readonly event: string;
  readonly call: string;
  readonly recording: string;
  readonly transitions: readonly string[];
}

export interface TimelineMessage {
  readonly n: number;
  readonly at: number;
  readonly leg: string;
}

export type LadderRow<S, M> =
  | { readonly kind: 'message'; readonly n: number; readonly at: number; readonly message: M }
  | {
      readonly kind: 'step';
      readonly n: number;
      readonly at: number;
      readonly step: S;
      /** Where it led, where that is elsewhere than before. */
      readonly call: string | null;
      readonly recording: string | null;
    };

/** Steps and messages in the order in which they happened. */
export function ladderRows<S extends TimelineStep, M extends TimelineMessage>(
  steps: readonly S[],
  messages: readonly M[],
): LadderRow<S, M>[] {
  let [call, recording] = ['', 'off'];
  const stepRows = steps.map((step): LadderRow<S, M> => {
    const moved = {
      call: step.call === call ? null : step.call,
      recording: step.recording === recording ? null : step.recording,
    };
    call = step.call;
    recording = step.recording;
    return { kind: 'step', n: step.n, at: step.at, step, ...moved };
  });
  const messageRows = messages.map(
    (message): LadderRow<S, M> => ({ kind: 'message', n: message.n, at: message.at, message }),
  );
  return [...stepRows, ...messageRows].sort((left, right) => left.n - right.n);
}

/** The last step at or before this point; undefined before the first. */
export function stepAt<S extends TimelineStep>(steps: readonly S[], n: number): S | undefined {
  return steps.findLast((step) => step.n <= n);
}

/** Legs in the order of the ladder: whoever invited on the left, those invited on the right. */
export function legsOf(messages: readonly TimelineMessage[], known: readonly string[]): string[] {
  const legs = new Set([...known, ...messages.map(({ leg }) => leg)]);
  const far = [...legs]
    .filter((leg) => leg !== 'a')
    .sort((left, right) => left.length - right.length || (left < right ? -1 : 1));
  return ['a', ...(far.length === 0 ? ['b'] : far)];
}

/** `inviting.ringing` of the call, `live` of the recording, as the chart names its states; outer states too. */
export function pathsOf(call: string, recording: string): string[] {
  const paths = (region: string, state: string): string[] =>
    state.split('.').reduce<string[]>((all, part) => all.concat(`${all.at(-1)}.${part}`), [region]);
  return [...paths('call', call), ...paths('recording', recording)];
}

export interface Travelled {
  /** States that were passed on the way. */
  readonly states: ReadonlySet<string>;
  /** Transitions that were taken, those of the step at hand apart. */
  readonly transitions: ReadonlySet<string>;
  readonly latest: ReadonlySet<string>;
}

/** The way up to this point. */
export function travelled(steps: readonly TimelineStep[], n: number): Travelled {
  const past = steps.filter((step) => step.n <= n);
  const taken = past.flatMap(({ transitions }) => transitions);
  const states = new Set(past.flatMap(({ call, recording }) => pathsOf(call, recording)));
  for (const transition of taken) {
    const [source = ''] = transition.split(':');
    for (const state of ancestry(source)) states.add(state);
  }
  return { states, transitions: new Set(taken), latest: new Set(past.at(-1)?.transitions ?? []) };
}

function ancestry(path: string): string[] {
  const keys = path.split('.');
  return keys.map((_, at) => keys.slice(0, at + 1).join('.'));
}

export interface Changes {
  readonly legs: readonly (readonly [leg: string, from: string | null, to: string])[];
  readonly deadlines: readonly (readonly [name: string, change: 'set' | 'moved' | 'taken away'])[];
}

interface Held {
  readonly legs: Readonly<Record<string, { readonly phase: string }>>;
  readonly deadlines: Readonly<Record<string, number>>;
}

/** What a step changed in what the session holds. */
export function changesOf(before: Held | undefined, after: Held): Changes {
  const legs = Object.entries(after.legs)
    .map(([leg, { phase }]) => [leg, before?.legs[leg]?.phase ?? null, phase] as const)
    .filter(([, from, to]) => from !== to);
  const names = new Set([...Object.keys(before?.deadlines ?? {}), ...Object.keys(after.deadlines)]);
  const deadlines = [...names].flatMap((name) => {
    const [was, is] = [before?.deadlines[name], after.deadlines[name]];
    if (was === is) return [];
    return [[name, was === undefined ? 'set' : is === undefined ? 'taken away' : 'moved'] as const];
  });
  return { legs, deadlines };
}
