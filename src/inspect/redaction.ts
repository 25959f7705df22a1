/**
 * What of a session may leave in a frame: an allow-list over the whole of it. What is not named here stays, whatever a
 * later version of the chart puts into its context; addresses, profiles, policies and message texts never leave. Texts
 * that do leave have their telephone numbers masked, by the rule of the logs.
 */

/** `true` lets a plain value through, `each` what is under any key or in any place, names only what they name. */
type Shape = true | Each | Named;
interface Each {
  readonly each: Shape;
}
interface Named {
  readonly [name: string]: Shape;
}

const LEG: Shape = {
  peer: true,
  phase: true,
  streams: { each: true },
  timer: { se: true, refresher: true },
  allowsUpdate: true,
};

/** Of a context. */
export const CONTEXT: Named = {
  id: true,
  role: true,
  mode: true,
  invite: { group: true, anonymityRequested: true, streams: { each: { media: true, disabled: true } } },
  legs: { each: LEG },
  current: true,
  carriers: { each: true },
  attempts: { invites: true, redirects: true, isf: true, intervals: true },
  relays: { each: { from: true, exchange: true, to: true, as: true, method: true, answered: true } },
  byes: { each: { leg: true, exchange: true } },
  drops: { each: true },
  history: {
    wanted: true,
    sessionInfoUid: true,
    groupStateUid: true,
    sealed: true,
    settled: true,
    failures: true,
  },
  deadlines: { each: true },
  ending: { reason: true, by: true, awaited: { each: true }, joinOver: true },
  checkpoint: true,
  step: true,
  effects: { each: { type: true, id: true, leg: true, status: true, method: true } },
};

/** Of an event. */
export const EVENT: Named = {
  type: true,
  step: true,
  at: true,
  leg: true,
  status: true,
  fork: true,
  reliable: true,
  accepted: { each: true },
  exchange: true,
  method: true,
  offer: true,
  silent: true,
  minSE: true,
  timer: { supported: true, se: true, minSE: true, refresher: true },
  sessionInfoUid: true,
  groupStateUid: true,
  by: true,
};

export type Mask = (text: string) => string;

/** The value with only what its shape lets through; texts masked. What has another shape than expected is left out. */
export function allowed(value: unknown, shape: Shape, mask: Mask): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return shape === true ? mask(value) : undefined;
  if (typeof value !== 'object' || shape === true) return undefined;
  if (Array.isArray(value)) return isEach(shape) ? value.map((item) => allowed(item, shape.each, mask)) : undefined;
  const passed: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const known = isEach(shape) ? shape.each : Object.hasOwn(shape, key) ? shape[key] : undefined;
    // A session's key is no number, even where it ends in digits.
    if (known !== undefined) passed[key] = allowed(inner, known, key === 'id' ? asItIs : mask);
  }
  return passed;
}

function isEach(shape: Each | Named): shape is Each {
  return 'each' in shape;
}

function asItIs(text: string): string {
  return text;
}
