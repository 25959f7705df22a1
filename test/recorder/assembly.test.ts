/** Messages put together from chunks: in any order, overlapping, with holes, in memory and in the spool. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WHOLE } from '../../src/msrp/message/byte-range.ts';
import { type Assembled, Assembly } from '../../src/recorder/assembly.ts';
import { Ranges } from '../../src/recorder/ranges.ts';
import { Spool } from '../../src/recorder/spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'cpm-spool-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spool = new Spool(folder, true);
let files = 0;
const assembly = (memoryBytes: number) =>
  new Assembly('', { memoryBytes, spool: () => spool.create(`file-${++files}`) });

const finished = (of: Assembly): Promise<Assembled> =>
  new Promise((resolve, reject) => of.finish((error, message) => (message ? resolve(message) : reject(error))));

async function contentOf({ beginning, file }: Assembled): Promise<string> {
  if (file === undefined) return beginning.toString('latin1');
  return new Promise((resolve) => spool.read(file.name, (_error, text) => resolve(text ?? 'none')));
}

describe('ranges', () => {
  it('cover what a list of single bytes says they cover, whatever comes in whatever order', () => {
    const range = fc.tuple(fc.nat(30), fc.nat(10));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), fc.nat(45), (added, total) => {
        const [ranges, bytes] = [new Ranges(), new Set<number>()];
        for (const [start, length] of added) {
          ranges.add(start, start + length);
          for (let at = start; at < start + length; at++) bytes.add(at);
        }
        expect(ranges.covers(total)).toBe(Array.from({ length: total }, (_, at) => at).every((at) => bytes.has(at)));
        const starts = [...bytes].filter((at) => !bytes.has(at - 1)).length;
        expect(ranges.pieces).toBe(starts);
      }),
      { numRuns: 500 },
    );
  });
});

describe('an assembly', () => {
  it('gives the same bytes however they were cut and ordered, in memory and in a file', async () => {
    const text = 'The quick brown fox jumps over the lazy dog.';
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(text.length), fc.nat(20)), { maxLength: 12 }),
        fc.constantFrom(8, 1000),
        async (pieces, memoryBytes) => {
          const message = assembly(memoryBytes);
          for (const [start, length] of [...pieces, [20, 100] as const, [0, 20] as const]) {
            message.put(Buffer.from(text.slice(start, start + length), 'latin1'), start);
          }
          message.ended({ start: 1, end: null, total: text.length }, text.length);
          expect(message.whole).toBe(true);
          const whole = await finished(message);
          expect(await contentOf(whole)).toBe(text);
          expect(whole.bytes).toBe(text.length);
          whole.file?.discard();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is not whole before its end is known, nor while a byte is missing', () => {
    const message = assembly(1000);
    message.put(Buffer.from('abc'), 0);
    expect(message.whole).toBe(false);
    message.ended({ start: 5, end: 6, total: 6 }, 2);
    message.put(Buffer.from('ef'), 4);
    expect(message.whole).toBe(false);
    message.put(Buffer.from('d'), 3);
    expect(message.whole).toBe(true);
  });

  it('takes the length of a chunk without a total from what came (RFC 4975 7.1.1)', () => {
    const message = assembly(1000);
    message.put(Buffer.from('abc'), 0);
    message.ended(WHOLE, 3);
    expect(message.whole).toBe(true);
  });

  it('gives up a sender that makes more than 64 holes, and the file with it', () => {
    const message = assembly(4);
    for (let at = 0; at < 200; at += 2) message.put(Buffer.from('x'), at);
    expect(message.failed?.message).toBe('in more than 64 pieces');
    expect(message.whole).toBe(false);
  });
});

describe('the spool', () => {
  it('removes what a killed process left, and keeps what intents name', async () => {
    const own = new Spool(join(folder, 'own'), false);
    for (const name of ['kept', 'left']) own.create(name).finish(() => {});
    own.keepOnly(new Set(['kept']));
    while (readdirSync(join(folder, 'own')).length > 1) await new Promise((resolve) => setImmediate(resolve));
    expect(readdirSync(join(folder, 'own'))).toEqual(['kept']);
    new Spool(join(folder, 'never made'), false).keepOnly(new Set());
  });

  it('says of a file that is gone that there is none, since then its work is done', async () => {
    const told = await new Promise((resolve) => spool.read('gone', (error, text) => resolve([error, text])));
    expect(told).toEqual([null, undefined]);
  });
});
