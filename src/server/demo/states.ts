/** The states a session goes through, noted as they change. */
import { regionsOf, type Session } from '../../engine/session.ts';

export type Place = 'originating' | 'terminating';

export interface StateChange {
  /** ms since the epoch. */
  readonly at: number;
  /** Which function's session. */
  readonly of: Place;
  /** State of the call, as a path: `inviting.ringing`. */
  readonly call: string;
  readonly recording: string;
}

/** Notes where a session is now, and each change from here on. */
export function watchStates(of: Place, session: Session, into: StateChange[]): void {
  let before = '';
  const note = (value: unknown): void => {
    const { call, recording } = regionsOf(value);
    const path = typeof call === 'string' ? call : Object.entries(call).flat().join('.');
    if (`${path} ${recording}` === before) return;
    before = `${path} ${recording}`;
    into.push({ at: session.now(), of, call: path, recording });
  };
  note(session.actor.getSnapshot().value);
  session.actor.subscribe(({ value }) => note(value));
}
