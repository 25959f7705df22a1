/** The play that is on, its time going by, and what of it is looked at. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Act, MemberId } from '../acts.ts';
import { type Link, linkIn, linkText } from '../link.ts';
import { Play } from '../play.ts';

/** What the buttons below the picture are about. */
export type Chosen =
  | { readonly kind: 'member'; readonly id: MemberId }
  | { readonly kind: 'link'; readonly from: MemberId; readonly to: MemberId }
  | { readonly kind: 'flight'; readonly id: number };

export interface Player {
  readonly play: Play;
  readonly running: boolean;
  readonly speed: number;
  /** Goes up whenever anything may look different. */
  readonly frame: number;
  /** What went wrong with a link, a scene or an act. */
  readonly error: string | undefined;
  run(on: boolean): void;
  setSpeed(speed: number): void;
  step(): void;
  toTheEnd(): void;
  /** Lets time pass at once, until so many ms after the beginning. */
  waitFor(until: number): void;
  /** The same play from its beginning. */
  again(): void;
  act(act: Act): void;
  /** Another play, from what stands behind the `#`. */
  open(hash: string, running?: boolean): void;
  fail(error: string | undefined): void;
}

/** While nothing is under way time goes by at least so fast, virtual ms a real one: nobody wants to watch nothing. */
const IDLE_RATE = 1.5;
/** A tab that was hidden for long does not catch up. */
const LONGEST_FRAME_MS = 100;

interface Opened {
  readonly play: Play;
  readonly error: string | undefined;
}

const FIRST = 'play=call&acts=-.0.invite.bob.1';

function opened(hash: string): Opened {
  try {
    return { play: Play.from(linkIn(hash === '' || hash === '#' ? FIRST : hash)), error: undefined };
  } catch (error) {
    return { play: Play.from(linkIn(FIRST)), error: `The link can't be played: ${(error as Error).message}.` };
  }
}

export function usePlayer(): Player {
  const [{ play, error }, setOpened] = useState(() => opened(location.hash));
  const [running, setRunning] = useState(false);
  const [speed, setSpeed] = useState(0.05);
  const [frame, setFrame] = useState(0);
  const written = useRef(location.hash);
  const draw = useCallback(() => setFrame((before) => before + 1), []);
  const fail = (failure: string | undefined): void => setOpened((before) => ({ ...before, error: failure }));

  /** The address says where the play stands, so that it can be loaded again. */
  const write = (link: Link): void => {
    const hash = `#${linkText(link)}`;
    if (hash === written.current) return;
    written.current = hash;
    history.replaceState(null, '', hash);
  };
  const open = (hash: string, start = false): void => {
    setOpened(opened(hash));
    setRunning(start);
    draw();
  };
  useEffect(() => {
    const follow = (): void => {
      if (location.hash === written.current) return;
      written.current = location.hash;
      open(location.hash);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  useTime(play, running, speed, draw, () => {
    setRunning(false);
    write(play.link());
  });
  const guarded = (work: () => void): void => {
    try {
      work();
      fail(undefined);
    } catch (failure) {
      fail(`${(failure as Error).message}.`);
    }
    write(play.link());
    draw();
  };
  return {
    play,
    running,
    speed,
    frame,
    error,
    run: (on) => {
      setRunning(on);
      if (!on) write(play.link());
    },
    setSpeed,
    step: () => {
      setRunning(false);
      guarded(() => play.step());
    },
    toTheEnd: () => {
      setRunning(false);
      guarded(() => play.toTheEnd());
    },
    waitFor: (until) => {
      setRunning(false);
      guarded(() => play.advanceTo(until));
    },
    again: () => {
      const { beginning, acts } = play.link();
      setOpened({ play: new Play(beginning, acts), error: undefined });
      setRunning(false);
      draw();
    },
    act: (act) => guarded(() => play.act(act)),
    open,
    fail,
  };
}

/** Lets time go by while it runs; `ended` where nothing is left to happen. */
function useTime(play: Play, running: boolean, speed: number, draw: () => void, ended: () => void): void {
  const over = useRef(ended);
  over.current = ended;
  useEffect(() => {
    if (!running) return;
    let last = performance.now();
    let owed = 0;
    let request = 0;
    const tick = (now: number): void => {
      const real = Math.min(LONGEST_FRAME_MS, now - last);
      last = now;
      // Virtual time has whole milliseconds; what is less is kept for the next frame.
      owed += real * (play.flights.length > 0 ? speed : Math.max(speed, IDLE_RATE));
      const whole = Math.floor(owed);
      owed -= whole;
      if (whole > 0) advance(play, whole);
      draw();
      if (play.full || play.still || (play.atRest && play.coming.length === 0 && !play.scripted)) over.current();
      else request = requestAnimationFrame(tick);
    };
    request = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(request);
  }, [play, running, speed, draw]);
}

/** What a pause leads to is not missed: time stops where a message sets out. */
function advance(play: Play, ms: number): void {
  const until = play.elapsed + ms;
  if (play.flights.length > 0) return play.advanceTo(until);
  while (play.elapsed < until && play.flights.length === 0) {
    const { next } = play;
    if (next === undefined || next > until) return play.advanceTo(until);
    play.advanceTo(next);
  }
}
