/** Plays a scene from its first INVITE until nothing can happen any more, and hands over what was seen. */
import type { Chronicle } from '../chronicle.ts';
import { GOOD_CONDUCT } from '../endpoint/conduct.ts';
import { cut, invite, order, perform } from './commands.ts';
import type { Command, Finale, Scene } from './scene.ts';
import { Stage, type StageOptions } from './stage.ts';

/** What a scene leaves: the invariants are judged on it. */
export interface Played {
  readonly scene: Scene;
  readonly chronicle: Chronicle;
  readonly stage: Stage;
  /** Where everything is over but the last transactions: no session may be left. ms since the epoch. */
  readonly bound: number;
  /** Sessions that lived beyond the bound, with their states. */
  readonly overdue: readonly string[];
  /** What is held when everything has ended. */
  readonly held: readonly string[];
}

/** 64*T1, and then some for messages under way. */
const TRANSACTION_MS = 32_000;
/** Timer C, and how long its CANCEL may stay without an answer (RFC 3261 16.8, 16.10). */
const RINGING_MS = 181_000 + TRANSACTION_MS;
/** Time for the last transactions, for the longest pause of the outbox, and for an endpoint that says BYE at last. */
const LINGER_MS = 200_000;

/** Something that happens in a scene at its time, whatever else does. */
export interface Cue {
  /** ms since the beginning. */
  readonly at: number;
  readonly command: Command | 'invite' | 'finale' | 'heal';
  readonly run: () => void;
}

/** Everything that is done in a scene, in order, from its first INVITE to where the store is healed for the last checks. */
export function cuesOf(stage: Stage): readonly Cue[] {
  const { scene } = stage;
  let at = 0;
  const cues: Cue[] = [{ at, command: 'invite', run: () => invite(stage) }];
  for (const command of scene.commands) {
    if (command.do === 'wait') at += command.ms;
    else cues.push({ at, command, run: () => perform(command, stage) });
  }
  cues.push({ at, command: 'finale', run: () => finish(stage) });
  // What is checked from here on is that everything is let go; the stores must be there for that.
  const heal = (): void => {
    stage.history.mood = 'well';
    stage.history.delayMs = 0;
    stage.pf.store.failure = null;
  };
  return [...cues, { at: at + boundOf(scene), command: 'heal', run: heal }];
}

export function play(scene: Scene, options: StageOptions = {}): Played {
  const stage = new Stage(scene, options);
  const { world, pf, chronicle } = stage;
  const { clock } = world;
  const began = clock.now();
  let overdue: string[] = [];
  for (const { at, command, run } of cuesOf(stage)) {
    clock.advanceTo(began + at);
    if (command === 'heal') {
      overdue = [...pf.engine.sessions.values()].map((session) => `session ${session.id} in ${session.state}`);
    }
    run();
  }
  const bound = clock.now();
  world.advance(LINGER_MS);
  return { scene, chronicle, stage, bound, overdue, held: stage.watched.held };
}

function finish(stage: Stage): void {
  const { finale } = stage.scene;
  stage.watched.restart();
  disarm(stage);
  if (finale.mode === 'liveness') liveness(finale, stage);
  else if (finale.by === 'hangUp') hangUp(stage);
  else if (finale.by === 'silence') for (const endpoint of Object.values(stage.endpoints)) endpoint.deaf = true;
  else {
    order(finale.by, stage);
    stage.pf.engine.refusing = true;
    // Whatever was still on its way in is refused; what is in proxy mode nobody but its users can end.
    hangUp(stage);
  }
}

/** A crash that was ordered and has not come would come at the end. */
function disarm(stage: Stage): void {
  stage.pf.store.written = () => {};
  stage.history.done = () => {};
}

function liveness(finale: Extract<Finale, { mode: 'liveness' }>, stage: Stage): void {
  if (finale.by === 'cut') {
    cut(stage, stage.endpoints[finale.who], finale.way, Number.POSITIVE_INFINITY);
    hangUp(stage);
    return;
  }
  stage.weather.calm();
  stage.pf.store.failure = null;
  for (const endpoint of Object.values(stage.endpoints)) {
    endpoint.conduct = GOOD_CONDUCT;
    endpoint.deaf = false;
  }
  hangUp(stage);
}

function hangUp(stage: Stage): void {
  for (const endpoint of Object.values(stage.endpoints)) endpoint.hangUp();
}

/**
 * How long sessions may still live: until a ringing that nobody ends is given up, here and behind the ISF, the session
 * timer of what was accepted at the last moment expires, and then the teardown. Sessions that nobody is there to end
 * have no shorter one.
 */
function boundOf({ setting, commands }: Scene): number {
  const { interval } = setting;
  // A peer may ask for a longer interval by 422, and the timer starts anew with what is agreed upon last.
  const longest = 2 * RINGING_MS + Math.max(interval, 120) * 1000;
  const down = commands.reduce((sum, command) => sum + (command.do === 'crash' ? command.downMs : 0), 0);
  return longest + 4 * TRANSACTION_MS + down + 40_000;
}
