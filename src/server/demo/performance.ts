/** One performance of the demonstration from first to last, and what of it is worth telling. */
import { type JointRow, jointRows } from './joint-ladder.ts';
import { type KeptFolder, keptOf } from './kept.ts';
import { type Played, play, type Step } from './play.ts';
import { addressOf, type Stage, setStage } from './stage.ts';
import type { StateChange } from './states.ts';

/** Who takes part: a phone or a function, and where it listens. */
export interface Party {
  readonly name: string;
  readonly what: string;
  /** `host:port`, TCP. */
  readonly address: string;
}

export interface Performance {
  readonly conversationId: string;
  readonly contributionId: string;
  readonly parties: readonly Party[];
  readonly steps: readonly Step[];
  /** Messages and changes of state, in order. */
  readonly ladder: readonly JointRow[];
  /** Folders of each user. */
  readonly history: Readonly<Record<string, readonly KeptFolder[]>>;
}

/** Told of what happens, while it happens. */
export interface Audience {
  begins?(parties: readonly Party[]): void;
  step?(step: Step): void;
}

/** Sets the stage, plays, looks at what was kept, and clears everything away, also after a failure. */
export async function perform(audience: Audience): Promise<Performance> {
  const stage = await setStage();
  try {
    const parties = partiesOf(stage);
    audience.begins?.(parties);
    const played = await play(stage, (step) => audience.step?.(step));
    const { conversationId, contributionId, steps, states } = played;
    const ladder = ladderOf(stage, played, states);
    return { conversationId, contributionId, parties, steps, ladder, history: await historyOf(stage) };
  } finally {
    await stage.close();
  }
}

function partiesOf({ alice, originating, terminating, bob }: Stage): Party[] {
  return [
    { name: "Alice's phone", what: 'sip.js', address: alice.address },
    { name: "Alice's PF", what: 'originating', address: addressOf(originating) },
    { name: "Bob's PF", what: 'terminating', address: addressOf(terminating) },
    { name: "Bob's phone", what: 'sip.js', address: bob.address },
  ];
}

function ladderOf(stage: Stage, { sessions }: Played, states: readonly StateChange[]): JointRow[] {
  const { originating, terminating } = stage;
  const ladders = {
    originating: originating.ladders.of(sessions.originating) ?? [],
    terminating: terminating.ladders.of(sessions.terminating) ?? [],
  };
  return jointRows(ladders, states);
}

async function historyOf({ alice, bob, originating, terminating }: Stage): Promise<Performance['history']> {
  return {
    [alice.uri]: originating.history === undefined ? [] : await keptOf(originating.history, alice.uri),
    [bob.uri]: terminating.history === undefined ? [] : await keptOf(terminating.history, bob.uri),
  };
}
