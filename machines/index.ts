/** `cpm-engine/machines`: the statecharts of a CPM session and of a pager-mode message, with no I/O. */
export { compiled } from './compiled.ts';
export type { MessageContext, MessageFacts, MessageInput, Outcome } from './message/context.ts';
export type { MessageEvent } from './message/events.ts';
export { type MessageMachine, messageMachine } from './message/machine.ts';
export { CLAUSE_IDS, type ClauseId } from './session/clause-ids.ts';
export { ACTION_CLAUSES, clausesOf, GUARD_CLAUSES } from './session/clauses.ts';
export type {
  Ending,
  EndReason,
  InviteFacts,
  LegName,
  LegPhase,
  LegRecord,
  SessionContext,
  SessionInput,
  TimerFacts,
} from './session/context.ts';
export type { Effect, EffectOf, EffectType } from './session/effects.ts';
export type { EventOf, SessionEvent, SessionEventType } from './session/events.ts';
export { type GuardName, guards } from './session/guards.ts';
export {
  type ActionName,
  actions,
  type SessionMachine,
  sessionMachine,
  unrecordedMachine,
} from './session/machine.ts';
export {
  type Asking,
  type OwnGuard,
  type OwnGuards,
  POLICY_GUARDS,
  type PolicyGuardName,
} from './session/own-guards.ts';
export type { DeferredPolicy, MessagePolicy, Mode, Policy, Profile, RegisteredClient, Role } from './session/policy.ts';
export { mayBeRecorded } from './session/recorded.ts';
