/** The playground: the picture and the ladder on the left, a function and the invariants on the right. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { offset } from '../../page/format.ts';
import { useKeys } from '../../page/hooks.ts';
import { KeysDialog, Panel } from '../../page/parts.tsx';
import type { Charts } from '../../page/told.ts';
import type { MemberId } from '../acts.ts';
import { linkText } from '../link.ts';
import type { Play } from '../play.ts';
import type { PlayedFunction } from '../theatre.ts';
import type { Verdict } from '../verdicts.ts';
import { Actions } from './actions.tsx';
import { hashOfScene, SceneDialog, SettingDialog } from './dialogs.tsx';
import { FunctionView } from './function-view.tsx';
import { Head } from './head.tsx';
import { InvariantsPanel } from './invariants-view.tsx';
import { PlayLadder } from './ladder.tsx';
import { NetworkPicture } from './network.tsx';
import { type Chosen, type Player, usePlayer } from './player.ts';

export type Asking = 'setting' | 'scene' | 'keys' | undefined;

export function Playground({ charts }: { readonly charts: Charts }) {
  const player = usePlayer();
  const { play } = player;
  const first = play.theatre.members[0]?.id ?? 'alice';
  const [chosen, setChosen] = useState<Chosen>({ kind: 'member', id: first });
  const [at, setAt] = useState<number>();
  const [of, setOf] = useState<MemberId>('pfa');
  const [asking, setAsking] = useState<Asking>();
  // Another play has other members and other rows.
  useEffect(() => {
    setChosen({ kind: 'member', id: first });
    setAt(undefined);
  }, [play]);
  useDrop(player);
  usePlayKeys(player, () => setAt(undefined), setAsking);
  const seen = `${play.rows.length} ${play.notebook.arrivals} ${play.flights.length}`;
  const judged = useVerdicts(player);
  // Whoever chooses a function wants to see it.
  const choose = (next: Chosen): void => {
    setChosen(next);
    if (next.kind === 'member' && play.theatre.functions.some(({ id }) => id === next.id)) setOf(next.id);
  };
  const look = (n: number): void => {
    setAt(n === at ? undefined : n);
    const row = play.rows[n];
    if (row?.kind === 'step') setOf(row.of);
  };
  return (
    <>
      <Head player={player} setAsking={setAsking} />
      {player.error !== undefined && (
        <p class="failure" role="alert">
          {player.error}
          <button type="button" class="quiet" aria-label="Close the message" onClick={() => player.fail(undefined)}>
            ×
          </button>
        </p>
      )}
      <main class="stage">
        <div class="left">
          <Panel title={titleOf(player)} class="network-panel" tools={<Time player={player} />}>
            <NetworkPicture play={play} frame={player.frame} chosen={chosen} choose={choose} />
            <Actions play={play} frame={player.frame} chosen={chosen} act={player.act} waitFor={player.waitFor} />
          </Panel>
          <Panel
            title="Ladder of all nodes"
            class="ladder-panel"
            tools={
              at !== undefined && (
                <button type="button" class="quiet" onClick={() => setAt(undefined)}>
                  Back to now
                </button>
              )
            }
          >
            <PlayLadder play={play} seen={seen} at={at} choose={look} />
          </Panel>
        </div>
        <div class="right">
          <FunctionView play={play} seen={seen} charts={charts} of={of} show={setOf} at={at}>
            <InvariantsPanel judged={judged} beginning={play.beginning} />
          </FunctionView>
        </div>
      </main>
      {asking === 'setting' && (
        <SettingDialog
          setting={play.beginning.kind === 'call' ? play.beginning.setting : undefined}
          close={() => setAsking(undefined)}
          open={(hash) => player.open(hash)}
        />
      )}
      {asking === 'scene' && (
        <SceneDialog close={() => setAsking(undefined)} open={(hash) => player.open(hash, false)} />
      )}
      {asking === 'keys' && <KeysDialog keys={KEYS} close={() => setAsking(undefined)} />}
    </>
  );
}

function titleOf({ play }: Player): string {
  const { beginning } = play;
  if (beginning.kind === 'call') return 'Network';
  return beginning.found === undefined ? 'A scene of the property tests' : `Found: ${beginning.found}`;
}

function Time({ player }: { readonly player: Player }) {
  const { play } = player;
  const { coming } = play;
  return (
    <>
      {coming.length > 0 && (
        <span class="when">
          {coming.length} {coming.length === 1 ? 'act' : 'acts'} to come
        </span>
      )}
      <output class="clock" aria-label="Virtual time">
        {offset(play.elapsed)} s
      </output>
    </>
  );
}

/** While time goes by, judging takes at most this share of it, and is done at most so often. */
const JUDGING_SHARE = 0.1;
const JUDGING_MS = 250;

type Judged = readonly (readonly [PlayedFunction, readonly Verdict[]])[];

/** At once where it stands still; else now and then, since judging a long play takes a while. */
function useVerdicts({ play, running }: Player): Judged {
  const last = useRef<{ play: Play; key: string; at: number; took: number; judged: Judged } | undefined>(undefined);
  const key = `${play.rows.length} ${play.notebook.arrivals} ${play.elapsed}`;
  const before = last.current;
  const now = performance.now();
  if (before !== undefined && before.play === play) {
    const due = before.at + Math.max(JUDGING_MS, before.took / JUDGING_SHARE);
    if (before.key === key || (running && now < due)) return before.judged;
  }
  const judged = play.theatre.functions.map((each) => [each, play.verdicts(each)] as const);
  last.current = { play, key, at: now, took: performance.now() - now, judged };
  return judged;
}

/** A scene's file can be dropped anywhere. */
function useDrop(player: Player): void {
  const latest = useRef(player);
  latest.current = player;
  useEffect(() => {
    const over = (event: DragEvent): void => event.preventDefault();
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      const { open, fail } = latest.current;
      const text = event.dataTransfer?.files[0]?.text() ?? Promise.resolve(event.dataTransfer?.getData('text') ?? '');
      text
        .then((json) => open(hashOfScene(json)))
        .catch((error: Error) => fail(`What was dropped can't be opened: ${error.message}.`));
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, []);
}

function usePlayKeys(player: Player, toNow: () => void, ask: (what: Asking) => void): void {
  useKeys((key, event) => {
    const onButton = (event.target as HTMLElement).closest('button, select, summary') !== null;
    if (key === ' ' && !onButton) player.run(!player.running);
    else if (key === 'p') player.run(!player.running);
    else if (key === '.') player.step();
    else if (key === 'e') player.toTheEnd();
    else if (key === 'a') player.again();
    else if (key === 'Escape') toNow();
    else if (key === '?') ask('keys');
    else return false;
    return true;
  });
}

const KEYS: readonly (readonly [string, string])[] = [
  ['p, space', 'play, pause'],
  ['.', 'one step: until something can be seen'],
  ['e', 'to the end: until all is over and forgotten'],
  ['a', 'again from the beginning'],
  ['↑ ↓', 'along the ladder'],
  ['Esc', 'back to now'],
];

/** The whole address of the play as it stands. */
export function addressOf({ play }: Player): string {
  return `${location.href.replace(/#.*$/, '')}#${linkText(play.link())}`;
}
