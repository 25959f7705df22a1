/**
 * The invariants' verdicts while a play goes on. Some can be judged at any time; of others what they ask for may still
 * come, so that they are judged once everything has ended, and what is held once everything is forgotten.
 */
import { DEFAULT_POLICY } from '../policy/defaults.ts';
import { downTime, type Violation, violationsIn } from '../testing/invariants/index.ts';
import type { PlayedFunction } from './theatre.ts';

export interface Verdict {
  /** 1 to 15. */
  readonly invariant: number;
  readonly standing: 'holds' | 'open' | 'violated';
  /** What happened that may not happen; where it is open, what is still missing. */
  readonly why: readonly string[];
}

export const INVARIANTS: readonly (readonly [invariant: number, name: string, says: string])[] = [
  [1, 'All ends told', 'No leg stays confirmed and no INVITE rings on when its session is over'],
  [2, 'One funnel', 'tearingDown is entered once, with one reason, and left only to closed'],
  [3, 'One final answer', 'Each request that was received gets one final response'],
  [4, 'No request after the end', 'Nothing new is asked in a dialog after its BYE'],
  [5, 'Proxy is silent', 'In proxy mode nothing is originated, recorded or owned'],
  [6, 'Mode is fixed', 'Mode and role never change once the INVITE was routed'],
  [7, 'Media freed once', 'What was bound for a leg is freed once, and not too soon'],
  [8, 'Recorded before told', 'What a Message-UID points to is stored before it is told'],
  [9, 'UID is true', "A Message-UID is that of this session's Session Info Object"],
  [10, 'Stored exactly once', 'Every answered session is in the store, whatever was repeated'],
  [11, 'Every IWF closed', 'No IWF keeps a dialog when the session is over'],
  [12, 'Late 2xx, late fork', 'A 2xx that is not the session’s is acknowledged and ended'],
  [13, 'Bounded end', 'A teardown and the answer to a BYE keep within their limits'],
  [14, 'Nothing held', 'After everything has ended, nothing of any session is left'],
  [15, 'Restart is a delay', 'A killed process that starts again goes on where it was'],
];

/** Judged at any time: what they forbid can't be made good by what comes later. */
const AT_ANY_TIME = [2, 4, 5, 6, 8, 9, 15];
const HELD = 14;
const BOUNDED = 13;

/** How far a function has come. */
export interface Rest {
  /** No session was ever here. */
  readonly untouched: boolean;
  /** No session lives, nothing is under way, and nothing waits for the stores. */
  readonly ended: boolean;
  /** So long ago that transactions are forgotten too. */
  readonly forgotten: boolean;
  /** What keeps the end from coming, in words. */
  readonly waits: readonly string[];
}

/** `now`: ms since the epoch. */
export function verdictsOf(played: PlayedFunction, rest: Rest, now: number): readonly Verdict[] {
  const { watched, client, iwfs, wanted, commitMs } = played;
  const { chronicle, history } = watched;
  const down = downTime(chronicle) + (watched.pf.up ? 0 : now);
  const slackMs = Math.max(0, down) + 500 + 8 * commitMs;
  const found = violationsIn({ chronicle, memory: history.memory, client, iwfs, wanted, slackMs, held: watched.held });
  const overdue = overdueEnds(played, slackMs, now);
  return INVARIANTS.map(([invariant]) => {
    const own = found.filter((violation) => violation.invariant === invariant);
    const all = invariant === BOUNDED ? [...own, ...overdue] : own;
    const known = rest.ended || AT_ANY_TIME.includes(invariant) || (invariant === BOUNDED && overdue.length > 0);
    if (rest.untouched) return { invariant, standing: 'open', why: [] };
    if (invariant === HELD) return { invariant, ...heldVerdict(all, rest) };
    if (!known) return { invariant, standing: 'open', why: rest.waits };
    return { invariant, standing: all.length === 0 ? 'holds' : 'violated', why: all.map(({ what }) => what) };
  });
}

function heldVerdict(found: readonly Violation[], rest: Rest): Omit<Verdict, 'invariant'> {
  if (rest.ended && found.length === 0) return { standing: 'holds', why: [] };
  const why = found.map(({ what }) => what);
  return { standing: rest.forgotten ? 'violated' : 'open', why: rest.ended ? why : rest.waits };
}

/** Sessions that have been ending for longer than they may. */
function overdueEnds({ watched }: PlayedFunction, slackMs: number, now: number): Violation[] {
  const { timers } = DEFAULT_POLICY;
  const limit = timers.byeJoinMs + timers.storeBudgetMs + timers.transactionMs + slackMs;
  if (!watched.pf.up) return [];
  const ending = [...watched.pf.engine.sessions.values()].filter(({ state }) => state.startsWith('tearingDown'));
  return ending.flatMap(({ id, state }) => {
    const begun = watched.chronicle.entries.find(
      (entry) => entry.kind === 'state' && entry.session === id && entry.reason !== null,
    );
    const lasted = now - (begun?.at ?? now);
    if (lasted <= limit) return [];
    return [{ invariant: BOUNDED, what: `session ${id} has been in ${state} for ${lasted} ms, ${limit} allowed` }];
  });
}
