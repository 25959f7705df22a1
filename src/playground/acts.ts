/**
 * What a person can do in the playground. Each act is a word with a few short values, so that all of them fit into a
 * link and can be read there: `crash.pfa.now.2000`.
 */

/** A value of an act: how it stands in a link. Undefined where the text is none. */
interface Kind<T> {
  readonly says: string;
  parse(text: string): T | undefined;
}

function word<T extends string>(...words: readonly T[]): Kind<T> {
  return {
    says: words.join(', '),
    parse: (text) => words.find((each) => each === text),
  };
}

function whole(least: number, most: number): Kind<number> {
  return {
    says: `a whole number from ${least} to ${most}`,
    parse: (text) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
  };
}

/** Everybody who can be on the stage: of a call, and of a scene of the property tests. */
export const MEMBERS = ['alice', 'bob', 'near', 'far', 'iwf1', 'iwf2', 'isf', 'core', 'pfa', 'pfb', 'pf'] as const;
export type MemberId = (typeof MEMBERS)[number];

const who = word(...MEMBERS);
const yes = word('on', 'off');

/** Longest time that can be asked for, ms: a day. */
export const LONGEST_MS = 86_400_000;
const time = whole(0, LONGEST_MS);

/** Each act with its values in the order of the link. */
export const ACTS = {
  invite: { to: word('bob', 'carol'), streams: whole(0, 4) },
  cancel: { who },
  hangup: { who },
  offer: { who },
  ring: { who },
  accept: { who },
  refuse: { who, status: whole(300, 699) },
  /** Decides by hand what invitations get, not by itself. */
  hand: { who, set: yes },
  /** Hears and says nothing. */
  deaf: { who, set: yes },
  /** Has lost its dialogs: 481 to whatever is asked in them. */
  forget: { who },
  /** Streams that an IWF takes of those it is offered. */
  takes: { who, which: word('all', 'first', 'second', 'none') },
  /** Bob's client is registered. */
  phone: { set: yes },
  /** At once, or as soon as something is stored and nobody has heard of it; down for so long, 0: until it is started. */
  crash: { who, instant: word('now', 'committed', 'stored'), down: time },
  start: { who },
  store: { who, mood: word('well', 'failing', 'lost'), delay: whole(0, 60_000) },
  end: { who, by: word('operator', 'shutdown') },
  /** Nothing passes from one to the other; `both`: nor back. */
  cut: { from: who, to: who, way: word('both', 'one') },
  mend: { from: who, to: who },
  drop: { flight: whole(1, 1_000_000) },
  delay: { flight: whole(1, 1_000_000), ms: time },
  double: { flight: whole(1, 1_000_000) },
  /** What becomes of the next message from one to the other. */
  next: { from: who, to: who, fate: word('drop', 'delay', 'double') },
} as const;

type Shapes = typeof ACTS;
export type Verb = keyof Shapes;
type ValueOf<K> = K extends Kind<infer T> ? T : never;
type ActOf<V extends Verb> = { readonly do: V } & { readonly [A in keyof Shapes[V]]: ValueOf<Shapes[V][A]> };
export type Act = { [V in Verb]: ActOf<V> }[Verb];
export type ActNamed<V extends Verb> = Extract<Act, { do: V }>;

/** Where in a play something was done: so many ms after its beginning, when so many timers had fired. */
export interface Instant {
  readonly at: number;
  /** Null: when everything that was due by then had happened. */
  readonly fired: number | null;
}

export interface Done extends Instant {
  readonly act: Act;
}

/** `41.2100.crash.pfa.now.2000`; a `-` in front where timers are not counted. */
export function actText({ at, fired, act }: Done): string {
  const values = Object.keys(ACTS[act.do]).map((name) => String((act as unknown as Record<string, unknown>)[name]));
  return [fired ?? '-', at, act.do, ...values].join('.');
}

/** Reads one act. Throws an `Error` that says what is wrong with the text. */
export function actIn(text: string): Done {
  const [fired = '', at = '', verb = '', ...values] = text.split('.');
  const shape = Object.hasOwn(ACTS, verb) ? (ACTS[verb as Verb] as Record<string, Kind<unknown>>) : undefined;
  if (shape === undefined) throw new Error(`"${shortened(text)}" is no act: there is no "${shortened(verb)}"`);
  const names = Object.keys(shape);
  if (values.length !== names.length) {
    throw new Error(`"${shortened(text)}" needs ${names.length} values after "${verb}": ${names.join(', ')}`);
  }
  const act: Record<string, unknown> = { do: verb };
  names.forEach((name, index) => {
    act[name] = checked(shape[name] as Kind<unknown>, name, values[index] ?? '');
  });
  const instant = instantIn(`${fired}.${at}`);
  return { ...instant, act: act as Act };
}

function checked(kind: Kind<unknown>, name: string, text: string): unknown {
  const value = kind.parse(text);
  if (value === undefined) throw new Error(`"${shortened(text)}" is no ${name}: it is ${kind.says}`);
  return value;
}

/** `41.2100`, or `-.2100`: timers fired, ms. */
export function instantIn(text: string): Instant {
  const [fired = '', at = '', ...more] = text.split('.');
  if (more.length > 0) throw new Error(`"${shortened(text)}" is no instant: it is timers fired, a dot, and ms`);
  return {
    fired: fired === '-' ? null : (checked(FIRED, 'number of timers', fired) as number),
    at: checked(time, 'time', at) as number,
  };
}

const FIRED = whole(0, 10_000_000);

export function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
