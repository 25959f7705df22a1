/** How far from its end a function of a play is. */
import type { PlayedFunction, Theatre } from './theatre.ts';
import type { Rest } from './verdicts.ts';

/** Longer than any endpoint waits before it says something again (RFC 3261 17.1.2.1, T2). */
const QUIET_MS = 5000;
/** Transactions are forgotten 64*T1 after their last message, and what was learnt of stragglers as long after that. */
const FORGOTTEN_MS = 100_000;

export function restOf({ watched }: PlayedFunction, { network, clock }: Theatre): Rest {
  const { pf, chronicle, history } = watched;
  const untouched = !chronicle.entries.some(({ kind }) => kind === 'state');
  const last = Math.max(network.transcript.at(-1)?.at ?? 0, chronicle.entries.at(-1)?.at ?? 0);
  const quiet = clock.now() - last;
  const sessions = pf.engine.sessions.size;
  const work = Math.max(pf.outbox.depth, pf.disk.intents.size);
  const waits = [
    ...(pf.up ? [] : ['the process is down']),
    ...(sessions > 0 && pf.up ? [`${sessions} ${sessions === 1 ? 'session lives' : 'sessions live'}`] : []),
    ...(network.flights.length > 0 ? ['messages are under way'] : []),
    ...(history.mood === 'well' ? [] : ['the message store is not well']),
    ...(work > 0 ? [`${work} ${work === 1 ? 'object waits' : 'objects wait'} for the message store`] : []),
    ...(quiet < QUIET_MS ? ['somebody may still repeat himself'] : []),
  ];
  const ended = waits.length === 0;
  return { untouched, ended, forgotten: ended && quiet >= FORGOTTEN_MS, waits };
}
