/** The order in which the servers of an SRV name are tried (RFC 2782). */
import type { Srv } from '../network.ts';

/** By priority; among equals, drawn by weight. `random` gives from 0 to below 1. At most `limit` come out. */
export function orderSrv(records: readonly Srv[], random: () => number, limit = Number.POSITIVE_INFINITY): Srv[] {
  const ordered: Srv[] = [];
  // Those of weight 0 come first among equals, which gives them their small chance.
  const waiting = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  while (waiting.length > 0 && ordered.length < limit) {
    const { priority } = waiting[0] as Srv;
    const past = waiting.findIndex((record) => record.priority !== priority);
    const equals = past < 0 ? waiting.length : past;
    ordered.push(...waiting.splice(drawn(waiting, equals, random), 1));
  }
  return ordered;
}

/** RFC 2782: a number from 0 to the sum of the weights, both included; the first whose running sum reaches it. */
function drawn(waiting: readonly Srv[], equals: number, random: () => number): number {
  let total = 0;
  for (let at = 0; at < equals; at++) total += (waiting[at] as Srv).weight;
  let draw = Math.floor(random() * (total + 1));
  for (let at = 0; at < equals; at++) {
    draw -= (waiting[at] as Srv).weight;
    if (draw <= 0) return at;
  }
  return equals - 1;
}
