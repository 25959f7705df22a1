/** A scene that came from a file or a link, before it is played: everything in it is what it must be, and bounded. */

import type { Scene } from '../testing/scenario/scene.ts';
import { LONGEST_MS } from './acts.ts';

/** Says what is wrong with a value at a place, or nothing. */
type Check = (value: unknown, place: string) => void;

function wrong(place: string, what: string): never {
  throw new Error(`${place} must be ${what}`);
}

const whole =
  (least: number, most: number): Check =>
  (value, place) => {
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
    wrong(place, `a whole number from ${least} to ${most}`);
  };

const word =
  (...words: readonly string[]): Check =>
  (value, place) => {
    if (!words.includes(value as string)) wrong(place, words.map((each) => `"${each}"`).join(' or '));
  };

const yesNo: Check = (value, place) => {
  if (typeof value !== 'boolean') wrong(place, 'true or false');
};

const orNull =
  (check: Check): Check =>
  (value, place) => {
    if (value !== null) check(value, place);
  };

const optional =
  (check: Check): Check =>
  (value, place) => {
    if (value !== undefined) check(value, place);
  };

const list =
  (check: Check, most: number, least = 0): Check =>
  (value, place) => {
    if (!Array.isArray(value) || value.length > most || value.length < least) {
      wrong(place, `a list of ${least === 0 ? 'at most' : `${least} to`} ${most}`);
    }
    (value as unknown[]).forEach((each, at) => {
      check(each, `${place}[${at}]`);
    });
  };

type Shape = Readonly<Record<string, Check>>;

function record(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(place, 'an object');
  return value as Record<string, unknown>;
}

function keysOf(value: unknown, shape: Shape, place: string): Record<string, unknown> {
  const given = record(value, place);
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(shape, key))
      throw new Error(`${place} has no "${key.slice(0, 40)}"; it has ${Object.keys(shape).join(', ')}`);
  }
  return given;
}

/** All of these and nothing else. */
const object =
  (shape: Shape): Check =>
  (value, place) => {
    const given = keysOf(value, shape, place);
    for (const [key, check] of Object.entries(shape)) check(given[key], `${place}.${key}`);
  };

/** Some of these and nothing else. */
const some =
  (shape: Shape): Check =>
  (value, place) => {
    for (const [key, each] of Object.entries(keysOf(value, shape, place))) shape[key]?.(each, `${place}.${key}`);
  };

/** One of several shapes, told apart by one key. */
const oneOf =
  (key: string, shapes: Readonly<Record<string, Shape>>): Check =>
  (value, place) => {
    const name = record(value, place)[key];
    if (typeof name !== 'string' || !Object.hasOwn(shapes, name)) word(...Object.keys(shapes))(name, `${place}.${key}`);
    object({ [key]: word(name as string), ...shapes[name as string] })(value, place);
  };

const time = whole(0, LONGEST_MS);
const who = word('near', 'far', 'iwf1', 'iwf2');
const lines = list(list(whole(0, 7), 8), 32, 1);
const status = orNull(whole(200, 699));

const manner: Shape = {
  answers: list(status, 32, 1),
  answerAfterMs: time,
  rings: whole(0, 8),
  reliable: yesNo,
  forkAfterMs: orNull(time),
  rejects: lines,
  ack: word('prompt', 'late', 'never'),
  bye: status,
  inDialog: status,
  cancel: word('honoured', 'ignored', 'accepted'),
  timer: word('none', 'uac', 'uas'),
  repeats: yesNo,
};
const network: Shape = { loss: whole(0, 100), duplication: whole(0, 100), delayMs: whole(0, 60_000) };
const mediaPath = word('always', 'auto', 'never');
const partialClose = word('streams', 'session');
const operation = whole(0, 60_000);

const setting = object({
  role: word('orig', 'term'),
  mediaPath,
  interworked: yesNo,
  isf: yesNo,
  storage: yesNo,
  streams: whole(0, 8),
  partialClose,
  interval: whole(90, 86_400),
  refresher: word('us', 'peer'),
  supported: list(word('timer', '100rel'), 2),
  network: object(network),
  preferencesMs: orNull(time),
  xdms: optional(word('once', 'twice', 'contrary')),
  commitMs: operation,
  historyMs: operation,
  conduct: some({ near: some(manner), far: some(manner), iwf1: some(manner), iwf2: some(manner) }),
});

const command = oneOf('do', {
  wait: { ms: time },
  bye: { who, early: optional(yesNo) },
  cancel: { rash: yesNo },
  offer: { who, method: word('INVITE', 'UPDATE'), empty: yesNo, early: optional(yesNo) },
  ask: { who, method: word('INFO', 'OPTIONS', 'MESSAGE'), early: optional(yesNo) },
  retract: { who },
  deafen: { who },
  wake: { who },
  forget: { who },
  conduct: { who, change: some(manner) },
  cut: { who, way: word('to', 'from'), ms: time },
  faults: { faults: object(network) },
  crash: { instant: word('now', 'committed', 'stored'), downMs: time },
  history: { mood: word('well', 'failing', 'lost'), delayMs: operation },
  disk: { commitMs: operation, full: optional(yesNo) },
  policy: { change: some({ mediaPath, partialClose, recording: yesNo }) },
  order: { by: word('operator', 'shutdown') },
  mediaFails: {},
  invite: { how: word('merged', 'sameCallId', 'anew') },
});

const finale: Check = (value, place) => {
  const { mode, by } = record(value, place);
  if (mode === 'safety') {
    object({ mode: word('safety'), by: word('hangUp', 'operator', 'shutdown', 'silence') })(value, place);
  } else if (by === 'cut') {
    object({ mode: word('liveness'), by: word('cut'), who, way: word('to', 'from') })(value, place);
  } else object({ mode: word('liveness', 'safety'), by: word('health', 'cut') })(value, place);
};

const scene = object({
  seed: whole(0, 4_294_967_295),
  setting,
  commands: list(command, 200),
  finale,
});

/** What a file of `test/invariants/regressions/` tells beside its scene. */
export interface OpenedScene {
  readonly scene: Scene;
  readonly found: string | undefined;
  readonly invariant: number | undefined;
}

/** Longest text of a scene, characters. The longest that was ever kept has three thousand. */
export const LONGEST_SCENE = 65_536;

/**
 * Reads a scene, or a file that holds one with what it showed. Throws an `Error` that names the place and what must
 * stand there.
 */
export function sceneIn(text: string): OpenedScene {
  if (text.length > LONGEST_SCENE)
    throw new Error(`a scene has at most ${LONGEST_SCENE} characters, this ${text.length}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`this is no JSON: ${(error as Error).message}`);
  }
  const outer = record(value, 'the file');
  const kept = Object.hasOwn(outer, 'scene');
  const inner = kept ? outer.scene : outer;
  scene(inner, 'scene');
  return {
    scene: inner as Scene,
    found: kept && typeof outer.found === 'string' ? outer.found.slice(0, 300) : undefined,
    invariant: kept && typeof outer.invariant === 'number' ? outer.invariant : undefined,
  };
}
