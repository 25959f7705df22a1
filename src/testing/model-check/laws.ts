/**
 * What must hold: the teardown invariants as far as the session alone answers for them, each by its number. A law gives
 * what is broken, or null. After a crash effects are carried out twice on purpose, so the laws that count stand back.
 */
import type { Effect, EffectType } from '../../../machines/session/effects.ts';
import type { ChartEvent, ChartState } from './chart-graph.ts';
import type { Configuration } from './configuration.ts';
import { GROUP_STATE_UID, SESSION_INFO_UID, type Step } from './moves.ts';
import { type Wire, type World, wireOf } from './world.ts';

type Broken = string | null;

/** One step of the session, for its laws. */
interface Stepped {
  readonly world: World;
  readonly event: ChartEvent;
  readonly before: ChartState;
  readonly step: Required<Pick<Step, 'outcome'>>['outcome'];
  readonly configuration: Configuration;
}

const isEnding = (state: ChartState): boolean => state.call.startsWith('tearingDown');
const hasCrashed = (world: World): boolean => world.faults.includes('crash');

/** The first law that a step breaks. */
export function brokenInStep(world: World, step: Step, configuration: Configuration): Broken {
  const { event, outcome } = step;
  if (event === undefined || outcome === undefined) return null;
  const stepped = { world, event, before: world.chart, step: outcome, configuration };
  for (const law of STEP_LAWS) {
    const broken = law(stepped);
    if (broken !== null) return broken;
  }
  return null;
}

/** Invariant 2: `tearingDown` is entered once, with a reason that stays; nothing leads back out of it. */
function oneFunnel({ before, step }: Stepped): Broken {
  const { state, after } = step;
  const entered = after.entered ?? 0;
  const ends = isEnding(state) || state.call === 'closed';
  if (entered > 1) return 'invariant 2: tearingDown is entered twice';
  if ((isEnding(before) || before.call === 'closed') && !ends)
    return 'invariant 2: the session comes back from its end';
  if (ends !== (entered === 1)) return 'invariant 2: the way to closed does not lead through tearingDown';
  if (ends !== (after.ending !== null))
    return 'invariant 2: an end without a recorded reason, or a reason without an end';
  const { ending } = before.context;
  if (ending !== null && (after.ending?.reason !== ending.reason || after.ending.by !== ending.by)) {
    return 'invariant 2: the reason of the ending changes';
  }
  return null;
}

/** Invariant 3: a request of the peer gets one final answer, and none is answered that was not asked. */
function oneFinalAnswer({ world, event, step }: Stepped): Broken {
  if (hasCrashed(world)) return null;
  let wires = world.wires.map((wire) => withArriving(wire, event));
  for (const effect of step.effects) {
    const given = answerIn(effect);
    if (given === undefined) continue;
    const wire = wires.find(({ leg }) => leg === given.leg);
    if (given.exchange === undefined) {
      if (wire?.invite !== 'open') return 'invariant 3: the INVITE is answered twice';
      wires = wires.map((each) => (each === wire ? { ...each, invite: 'failed' as const } : each));
    } else {
      if (wire?.theirs.includes(given.exchange) !== true)
        return `invariant 3: ${given.exchange} on leg ${given.leg} is answered, but does not wait for an answer`;
      wires = wires.map((each) => (each === wire ? { ...each, theirs: without(each.theirs, given.exchange) } : each));
    }
  }
  return null;
}

const without = (names: readonly string[], gone: string | undefined): string[] => names.filter((name) => name !== gone);

interface Given {
  readonly leg: string;
  /** Absent for the INVITE. */
  readonly exchange?: string;
}

function withArriving(wire: Wire, event: ChartEvent): Wire {
  const arrives = (event.type === 'bye' || event.type === 'request') && event.leg === wire.leg;
  return arrives ? { ...wire, theirs: [...wire.theirs, event.exchange] } : wire;
}

function answerIn(effect: Effect): Given | undefined {
  switch (effect.type) {
    case 'answer':
    case 'refuse':
    case 'forwardFailure':
      return { leg: 'a' };
    case 'answerBye':
    case 'respond':
    case 'confirmUnchanged':
      return { leg: effect.leg, exchange: effect.exchange };
    case 'relayResponse':
      return { leg: effect.to, exchange: effect.as };
    default:
      return undefined;
  }
}

/** Invariant 4: no new request in a dialog after its BYE, and none to a leg that has refused. */
function nothingAfterTheEnd({ world, event, step, configuration }: Stepped): Broken {
  if (configuration.mode === 'proxy') return null;
  // RFC 3261 12.2.1.2: to a peer that knows the dialog no more a BYE may still go.
  const isEnded = ({ ended }: Wire): boolean => ended === 'ours' || ended === 'theirs';
  const ended = new Set(world.wires.filter(isEnded).map(({ leg }) => leg));
  if (event.type === 'bye' && (event.leg === 'a' || wireOf(world, event.leg)?.invite === 'answered'))
    ended.add(event.leg);
  for (const effect of step.effects) {
    const leg = requestIn(effect);
    if (leg === undefined) continue;
    // The same BYE again; or the record of a session that was over had not been deleted yet.
    const isCopy = hasCrashed(world) && effect.type === 'bye';
    if (ended.has(leg) && !isCopy) return `invariant 4: ${effect.type} on leg ${leg}, whose dialog has ended`;
    if (wireOf(world, leg)?.invite === 'failed')
      return `invariant 4: ${effect.type} on leg ${leg}, which has no dialog`;
    if (effect.type === 'bye') ended.add(leg);
  }
  return null;
}

function requestIn(effect: Effect): string | undefined {
  switch (effect.type) {
    case 'bye':
    case 'refresh':
    case 'reoffer':
      return effect.leg;
    case 'relayRequest':
      return effect.to;
    default:
      return undefined;
  }
}

const BY_A_PROXY: readonly EffectType[] = [
  'trying',
  'fetchPreferences',
  'invite',
  'cancel',
  'refuse',
  'forwardResponse',
  'forwardAck',
  'forwardRequest',
  'forwardReply',
];

/** Invariant 5: a proxy sends nothing of its own, and passes each 2xx on. Freeing media it does not have is no message. */
function proxyIsSilent({ event, step, configuration }: Stepped): Broken {
  if (configuration.mode !== 'proxy') return null;
  const passes = step.effects.some(({ type }) => type === 'forwardResponse');
  if (event.type === 'answered' && !passes) return 'invariant 5: a 2xx is not passed on (RFC 3261 16.7)';
  const own = step.effects.find(({ type }) => !BY_A_PROXY.includes(type) && type !== 'releaseMedia');
  return own === undefined ? null : `invariant 5: ${own.type} in proxy mode`;
}

/** Invariant 6: role and mode stay as they are once they are chosen. */
function modeIsFixed({ before, step }: Stepped): Broken {
  const { mode, role } = before.context;
  if (step.after.role !== role) return 'invariant 6: the role changes';
  return mode !== null && step.after.mode !== mode ? 'invariant 6: the mode changes' : null;
}

/** Invariants 8 and 9: a UID is told once the history is sealed, to the client alone, and it is the true one. */
function uidIsTrue({ world, event, step }: Stepped): Broken {
  const sealed = world.store.sealed || event.type === 'historySealed';
  for (const effect of step.effects) {
    if (effect.type !== 'bye' && effect.type !== 'answerBye') continue;
    if (effect.messageUid === undefined) continue;
    if (!sealed) return 'invariant 8: Message-UID before the history is sealed';
    const { policy, role } = step.after;
    const literal = policy.compat.messageUid === 'literal' && role === 'orig';
    const isTrue = effect.messageUid === SESSION_INFO_UID || (literal && effect.messageUid === GROUP_STATE_UID);
    if (!isTrue) return 'invariant 9: Message-UID of another object';
    if (step.after.legs[effect.leg]?.peer !== 'client')
      return 'invariant 9: Message-UID to someone else than the client';
  }
  return null;
}

/** Invariant 10: history work is ordered once, in its order. */
function storedOnce({ world, step }: Stepped): Broken {
  if (hasCrashed(world)) return null;
  let { ordered } = world.store;
  for (const { type } of step.effects) if (type === 'openHistory' || type === 'sealHistory') ordered += type.charAt(0);
  return ['', 'o', 'os'].includes(ordered) ? null : 'invariant 10: history is not opened once and then sealed once';
}

/** Invariant 12: a 2xx that nobody waits for is acknowledged and ended in the same step. */
function lateAnswerEnds({ world, event, before, step, configuration }: Stepped): Broken {
  if (event.type !== 'answered' || configuration.mode === 'proxy') return null;
  const phase = before.context.legs[event.leg]?.phase;
  const awaited = before.context.ending === null && phase === 'inviting' && event.leg === before.context.current;
  if (awaited) return null;
  if (hasCrashed(world) && phase !== 'inviting' && phase !== 'cancelling') return null;
  const kinds = step.effects.flatMap((effect) => ('leg' in effect && effect.leg === event.leg ? [effect.type] : []));
  if (kinds.join() !== 'acknowledge,bye')
    return `invariant 12: a late 2xx on leg ${event.leg} is not acknowledged and ended`;
  return step.after.legs[event.leg]?.phase === 'ending' ? null : `invariant 12: late leg ${event.leg} lives on`;
}

/** Invariant 13: the end has one deadline, which nothing puts off, and when it is over so is the session. */
function endIsBounded({ event, before, step }: Stepped): Broken {
  const { state, after } = step;
  if (event.type === 'teardownOver' && isEnding(before) && state.call !== 'closed') {
    return 'invariant 13: the session outlives its last deadline';
  }
  if (!isEnding(state)) return null;
  const { storeBudgetMs, byeJoinMs, transactionMs } = after.policy.timers;
  const at = after.deadlines.teardownOver;
  if (at === undefined) return 'invariant 13: no deadline bounds the end';
  return at > storeBudgetMs + byeJoinMs + transactionMs ? 'invariant 13: the deadline of the end is put off' : null;
}

/** Invariant 13: a BYE waits for the inviter's ACK (RFC 3261 15), and not for one that has come. */
function nothingWaitsForTheAck({ event, step, configuration }: Stepped): Broken {
  if (configuration.mode === 'proxy' || event.type !== 'acknowledged') return null;
  const phase = step.after.legs[event.leg]?.phase;
  const waits = phase === 'answered' || phase === 'byeDue';
  return waits ? `invariant 13: leg ${event.leg} waits for an ACK that has come` : null;
}

const STEP_LAWS = [
  oneFunnel,
  oneFinalAnswer,
  nothingAfterTheEnd,
  proxyIsSilent,
  modeIsFixed,
  uidIsTrue,
  storedOnce,
  lateAnswerEnds,
  endIsBounded,
  nothingWaitsForTheAck,
];

// --- states ------------------------------------------------------------------------------------------------------

/** The first law that does not hold in a world. */
export function brokenInState(world: World, { mode }: Configuration): Broken {
  const { chart } = world;
  const chosen = chart.context.mode;
  return chosen !== null && chosen !== mode ? 'invariant 6: another mode than policy asks for' : null;
}

/** What a session that is closed must have done. */
export function brokenAtEnd(world: World, configuration: Configuration): Broken {
  if (world.chart.call !== 'closed') return null;
  if (wireOf(world, 'a')?.invite === 'open') return 'invariant 3: the INVITE has no final answer';
  if (configuration.mode === 'proxy') return null;
  for (const wire of world.wires) {
    const broken = wire.leg === 'a' ? leftAtInviter(wire) : leftAtFarSide(world, wire);
    if (broken !== null) return broken;
  }
  const { ordered } = world.store;
  return ordered === 'o' && !hasCrashed(world) ? 'invariant 10: a history that was opened is never sealed' : null;
}

function leftAtInviter(wire: Wire): Broken {
  if (wire.invite === 'answered' && wire.ended === null) return 'invariant 1: the inviter is not told of the end';
  return unansweredBye(wire);
}

function unansweredBye(wire: Wire): Broken {
  const open = wire.theirs.find((name) => name.includes('bye'));
  return open === undefined ? null : `invariant 3: a BYE on leg ${wire.leg} has no answer`;
}

function leftAtFarSide(world: World, wire: Wire): Broken {
  const is = world.chart.context.legs[wire.leg]?.peer === 'iwf' ? 'invariant 11: IWF' : 'invariant 1: far';
  if (wire.invite === 'open' && !wire.cancelled) return `${is} leg ${wire.leg} is left ringing`;
  if (wire.invite === 'answered' && wire.ended === null) return `${is} leg ${wire.leg} is left in its dialog`;
  if (wire.invite === 'answered' && !wire.acked) return `${is} leg ${wire.leg} never had its ACK`;
  return unansweredBye(wire);
}
