/** A play as a link: what it begins with, what was done in it and when, and where it stood. The same link, the same play. */
import { actIn, actText, type Done, type Instant, instantIn, shortened } from './acts.ts';
import { type OpenedScene, sceneIn } from './scene-check.ts';
import { type CallSetting, PLAIN_CALL, settingParts, settingValue } from './setting.ts';

export type Beginning =
  | { readonly kind: 'call'; readonly setting: CallSetting }
  /** A scene of the property tests: one function, and a script. */
  | ({ readonly kind: 'scene' } & OpenedScene);

export interface Link {
  readonly beginning: Beginning;
  readonly acts: readonly Done[];
  /** Where to open it; the beginning where there is none. */
  readonly upTo: Instant | undefined;
}

/** Acts in one play. */
export const MOST_ACTS = 300;
/** Longest link that is read, characters behind the `#`. */
export const LONGEST_LINK = 120_000;

/** What stands behind the `#`. */
export function linkText({ beginning, acts, upTo }: Link): string {
  const parts: [string, string][] = [];
  if (beginning.kind === 'call') parts.push(['play', 'call'], ...settingParts(beginning.setting));
  else parts.push(['scene', sceneText(beginning)]);
  if (acts.length > 0) parts.push(['acts', acts.map(actText).join(',')]);
  if (upTo !== undefined) parts.push(['at', `${upTo.fired ?? '-'}.${upTo.at}`]);
  return parts.map(([name, value]) => `${name}=${value}`).join('&');
}

/** Reads what stands behind the `#`; nothing is a plain call. Throws an `Error` that says what is wrong with it. */
export function linkIn(hash: string): Link {
  const text = hash.replace(/^#/, '');
  if (text.length > LONGEST_LINK) throw new Error(`a link has at most ${LONGEST_LINK} characters, this ${text.length}`);
  const parts = new Map<string, string>();
  for (const part of text.split('&').filter((each) => each !== '')) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    if (parts.has(name)) throw new Error(`"${shortened(name)}" stands twice in the link`);
    parts.set(name, equals < 0 ? '' : decoded(part.slice(equals + 1)));
  }
  const acts = actsIn(parts.get('acts') ?? '');
  const at = parts.get('at');
  const upTo = at === undefined ? undefined : instantIn(at);
  for (const known of ['acts', 'at']) parts.delete(known);
  return { beginning: beginningIn(parts), acts, upTo };
}

function beginningIn(parts: Map<string, string>): Beginning {
  const scene = parts.get('scene');
  if (scene !== undefined) {
    parts.delete('scene');
    const [other] = parts.keys();
    if (other !== undefined)
      throw new Error(`a scene brings its own setting: "${shortened(other)}" has no place beside it`);
    return { kind: 'scene', ...sceneIn(plainText(scene)) };
  }
  const play = parts.get('play') ?? 'call';
  if (play !== 'call') throw new Error(`there is nothing called "${shortened(play)}" to play`);
  parts.delete('play');
  const given = [...parts].map(([name, value]) => [name, settingValue(name, value)]);
  return { kind: 'call', setting: { ...PLAIN_CALL, ...Object.fromEntries(given) } };
}

function actsIn(text: string): Done[] {
  if (text === '') return [];
  const acts = text.split(',', MOST_ACTS + 1);
  if (acts.length > MOST_ACTS) throw new Error(`a play has at most ${MOST_ACTS} acts`);
  const done = acts.map(actIn);
  done.forEach(({ at, fired }, index) => {
    const before = done[index - 1];
    if (before === undefined || (before.at <= at && (before.fired ?? 0) <= (fired ?? Number.POSITIVE_INFINITY))) return;
    throw new Error(`act ${index + 1} of the link comes before the one in front of it`);
  });
  return done;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`"${shortened(text)}" is not encoded as a part of a link`);
  }
}

// --- scenes --------------------------------------------------------------------------------------------------

/** A scene as it stands behind `scene=`: its JSON in letters that every terminal and every link takes (RFC 4648 5). */
export function sceneText({ scene, found, invariant }: Pick<OpenedScene, 'scene'> & Partial<OpenedScene>): string {
  const told = {
    ...(found === undefined ? {} : { found }),
    ...(invariant === undefined ? {} : { invariant }),
    scene,
  };
  // Only ASCII, as btoa asks for it.
  const json = JSON.stringify(told).replace(
    /[^ -~]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return btoa(json).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** JSON as it is, or as `sceneText` wrote it. */
function plainText(text: string): string {
  if (text.trimStart().startsWith('{')) return text;
  try {
    return atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  } catch {
    throw new Error('what stands behind "scene=" is neither JSON nor base64url; it may have been cut');
  }
}
