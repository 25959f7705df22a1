/**
 * Frames in the wire format of `@statelyai/inspect`: a text frame for each actor, event and snapshot, one JSON object
 * with sorted keys, no handshake, nothing read back. Session ids are the engine's own, which survive a restart.
 */
import type { AnyStateMachine } from 'xstate';
import type { Session } from '../engine/session.ts';
import { allowed, CONTEXT, EVENT, type Mask } from './redaction.ts';

/** Release of the package whose format this is. */
const VERSION = '0.7.2';

interface Occasion {
  readonly session: Session;
  readonly mask: Mask;
  /** What led here; null where nothing did. */
  readonly event: { readonly type: string } | null;
}

const NOTHING = { type: 'xstate.init' } as const;

/** The session as a newcomer has to learn of it: its chart, and where it is now. */
export function actorFrame({ session, mask }: Omit<Occasion, 'event'>): string {
  return JSON.stringify({
    _version: VERSION,
    createdAt: timeOf(session),
    definition: definitionOf(session.actor.logic as AnyStateMachine),
    id: null,
    name: session.id,
    rootId: session.id,
    sessionId: session.id,
    snapshot: snapshotOf(session, mask),
    type: '@xstate.actor',
  });
}

export function eventFrame({ session, mask, event }: Occasion): string {
  return JSON.stringify({
    _version: VERSION,
    createdAt: timeOf(session),
    event: allowed(event ?? NOTHING, EVENT, mask),
    id: null,
    rootId: session.id,
    sessionId: session.id,
    type: '@xstate.event',
  });
}

export function snapshotFrame({ session, mask, event }: Occasion): string {
  return JSON.stringify({
    _version: VERSION,
    createdAt: timeOf(session),
    event: allowed(event ?? NOTHING, EVENT, mask),
    id: null,
    rootId: session.id,
    sessionId: session.id,
    snapshot: snapshotOf(session, mask),
    type: '@xstate.snapshot',
  });
}

function snapshotOf(session: Session, mask: Mask): object {
  const { value, context } = session.actor.getSnapshot();
  return {
    children: {},
    context: allowed(context, CONTEXT, mask),
    historyValue: {},
    // The chart has no end of its own: the engine drops the actor once everything has left.
    status: session.gone ? 'stopped' : 'active',
    tags: [],
    value,
  };
}

/** ms since the epoch, as a text. */
function timeOf(session: Session): string {
  return String(Math.round(session.now()));
}

const DEFINITIONS = new WeakMap<object, string>();

/** The chart's configuration as JSON: states in their order and to any depth, functions left out. */
export function definitionOf(machine: AnyStateMachine): string {
  let known = DEFINITIONS.get(machine.config);
  if (known === undefined) {
    known = JSON.stringify(machine.config);
    DEFINITIONS.set(machine.config, known);
  }
  return known;
}
