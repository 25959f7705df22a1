/** What a write of the session store changes, as one text: whatever the texts hold, each comes back as it was. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ChangeKind, Changes, changesIn, type Span } from '../../src/store/changes.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\n', 'S1,2,3\nabc', 'd1,0,0\n'),
);
const change = fc.record({
  kind: fc.constantFrom<ChangeKind>('S', 's', 'd', 'W', 'w', 'P'),
  id: text,
  first: text,
  second: text,
});

const cut = (all: string, { at, length }: Span): string => all.slice(at, at + length);

it('each change comes back, with its texts at their places', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), (wanted) => {
      const changes = new Changes();
      for (const { kind, id, first, second } of wanted) changes.add(kind, id, first, second);
      expect(changesIn(changes.text)).toEqual(changes.list);
      const found = changes.list.map(({ kind, id, first, second }) => ({
        kind,
        id,
        first: cut(changes.text, first),
        second: cut(changes.text, second),
      }));
      expect(found).toEqual(wanted);
    }),
    { numRuns: 500 },
  );
});

it('something else is refused, with its place', () => {
  expect(() => changesIn('X1,0,0\na')).toThrow('no change at 0');
  expect(() => changesIn('d1,0,0\naS')).toThrow('no change at 8');
  expect(() => changesIn('d9,0,0\na')).toThrow('a change cut short at 8');
});
