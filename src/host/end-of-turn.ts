/**
 * The end of a turn of the event loop: first what was put off to it, then what leaves for the network.
 *
 * A datagram that leaves wakes its receiver, and where that has to share a processor it takes over at once, and the caches
 * with it. So a turn reads and decides everything that has come, stores it in one write, and sends when that is done.
 */

/** Something that holds back what it sends until the turn ends. */
export interface Departing {
  leave(): void;
}

let work: (() => void)[] = [];
let departing: Departing[] = [];
let awaited = false;

/** Does this when everything that came in this turn has been read; in the order in which it is put off. */
export function atEndOfTurn(task: () => void): void {
  work.push(task);
  awaitEnd();
}

/** Lets this leave once, when the work of the turn is done. */
export function leaveAtEndOfTurn(one: Departing): void {
  departing.push(one);
  awaitEnd();
}

function awaitEnd(): void {
  if (awaited) return;
  awaited = true;
  setImmediate(endTurn);
}

function endTurn(): void {
  awaited = false;
  const due = work;
  work = [];
  let done = 0;
  try {
    while (done < due.length) (due[done++] as () => void)();
  } finally {
    // One that throws is the process's to judge; the others don't suffer for it.
    for (const task of due.slice(done)) atEndOfTurn(task);
    const leaving = departing;
    departing = [];
    for (const one of leaving) one.leave();
  }
}
