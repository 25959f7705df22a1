/** One ladder out of what two functions have noted. */
import { expect, it } from '@jest/globals';
import type { LadderEntry } from '../../src/inspect/ladder.ts';
import { jointRows } from '../../src/server/demo/joint-ladder.ts';

const noted = (lines: readonly (readonly [number, string, 'in' | 'out', string])[]): LadderEntry[] =>
  lines.map(([at, leg, direction, label]) => ({ at, leg, direction, label }));

const told = (rows: ReturnType<typeof jointRows>): string[] =>
  rows.map((row) => ('message' in row ? `${row.from} ${row.message} ${row.to}` : `${row.of} ${JSON.stringify(row)}`));

it.each([
  ['at the same time', 5, 5],
  ['by a clock that was read a little earlier', 4.9, 5],
  ['later', 5.2, 5],
])('a message between the two stands before what it led to, received %s', (_, received, sent) => {
  const rows = jointRows(
    {
      originating: noted([
        [1, 'a', 'in', 'INVITE'],
        [1, 'b', 'out', 'INVITE'],
        [received, 'b', 'in', '180 Ringing'],
        [received, 'a', 'out', '180 Ringing'],
      ]),
      terminating: noted([
        [1, 'a', 'in', 'INVITE'],
        [1, 'b', 'out', 'INVITE'],
        [5, 'b', 'in', '180 Ringing'],
        [sent, 'a', 'out', '180 Ringing'],
      ]),
    },
    [],
  );
  expect(told(rows)).toEqual([
    'alice INVITE originating',
    'originating INVITE terminating',
    'terminating INVITE bob',
    'bob 180 Ringing terminating',
    'terminating 180 Ringing originating',
    'originating 180 Ringing alice',
  ]);
});

it('a ladder that has lost its middle is told all the same', () => {
  const rows = jointRows(
    {
      originating: noted([
        [1, 'a', 'in', 'BYE'],
        [3, 'b', 'in', '200 OK (BYE)'],
      ]),
      terminating: noted([[2, 'a', 'in', 'BYE']]),
    },
    [{ at: 2, of: 'terminating', call: 'closed', recording: 'off' }],
  );
  expect(rows.map(({ at }) => at)).toEqual([0, 1]);
});
