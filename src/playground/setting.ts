/** What is fixed before a call is played. Each value has a default, and stands in a link only where it differs. */

export interface CallSetting {
  /** Of everything that is drawn: tags, Call-IDs, losses. */
  readonly seed: number;
  /** How the functions route: as B2BUA, as proxy, or as each session needs it. */
  readonly media: 'always' | 'auto' | 'never';
  /** Conversations are kept. */
  readonly storage: 'on' | 'off';
  /** A BYE of one of several IWFs ends its streams, or the session. */
  readonly close: 'streams' | 'session';
  /** Who refreshes the session, by the callee's answer: nobody, caller or callee. */
  readonly timer: 'none' | 'uac' | 'uas';
  /** Session interval, seconds. */
  readonly interval: number;
  /** How long a message takes from one node to the next, ms. */
  readonly hop: number;
  /** At most so much more, at random, ms: messages may overtake each other. */
  readonly jitter: number;
  /** Shares of messages that are lost, or come twice, per cent. */
  readonly loss: number;
  readonly twice: number;
  /** How long a commit of the session store takes, ms. */
  readonly commit: number;
}

export const PLAIN_CALL: CallSetting = {
  seed: 1,
  media: 'always',
  storage: 'on',
  close: 'streams',
  timer: 'none',
  interval: 1800,
  hop: 20,
  jitter: 0,
  loss: 0,
  twice: 0,
  commit: 0,
};

type Key = keyof CallSetting;

/** Numbers with their bounds, words with those that are possible. */
export const CHOICES: { readonly [K in Key]: readonly [number, number] | readonly string[] } = {
  seed: [0, 4_294_967_295],
  media: ['always', 'auto', 'never'],
  storage: ['on', 'off'],
  close: ['streams', 'session'],
  timer: ['none', 'uac', 'uas'],
  interval: [90, 7200],
  hop: [1, 5000],
  jitter: [0, 5000],
  loss: [0, 100],
  twice: [0, 100],
  commit: [0, 1000],
};

export const SETTING_KEYS = Object.keys(CHOICES) as readonly Key[];

/** Names and values that differ from the default. */
export function settingParts(setting: CallSetting): [name: string, value: string][] {
  return SETTING_KEYS.filter((key) => setting[key] !== PLAIN_CALL[key]).map((key) => [key, String(setting[key])]);
}

/** One value as it stands in a link or a form. Throws an `Error` that says what it may be. */
export function settingValue(key: string, text: string): string | number {
  const choice = Object.hasOwn(CHOICES, key) ? CHOICES[key as Key] : undefined;
  if (choice === undefined)
    throw new Error(`there is no setting "${key.slice(0, 40)}"; there are ${SETTING_KEYS.join(', ')}`);
  const [least, most] = choice;
  if (typeof least === 'string') {
    if ((choice as readonly string[]).includes(text)) return text;
    throw new Error(`${key} is one of ${choice.join(', ')}, not "${text.slice(0, 40)}"`);
  }
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= (most as number)) return value;
  throw new Error(`${key} is a whole number from ${least} to ${most}, not "${text.slice(0, 40)}"`);
}
