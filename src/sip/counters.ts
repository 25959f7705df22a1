/** Everything the stack lets fall, refuses or absorbs by itself is counted under one of these. */
export type CounterName =
  | 'received'
  | 'malformed'
  | 'dropped'
  | 'refused'
  | 'retransmitted'
  | 'strayResponses'
  | 'strayAcks'
  | 'unsendable'
  | 'merged'
  | 'overloaded';

export type Counters = Record<CounterName, number>;

export function newCounters(): Counters {
  return {
    received: 0,
    malformed: 0,
    dropped: 0,
    refused: 0,
    retransmitted: 0,
    strayResponses: 0,
    strayAcks: 0,
    unsendable: 0,
    merged: 0,
    overloaded: 0,
  };
}
