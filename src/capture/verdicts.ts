/**
 * What the fifteen invariants of a complete end say of a session that was only seen on the wire. Some need what no
 * capture has; of some a capture that ends too soon can't tell.
 */
import {
  invariant01AllEndsTold,
  invariant02OneFunnel,
  invariant03OneFinalAnswer,
  invariant04NoRequestAfterEnd,
  invariant05ProxyIsSilent,
  invariant06ModeIsFixed,
  invariant11EveryIwfClosed,
  invariant12Late2xxLateFork,
  invariant13BoundedEnd,
  invariant15RestartIsADelay,
  type Violation,
  Wire,
} from '../testing/invariants/index.ts';
import { endOf, finals, first, named } from '../testing/invariants/wire.ts';
import type { Evidence } from './evidence.ts';

export type Judgement = 'holds' | 'broken' | 'open' | 'not judged';

export interface Verdict {
  /** 1 to 15, as in docs/invariants.md. */
  readonly invariant: number;
  readonly name: string;
  readonly verdict: Judgement;
  /** What is wrong, or what the capture ended before; empty where it holds. */
  readonly what: readonly string[];
  /** Why it is not judged, or what part of it is not. */
  readonly limits: string | null;
}

/** What a message and its copies may need on their way, beside the limits of the function. ms. */
const SLACK_MS = 1000;
/** RFC 3261 17.1.2.2, 64*T1: a request that is younger may still be answered. */
const PATIENCE_MS = 32_000;

interface Rule {
  readonly invariant: number;
  readonly name: string;
  /** Undefined where nothing of it can be seen on the wire. */
  readonly judge?: (wire: Wire, evidence: Evidence) => Violation[];
  /** Part that needs more than the wire; null where all of it can be seen. */
  readonly limits: string | null;
  /** It says that something is missing, which may still have come when the capture had ended. */
  readonly waits?: true;
}

const NOT_IN_STORE = 'the message store is not on the wire';

const RULES: readonly Rule[] = [
  { invariant: 1, name: 'All ends told', judge: invariant01AllEndsTold, limits: null, waits: true },
  {
    invariant: 2,
    name: 'One funnel',
    judge: byStates(invariant02OneFunnel),
    limits: 'the states of a session are not on the wire',
  },
  { invariant: 3, name: 'One final answer', judge: invariant03OneFinalAnswer, limits: null, waits: true },
  { invariant: 4, name: 'No request after the end', judge: invariant04NoRequestAfterEnd, limits: null },
  {
    invariant: 5,
    name: 'Proxy is silent',
    judge: invariant05ProxyIsSilent,
    limits: 'that it stores nothing is not on the wire',
  },
  {
    invariant: 6,
    name: 'Mode is fixed',
    judge: invariant06ModeIsFixed,
    limits: 'by what is sent, not by recorded states',
  },
  { invariant: 7, name: 'Media freed once', limits: 'what the media plane binds and frees is not on the wire' },
  { invariant: 8, name: 'Recorded before told', limits: NOT_IN_STORE },
  { invariant: 9, name: 'UID is true', limits: NOT_IN_STORE },
  { invariant: 10, name: 'Stored exactly once', limits: NOT_IN_STORE },
  {
    invariant: 11,
    name: 'Every IWF closed',
    judge: byIwfs,
    limits: 'who leads to the ISF is not on the wire: name it (--isf)',
    waits: true,
  },
  { invariant: 12, name: 'Late 2xx, late fork', judge: invariant12Late2xxLateFork, limits: null, waits: true },
  {
    invariant: 13,
    name: 'Bounded end',
    judge: (wire, { timers }) => invariant13BoundedEnd(wire, timers, SLACK_MS),
    waits: true,
    limits: 'how long each BYE waits; the time from its first state to its last is not on the wire',
  },
  { invariant: 14, name: 'Nothing held', limits: 'what a process holds is not on the wire' },
  {
    invariant: 15,
    name: 'Restart is a delay',
    judge: (wire) => invariant15RestartIsADelay(wire),
    limits: 'numbers and dialogs; what a restart leaves in the store is not on the wire',
  },
];

export function verdictsOn(evidence: Evidence): Verdict[] {
  const wire = new Wire(evidence.chronicle, evidence.attribution);
  const awaited = awaitedIn(wire, evidence);
  return RULES.map((rule) => verdictBy(rule, wire, evidence, awaited));
}

/** Undefined where this evidence has nothing for it to be judged on. */
type Judge = NonNullable<Rule['judge']>;

function byStates(judge: (wire: Wire) => Violation[]): Judge {
  return (wire) => judge(wire);
}

function byIwfs(wire: Wire, { iwfs }: Evidence): Violation[] {
  return invariant11EveryIwfClosed(wire, iwfs);
}

function isJudged({ invariant, judge }: Rule, { states, iwfs }: Evidence): boolean {
  if (judge === undefined) return false;
  return invariant === 2 ? states : invariant === 11 ? iwfs.length > 0 : true;
}

function verdictBy(rule: Rule, wire: Wire, evidence: Evidence, awaited: readonly string[]): Verdict {
  const { invariant, name, judge } = rule;
  if (judge === undefined || !isJudged(rule, evidence)) {
    return { invariant, name, verdict: 'not judged', what: [], limits: rule.limits };
  }
  const limits = evidence.states && [2, 6, 13].includes(invariant) ? null : invariant === 11 ? null : rule.limits;
  const violations = judge(wire, evidence).map(({ what }) => what);
  if (violations.length === 0) return { invariant, name, verdict: 'holds', what: [], limits };
  const open = rule.waits === true && violations.every((what) => isOpen(invariant, what, awaited, wire));
  return { invariant, name, verdict: open ? 'open' : 'broken', what: open ? awaited : violations, limits };
}

/** Two answers are two answers; only one that is missing may still come. */
function isOpen(invariant: number, what: string, awaited: readonly string[], wire: Wire): boolean {
  if (awaited.length === 0) return false;
  if (invariant === 13) return what.includes('never came out of');
  if (invariant !== 3) return true;
  return wire.transactions.some((seen) => finals(seen).length === 0 && what.startsWith(named(seen)));
}

/** What the session still waits for when the capture ends; empty where it is over. */
function awaitedIn(wire: Wire, { ended, chronicle, live }: Evidence): string[] {
  const last = chronicle.entries.at(-1)?.at ?? 0;
  const until = Math.max(ended, last);
  const young = wire.transactions.filter((seen) => {
    const due = seen.method !== 'ACK' && finals(seen).length === 0;
    return due && until - first(seen).at < PATIENCE_MS;
  });
  const waits = young.map((seen) => `${named(seen)} has no answer yet when the capture ends`);
  if (waits.length > 0) return waits;
  const standing = wire.dialogs.length > 0 && wire.dialogs.every((dialog) => endOf(dialog, wire) === undefined);
  if (live) return ['the session still lives'];
  return standing ? ['the session still stands when the capture ends'] : [];
}
