/** Writes down what happens on a stage: every message, every step of every session, every crash and stored object. */
import type { AnyMachineSnapshot } from 'xstate';
import { regionsOf, type Session } from '../engine/session.ts';
import type { Unstamped } from '../engine/translate.ts';
import type { ChronicleEntry } from '../testing/chronicle.ts';
import { kindOf } from '../testing/invariants/folders.ts';
import type { Passage } from '../testing/virtual-network.ts';
import type { TracedStep } from '../trace/trace.ts';
import type { MemberId } from './acts.ts';
import { type MessageRow, messageLabel, type NoteRow, type Row } from './rows.ts';
import type { PlayedFunction, Theatre } from './theatre.ts';

/** One session of a function, from its first step on. */
export interface FollowedSession {
  readonly id: string;
  readonly of: MemberId;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly steps: TracedStep[];
}

type Unnumbered<T> = T extends Row ? Omit<T, 'n' | 'at'> : never;

export class Notebook {
  readonly rows: Row[] = [];
  readonly sessions: FollowedSession[] = [];
  /** Copies that have arrived. */
  arrivals = 0;
  /** ms since the epoch: when the last message was sent or arrived. */
  lastMessageAt = 0;
  readonly #theatre: Theatre;
  readonly #names: ReadonlyMap<string, MemberId>;
  readonly #underWay = new Map<Passage, MessageRow>();
  readonly #said = new Set<string>();

  constructor(theatre: Theatre) {
    this.#theatre = theatre;
    this.#names = new Map(theatre.members.map(({ address, id }) => [address, id]));
    theatre.network.watcher = {
      sent: (passage) => this.#sent(passage),
      arrived: (passage) => this.#arrived(passage),
    };
    for (const each of theatre.functions) this.#listen(each);
  }

  get untouched(): boolean {
    return this.sessions.length === 0;
  }

  note(of: MemberId | null, what: NoteRow['what'], says: string): void {
    this.#add({ kind: 'note', of, what, says });
  }

  /** The session that began last at this function. */
  latest(of: MemberId): FollowedSession | undefined {
    return this.sessions.findLast((session) => session.of === of);
  }

  #add(row: Unnumbered<Row>): Row {
    const added = { ...row, n: this.rows.length, at: this.#theatre.clock.now() } as Row;
    this.rows.push(added);
    return added;
  }

  // --- messages ----------------------------------------------------------------------------------------------------

  #sent(passage: Passage): void {
    this.lastMessageAt = passage.at;
    for (const { watched } of this.#theatre.functions) watched.sent(passage);
    const [from, to] = [this.#names.get(passage.from), this.#names.get(passage.to)];
    if (from === undefined || to === undefined) return;
    const key = `${passage.from} ${passage.to} ${passage.message}`;
    const again = this.#said.has(key);
    this.#said.add(key);
    const label = messageLabel(passage.message);
    const row = this.#add({ kind: 'message', from, to, label, passage, again, arrived: 0 });
    this.#underWay.set(passage, row as MessageRow);
  }

  #arrived(passage: Passage): void {
    this.arrivals++;
    this.lastMessageAt = this.#theatre.clock.now();
    const row = this.#underWay.get(passage);
    if (row !== undefined) row.arrived++;
    for (const { watched } of this.#theatre.functions) watched.arrived(passage);
  }

  // --- steps -------------------------------------------------------------------------------------------------------

  /** A step of a session; without an event it begins here. */
  step(of: MemberId, session: Session, event: Unstamped | undefined): void {
    const followed = this.#follow(of, session);
    this.#stepped(followed, session, event?.type ?? 'invited', event, session.step);
  }

  #follow(of: MemberId, session: Session): FollowedSession {
    const known = this.sessions.find(({ id }) => id === session.id);
    if (known !== undefined) return known;
    const followed = { id: session.id, of, startedAt: session.startedAt, steps: [] };
    this.sessions.push(followed);
    return followed;
  }

  #stepped(
    { of, id, steps }: FollowedSession,
    session: Session,
    name: string,
    event: Unstamped | undefined,
    number: number,
  ): void {
    const before = steps.at(-1)?.after;
    const after = session.actor.getSnapshot() as AnyMachineSnapshot;
    const [was, is] = [placeOf(before), placeOf(after)];
    const step = { n: this.rows.length, at: session.now(), event, step: number, before, after };
    steps.push(step);
    const call = was.call === is.call ? null : is.call;
    const recording = was.recording === is.recording ? null : is.recording;
    this.#add({ kind: 'step', of, session: id, step, event: name, call, recording });
  }

  // --- processes and stores ------------------------------------------------------------------------------------------

  #listen({ id, watched }: PlayedFunction): void {
    const { chronicle } = watched;
    const note = chronicle.note.bind(chronicle);
    chronicle.note = (entry) => {
      note(entry);
      const told = sayingOf(entry);
      if (told !== undefined) this.note(id, entry.kind === 'history' ? 'stored' : 'process', told);
    };
    const { ready } = watched;
    watched.ready = () => {
      ready();
      this.#takenUp(id, watched.pf.engine.sessions.values());
    };
  }

  /** A new process goes on from what was stored, which may be an earlier state than the last one. */
  #takenUp(of: MemberId, sessions: Iterable<Session>): void {
    for (const session of sessions) {
      const followed = this.#follow(of, session);
      const after = session.actor.getSnapshot() as AnyMachineSnapshot;
      const event = { type: 'takenUp' } as unknown as Unstamped;
      const [was, is] = [placeOf(followed.steps.at(-1)?.after), placeOf(after)];
      // From itself: nothing was asked and nothing done.
      const step = { n: this.rows.length, at: session.now(), event, step: -1, before: after, after };
      followed.steps.push(step);
      this.#add({
        kind: 'step',
        of,
        session: session.id,
        step,
        event: 'taken up',
        call: was.call === is.call ? null : is.call,
        recording: was.recording === is.recording ? null : is.recording,
      });
    }
  }
}

function placeOf(snapshot: AnyMachineSnapshot | undefined): { call: string; recording: string } {
  if (snapshot === undefined) return { call: '', recording: 'off' };
  const { call, recording } = regionsOf(snapshot.value);
  return { call: typeof call === 'string' ? call : Object.entries(call).flat().join('.'), recording };
}

function sayingOf(entry: ChronicleEntry): string | undefined {
  if (entry.kind === 'crash') return 'killed';
  if (entry.kind === 'start') return 'started again';
  if (entry.kind !== 'history') return undefined;
  if (entry.done === 'folder') return 'folder made';
  if (entry.done === 'pointer') return `${entry.pointer} = ${entry.uid}`;
  if (entry.done === 'remove') return `UID ${entry.uid} removed`;
  const kind = kindOf(entry.object ?? '');
  return `${kind === 'session' ? 'Session Info' : kind === 'group-state' ? 'Group State' : 'object'} stored, UID ${entry.uid}`;
}
