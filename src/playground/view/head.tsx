/** The head of the page: time, stories, and the link. */
import { useState } from 'preact/hooks';
import { STORIES } from '../stories.ts';
import { type Asking, addressOf } from './app.tsx';
import type { Player } from './player.ts';

/** Virtual time against real time, as a name and a factor. */
const SPEEDS: readonly (readonly [name: string, speed: number])[] = [
  ['50 times slower', 0.02],
  ['20 times slower', 0.05],
  ['5 times slower', 0.2],
  ['real time', 1],
  ['20 times faster', 20],
  ['500 times faster', 500],
];

export function Head({ player, setAsking }: { readonly player: Player; readonly setAsking: (what: Asking) => void }) {
  const { running } = player;
  return (
    <header class="frame">
      <span class="brand">cpm-engine playground</span>
      <div class="transport" role="group" aria-label="Time">
        <button
          type="button"
          aria-label="Again from the beginning"
          title="Again from the beginning"
          onClick={player.again}
        >
          ↺
        </button>
        <button type="button" class="main" onClick={() => player.run(!running)}>
          {running ? 'Pause' : 'Play'}
        </button>
        <button type="button" onClick={player.step}>
          Step
        </button>
        <button type="button" title="Until all is over and forgotten" onClick={player.toTheEnd}>
          To the end
        </button>
        <select
          aria-label="Speed"
          value={String(player.speed)}
          onChange={(event) => player.setSpeed(Number(event.currentTarget.value))}
        >
          {SPEEDS.map(([name, speed]) => (
            <option key={name} value={String(speed)}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <span class="grow" />
      <select
        aria-label="Stories"
        value=""
        onChange={(event) => {
          const story = STORIES[Number(event.currentTarget.value)];
          if (story !== undefined) player.open(story.link, true);
          event.currentTarget.value = '';
        }}
      >
        <option value="">Stories …</option>
        {STORIES.map(({ name, about }, at) => (
          <option key={name} value={String(at)} title={about}>
            {name}
          </option>
        ))}
      </select>
      <button type="button" onClick={() => setAsking('setting')}>
        New play …
      </button>
      <button type="button" onClick={() => setAsking('scene')}>
        Open scene …
      </button>
      <CopyLink player={player} />
      <button type="button" class="quiet" aria-label="Keys" title="Keys" onClick={() => setAsking('keys')}>
        ?
      </button>
    </header>
  );
}

/** How long it is said that the link was copied, ms. */
const SAID_MS = 4000;

function CopyLink({ player }: { readonly player: Player }) {
  const [said, setSaid] = useState<string>();
  const copy = async (): Promise<void> => {
    const address = addressOf(player);
    // First by hand: a page from the disk may be kept waiting for leave to use the clipboard.
    const done = copiedByHand(address) || (await copiedByLeave(address));
    setSaid(done ? 'Copied' : 'Not copied: take it from the address bar');
    setTimeout(() => setSaid(undefined), SAID_MS);
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        {said ?? 'Copy link'}
      </button>
      <output class="hidden">{said}</output>
    </>
  );
}

function copiedByHand(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

function copiedByLeave(text: string): Promise<boolean> {
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}
