/** Plays: the same link gives the same play, each act does what it says, and the invariants' verdicts are true. */
import { describe, expect, it } from '@jest/globals';
import type { Act, MemberId } from '../../src/playground/acts.ts';
import { LATE_MS } from '../../src/playground/interference.ts';
import { linkIn, linkText } from '../../src/playground/link.ts';
import { Play } from '../../src/playground/play.ts';
import { ladderLines, transcriptOf } from '../../src/playground/rows.ts';
import { STORIES } from '../../src/playground/stories.ts';
import { SeededRandom } from '../../src/testing/index.ts';

const INVITE: Act = { do: 'invite', to: 'bob', streams: 1 };

const begin = (hash = ''): Play => Play.from(linkIn(hash));
const lines = (play: Play): string[] => ladderLines(play.rows, play.begun).map((line) => line.replace(/^\d+ ms: /, ''));
const state = (play: Play, of: MemberId): string | undefined => {
  const pf = play.theatre.functions.find(({ id }) => id === of)?.watched.pf;
  return [...(pf?.engine.sessions.values() ?? [])].at(-1)?.state;
};
/** Verdicts that are not `holds`. */
function open(play: Play): string[] {
  return play.theatre.functions.flatMap((each) =>
    play
      .verdicts(each)
      .filter(({ standing }) => standing !== 'holds')
      .map(({ invariant, standing, why }) => `${each.id} ${invariant} ${standing}: ${why.join('; ')}`),
  );
}

function established(hash = ''): Play {
  const play = begin(hash);
  play.act(INVITE);
  play.advanceTo(2000);
  expect([state(play, 'pfa'), state(play, 'pfb')]).toEqual(['b2buaEstablished.steady', 'b2buaEstablished.steady']);
  return play;
}

/** Acts as a person might do them, at instants that lie between timers too. */
function wild(seed: number): Play {
  const random = new SeededRandom(seed * 7919);
  const pick = <T>(...of: readonly T[]): T => of[random.below(of.length)] as T;
  const media = pick('always', 'auto', 'never');
  const play = begin(
    `seed=${seed}&media=${media}&loss=${pick(0, 0, 20)}&twice=${pick(0, 10)}&jitter=${pick(0, 50)}&commit=${pick(0, 5)}`,
  );
  play.act({ do: 'invite', to: pick('bob', 'bob', 'carol'), streams: pick(0, 1, 2, 2) });
  for (let count = 2 + random.below(8); count > 0; count--) {
    if (random.below(2) === 0) for (let steps = random.below(20); steps > 0; steps--) play.step();
    else play.advanceTo(play.elapsed + pick(1, 30, 300, 1500, 33_000));
    const who = pick<MemberId>('alice', 'bob', 'iwf1', 'iwf2');
    const of = pick<MemberId>('pfa', 'pfb');
    const flight = play.flights[random.below(play.flights.length + 1)]?.id ?? 1;
    play.act(
      pick<Act>(
        { do: 'hangup', who },
        { do: 'cancel', who: 'alice' },
        { do: 'offer', who },
        { do: 'crash', who: of, instant: pick('now', 'committed', 'stored'), down: pick(1, 300, 3000, 40_000) },
        { do: 'store', who: of, mood: pick('well', 'failing', 'lost'), delay: pick(0, 700) },
        { do: 'end', who: of, by: 'operator' },
        { do: 'drop', flight },
        { do: 'delay', flight, ms: 700 },
        { do: 'double', flight },
        { do: 'next', from: 'core', to: 'pfb', fate: pick('drop', 'delay', 'double') },
        { do: 'cut', from: 'pfa', to: 'core', way: pick('both', 'one') },
        { do: 'takes', who: 'iwf1', which: pick('all', 'first', 'none') },
        { do: 'hand', who: 'bob', set: 'on' },
        { do: 'refuse', who: 'bob', status: pick(404, 486) },
        { do: 'phone', set: 'off' },
        { do: 'forget', who },
      ),
    );
  }
  return play;
}

/** Everything is mended, everybody hangs up, and time goes on until all is forgotten. */
function toRest(play: Play): void {
  play.act({ do: 'mend', from: 'pfa', to: 'core' });
  for (const who of ['pfa', 'pfb'] as const) {
    play.act({ do: 'start', who });
    play.act({ do: 'store', who, mood: 'well', delay: 0 });
  }
  for (const who of ['alice', 'bob'] as const) play.act({ do: 'hangup', who });
  play.toTheEnd();
}

describe('a play', () => {
  it('is an ordinary call from end to end, with every invariant holding at both functions', () => {
    const play = established();
    expect(open(play).every((each) => / open: 1 session lives/.test(each))).toBe(true);
    play.act({ do: 'hangup', who: 'bob' });
    play.toTheEnd();
    expect(open(play)).toEqual([]);
    const bye = lines(play).filter((line) => /^BYE/.test(line));
    expect(bye).toEqual([
      'BYE from bob to pfb',
      'BYE from pfb to core',
      'BYE from core to pfa',
      'BYE from pfa to alice',
    ]);
    expect(play.atRest && play.still).toBe(true);
  });

  it('is the same play byte for byte whenever its link is opened, whatever was done in it and when', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const play = wild(seed);
      const link = linkText(play.link());
      const other = Play.from(linkIn(link));
      expect(linkText(other.link())).toBe(link);
      expect(transcriptOf(other.rows)).toBe(transcriptOf(play.rows));
      expect(ladderLines(other.rows, other.begun)).toEqual(ladderLines(play.rows, play.begun));
      // And it goes on as the first one does.
      for (const each of [play, other]) each.advanceTo(each.elapsed + 40_000);
      expect(transcriptOf(other.rows)).toBe(transcriptOf(play.rows));
    }
  });

  it('breaks no invariant, whatever is done in it', () => {
    for (let seed = 100; seed < 160; seed++) {
      const play = wild(seed);
      toRest(play);
      const broken = open(play).filter((each) => / violated: /.test(each));
      if (broken.length > 0) throw new Error(`${broken.join('\n')}\n${linkText(play.link())}`);
    }
  });

  it('with another seed says other tags', () => {
    const [one, two] = [established('seed=1'), established('seed=2')];
    expect(transcriptOf(one.rows)).not.toBe(transcriptOf(two.rows));
  });

  it('steps from one thing that can be seen to the next, and ends where nothing is left to happen', () => {
    const play = begin();
    play.act(INVITE);
    let steps = 0;
    let seen = play.rows.length + play.notebook.arrivals;
    while (play.step()) {
      const now = play.rows.length + play.notebook.arrivals;
      expect(now).toBeGreaterThanOrEqual(seen);
      seen = now;
      if (++steps > 40) break;
    }
    expect(lines(play)).toContain('ACK from pfb to bob');
  });

  it('gives up the rest of a link where somebody does something else, and can be seen again from its beginning', () => {
    const play = begin('acts=-.0.invite.bob.1,-.3000.hangup.bob');
    play.advanceTo(2000);
    expect(play.coming.length).toBe(1);
    play.act({ do: 'hangup', who: 'alice' });
    expect(play.coming).toEqual([]);
    const { beginning, acts } = play.link();
    expect(acts.map(({ act }) => act.do)).toEqual(['invite', 'hangup']);
    play.toTheEnd();
    const again = new Play(beginning, acts);
    again.toTheEnd();
    expect(transcriptOf(again.rows)).toBe(transcriptOf(play.rows));
  });

  it('is bounded in acts', () => {
    const play = begin();
    for (let count = 0; count < 300; count++) play.act({ do: 'phone', set: 'on' });
    expect(() => play.act({ do: 'phone', set: 'on' })).toThrow(/at most 300 acts/);
  });

  it('refuses an act of somebody who is not there', () => {
    expect(() => begin().act({ do: 'crash', who: 'alice', instant: 'now', down: 1 })).toThrow(/"alice" is no function/);
    expect(() => begin().act({ do: 'hangup', who: 'near' })).toThrow(/"near" does nothing here; there are alice, bob/);
  });
});

describe('what a person can do', () => {
  it('cancel: the far side is told, and the inviter gets 487', () => {
    const play = begin();
    play.act(INVITE);
    play.advanceTo(500);
    play.act({ do: 'cancel', who: 'alice' });
    play.advanceTo(700);
    expect(lines(play)).toEqual(
      expect.arrayContaining(['CANCEL from pfb to bob', '487 Request Terminated from pfa to alice']),
    );
  });

  it('answer by hand: nothing happens until he rings, accepts or refuses', () => {
    const play = begin();
    play.act({ do: 'hand', who: 'bob', set: 'on' });
    play.act(INVITE);
    play.advanceTo(5000);
    expect(lines(play).filter((line) => / from bob /.test(line))).toEqual(['100 Trying from bob to pfb']);
    play.act({ do: 'ring', who: 'bob' });
    play.advanceTo(6000);
    expect(lines(play)).toContain('180 Ringing from pfa to alice');
    play.act({ do: 'accept', who: 'bob' });
    play.advanceTo(7000);
    expect(state(play, 'pfa')).toBe('b2buaEstablished.steady');
  });

  it('refuse: 486 goes back to the inviter, and 404 sends the invitation to an IWF', () => {
    const refused = (status: number): Play => {
      const play = begin();
      play.act({ do: 'hand', who: 'bob', set: 'on' });
      play.act(INVITE);
      play.advanceTo(500);
      play.act({ do: 'refuse', who: 'bob', status });
      play.advanceTo(1500);
      return play;
    };
    expect(lines(refused(486))).toContainEqual(expect.stringMatching(/^486 .* from pfa to alice$/));
    expect(lines(refused(404))).toContain('INVITE from pfb to isf');
  });

  it('switch the phone off: the terminating function takes the invitation to the ISF', () => {
    const play = begin();
    play.act({ do: 'phone', set: 'off' });
    play.act(INVITE);
    play.advanceTo(1000);
    expect(lines(play)).toContain('INVITE from pfb to isf');
    expect(state(play, 'pfb')).toBe('interworking.steady');
  });

  it('take only some streams: a second IWF is asked for the rest, and one that hangs up takes its stream along', () => {
    const play = begin();
    play.act({ do: 'takes', who: 'iwf1', which: 'first' });
    play.act({ do: 'invite', to: 'carol', streams: 2 });
    play.advanceTo(1000);
    expect(lines(play).filter((line) => line === 'INVITE from pfa to isf')).toHaveLength(2);
    play.act({ do: 'hangup', who: 'iwf1' });
    play.advanceTo(2000);
    expect(lines(play)).toContain('200 OK (BYE) from pfa to iwf1');
    expect(state(play, 'pfa')).toBe('interworking.steady');
  });

  it('offer again, and forget: the other side asks and is told 481', () => {
    const play = established();
    play.act({ do: 'offer', who: 'alice' });
    play.advanceTo(3000);
    expect(lines(play)).toContain('INVITE from pfb to bob');
    play.act({ do: 'forget', who: 'bob' });
    play.act({ do: 'offer', who: 'alice' });
    play.advanceTo(4000);
    expect(lines(play).some((line) => /^481 .* from bob to pfb/.test(line))).toBe(true);
  });

  it('fall silent: nothing is heard or said, and what is asked is asked again', () => {
    const play = established();
    play.act({ do: 'deaf', who: 'bob', set: 'on' });
    play.act({ do: 'hangup', who: 'alice' });
    play.advanceTo(4000);
    expect(lines(play)).toContain('BYE from pfb to bob, again');
    play.act({ do: 'deaf', who: 'bob', set: 'off' });
    play.toTheEnd();
    expect(lines(play)).toContain('200 OK (BYE) from bob to pfb');
    expect(open(play)).toEqual([]);
  });

  it('kill a function at once, after a commit, after an object is stored: it comes back and the session ends', () => {
    for (const instant of ['now', 'committed', 'stored'] as const) {
      const play = begin();
      play.act(INVITE);
      play.advanceTo(900);
      play.act({ do: 'crash', who: 'pfa', instant, down: 1500 });
      play.advanceTo(4000);
      expect(lines(play)).toEqual(expect.arrayContaining(['pfa killed', 'pfa started again']));
      play.act({ do: 'hangup', who: 'alice' });
      play.toTheEnd();
      expect(lines(play)).toContain('BYE from pfb to bob');
      expect(open(play)).toEqual([]);
    }
  });

  it('kill it for good, and start it by hand', () => {
    const play = established();
    play.act({ do: 'crash', who: 'pfb', instant: 'now', down: 0 });
    play.advanceTo(20_000);
    const [, pfb] = play.theatre.functions;
    expect(pfb?.watched.pf.up).toBe(false);
    expect(open(play)).toContain('pfb 1 open: the process is down');
    play.act({ do: 'start', who: 'pfb' });
    play.advanceTo(21_000);
    expect(state(play, 'pfb')).toBe('b2buaEstablished.steady');
  });

  it('kill and revive the message store: the BYE waits no longer than its budget, what was due is stored later', () => {
    const play = established();
    play.act({ do: 'store', who: 'pfb', mood: 'failing', delay: 0 });
    play.act({ do: 'hangup', who: 'bob' });
    play.advanceTo(8000);
    expect(lines(play)).toContain('200 OK (BYE) from pfb to bob');
    expect(open(play).find((each) => each.startsWith('pfb 10 '))).toMatch(
      /open: the message store is not well; 1 object/,
    );
    play.act({ do: 'store', who: 'pfb', mood: 'well', delay: 0 });
    play.toTheEnd();
    expect(lines(play)).toContain('pfb Group State stored, UID 2');
    expect(open(play)).toEqual([]);
  });

  it('end by order: both sides get their BYE', () => {
    for (const by of ['operator', 'shutdown'] as const) {
      const play = established();
      play.act({ do: 'end', who: 'pfa', by });
      play.toTheEnd();
      expect(lines(play)).toEqual(expect.arrayContaining(['BYE from pfa to alice', 'BYE from pfb to bob']));
    }
  });

  it('let the session timer run out', () => {
    const play = begin('timer=uac&interval=90&acts=-.0.invite.bob.1,-.3000.deaf.alice.on');
    play.advanceTo(100_000);
    expect(lines(play).some((line) => /pfa sessionExpired, now tearingDown/.test(line))).toBe(true);
  });

  it('drop, delay and double a message that is under way', () => {
    const invited = (act: (flight: number) => Act): Play => {
      const play = begin();
      play.act(INVITE);
      const [flight] = play.flights;
      play.act(act(flight?.id ?? 0));
      return play;
    };
    const dropped = invited((flight) => ({ do: 'drop', flight }));
    dropped.advanceTo(490);
    expect(dropped.rows.find((row) => row.kind === 'message')).toMatchObject({ label: 'INVITE', arrived: 0 });
    expect(lines(dropped)).toContain('the INVITE under way is lost');
    dropped.advanceTo(600);
    expect(lines(dropped)).toContain('INVITE from alice to pfa, again');
    const delayed = invited((flight) => ({ do: 'delay', flight, ms: 300 }));
    delayed.advanceTo(319);
    expect(state(delayed, 'pfa')).toBeUndefined();
    delayed.advanceTo(320);
    expect(state(delayed, 'pfa')).toBe('inviting.ringing');
    const doubled = invited((flight) => ({ do: 'double', flight }));
    doubled.advanceTo(30);
    expect(doubled.rows.find((row) => row.kind === 'message')).toMatchObject({ label: 'INVITE', arrived: 2 });
  });

  it('decide what becomes of the next message on a line', () => {
    const next = (fate: 'drop' | 'delay' | 'double'): Play => {
      const play = begin();
      play.act({ do: 'next', from: 'pfa', to: 'core', fate });
      play.act(INVITE);
      play.advanceTo(60);
      return play;
    };
    const arrived = (play: Play): number | undefined =>
      play.rows.flatMap((row) => (row.kind === 'message' && row.to === 'core' ? [row.arrived] : []))[0];
    expect(arrived(next('drop'))).toBe(0);
    expect(arrived(next('double'))).toBe(2);
    const late = next('delay');
    expect(arrived(late)).toBe(0);
    late.advanceTo(40 + LATE_MS);
    expect(arrived(late)).toBe(1);
  });

  it('cut a line both ways or one way, and mend it', () => {
    const play = established();
    play.act({ do: 'cut', from: 'core', to: 'pfb', way: 'one' });
    play.act({ do: 'hangup', who: 'bob' });
    play.advanceTo(2500);
    // His BYE gets through, its answer does not.
    expect(lines(play)).toEqual(
      expect.arrayContaining(['BYE from pfa to alice', '200 OK (BYE) from core to pfb', 'BYE from pfb to core']),
    );
    expect(state(play, 'pfb')).toMatch(/^tearingDown/);
    play.act({ do: 'mend', from: 'core', to: 'pfb' });
    play.toTheEnd();
    expect(open(play)).toEqual([]);
    play.act({ do: 'cut', from: 'pfa', to: 'isf', way: 'both' });
    const before = play.notebook.arrivals;
    play.act({ do: 'invite', to: 'carol', streams: 1 });
    play.advanceTo(play.elapsed + 400);
    // Alice's INVITE and her 100: the IWFs are behind the same line.
    expect(play.notebook.arrivals - before).toBe(2);
  });
});

describe('a verdict', () => {
  it('is violated, with why, as soon as an invariant is broken that can be judged at once', () => {
    const play = established();
    const [pfa] = play.theatre.functions;
    const { stack } = pfa?.watched.pf ?? {};
    if (stack === undefined) throw new Error('no function');
    // A fault on purpose: the BYE is followed by an INFO.
    const execute = stack.execute.bind(stack);
    stack.execute = (command) => {
      execute(command);
      if (command.type === 'request' && command.method === 'BYE' && 'leg' in command) {
        execute({ type: 'request', leg: command.leg, exchange: 'late', method: 'INFO', headers: [] });
      }
    };
    play.act({ do: 'hangup', who: 'alice' });
    play.advanceTo(play.elapsed + 100);
    expect(open(play)).toContainEqual(
      expect.stringMatching(/^pfa 4 violated: INFO 3 of \S+ left leg \S+\.b after its BYE/),
    );
  });

  it('is violated at rest where something is missing', () => {
    const play = established();
    const [pfa] = play.theatre.functions;
    if (pfa === undefined) throw new Error('no function');
    // A fault on purpose: media are not freed.
    pfa.watched.media.release = () => {};
    pfa.watched.media.end = () => {};
    play.act({ do: 'hangup', who: 'alice' });
    play.advanceTo(play.elapsed + 500);
    expect(open(play)).toContain('pfa 7 open: somebody may still repeat himself');
    play.toTheEnd();
    expect(open(play)).toEqual([
      expect.stringMatching(/^pfa 7 violated: media of \S+ were never freed/),
      expect.stringMatching(/^pfa 14 violated: still held: media of /),
    ]);
  });

  it('is open while nothing has come to a function', () => {
    expect(open(begin())).toHaveLength(30);
  });

  it('tells of a session that ends for longer than it may', () => {
    const play = established();
    const [pfa] = play.theatre.functions;
    if (pfa === undefined) throw new Error('no function');
    // A fault on purpose: no deadline of the session ever comes.
    const session = [...pfa.watched.pf.engine.sessions.values()][0];
    if (session === undefined) throw new Error('no session');
    session.onTimer = () => {};
    play.act({ do: 'deaf', who: 'bob', set: 'on' });
    const { stack } = pfa.watched.pf;
    const execute = stack.execute.bind(stack);
    stack.execute = (command) =>
      command.type === 'request' && command.method === 'BYE' ? undefined : execute(command);
    play.act({ do: 'hangup', who: 'alice' });
    play.advanceTo(play.elapsed + 60_000);
    expect(open(play)).toContainEqual(expect.stringMatching(/^pfa 13 violated: .*session \S+ has been in tearingDown/));
  });
});

describe('a story', () => {
  it.each(STORIES.map(({ name, link }) => [name, link] as const))(
    'comes to its end with nothing violated: %s',
    (_name, link) => {
      const play = begin(link);
      play.toTheEnd();
      expect(open(play).filter((each) => !/ open: $/.test(each))).toEqual([]);
      expect(play.rows.length).toBeGreaterThan(20);
    },
  );
});
