/**
 * A segment of the journal: whatever becomes of its file, the frames that were written come back as they were, up to the
 * first one that is not whole, and nothing else does.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Segment, type SegmentHead } from '../../src/store/segment.ts';
import { StagedFile } from '../support/journal-files.ts';

const HEAD: SegmentHead = { generation: 7, store: '0123456789abcdef', follows: 99 };

/** A segment with these frames, just begun or over what was in the file. */
function written(texts: readonly string[], file = new StagedFile(), head = HEAD): StagedFile {
  const segment = new Segment(file);
  segment.begin(head);
  for (const text of texts) segment.append(text, false);
  return file;
}

function readBack(file: StagedFile): { head: SegmentHead; texts: string[]; places: string[]; segment: Segment } {
  const segment = new Segment(file);
  segment.readHead();
  const texts: string[] = [];
  const places: string[] = [];
  segment.readFrames((text, at, wide) => {
    texts.push(text);
    places.push(segment.textAt({ segment, at, bytes: wide ? 2 * text.length : text.length, wide }));
  });
  return { head: segment.head, texts, places, segment };
}

describe('frames', () => {
  it('come back in order, whatever characters they have, also each by its place', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 50 }), { maxLength: 6 }), (texts) => {
        const { head, texts: found, places } = readBack(written(texts));
        expect({ head, found, places }).toEqual({ head: HEAD, found: texts, places: texts });
      }),
    );
  });

  it('take one byte a character where each has one, and two where one has not: half a pair too', () => {
    const bytesOf = (text: string): number => written([text]).size - written([]).size - 8;
    expect([bytesOf('café'), bytesOf('cafe\u0301'), bytesOf('\ud83d')]).toEqual([4, 10, 2]);
    expect(readBack(written(['café', '\ud83d', ''])).texts).toEqual(['café', '\ud83d', '']);
  });

  it('of more than the kept buffer are written, and those that follow them', () => {
    const texts = ['x'.repeat(3_000_000), 'y', 'z'.repeat(100_000)];
    expect(readBack(written(texts)).texts).toEqual(texts);
  });

  it('that were cut short at any byte are left out, and all before them come back', () => {
    const whole = written(['one', 'two', 'three']);
    const ends = [32, 32 + 11, 32 + 22, 32 + 35];
    expect(whole.size).toBe(ends.at(-1));
    for (let size = 0; size <= whole.size; size++) {
      const { texts } = readBack(new StagedFile('cut', whole.bytes.subarray(0, size)));
      expect([size, texts.length]).toEqual([size, ends.filter((end) => end <= size).length - (size < 32 ? 0 : 1)]);
    }
  });

  it('end where any bit of them is another', () => {
    const whole = written(['one', 'two']);
    for (let at = 0; at < whole.size; at++) {
      const bytes = Buffer.from(whole.bytes);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      const { texts } = readBack(new StagedFile('flipped', bytes));
      expect([at, texts]).toEqual([at, at < 32 ? [] : at < 43 ? [] : ['one']]);
    }
  });

  it('of an earlier use of the file do not count, though they stand right behind the last one', () => {
    const file = written(['old one', 'old two', 'old 333']);
    written(['new one'], file, { ...HEAD, generation: 9 });
    expect(file.bytes.includes('old two')).toBe(true);
    const { head, texts } = readBack(file);
    expect({ generation: head.generation, texts }).toEqual({ generation: 9, texts: ['new one'] });
  });

  it('that a message brings along do not count, where it was written for nothing', () => {
    const crafted = written(['d1,0,0\na']).bytes.subarray(32).toString('latin1');
    const file = new StagedFile();
    const segment = new Segment(file);
    segment.begin(HEAD);
    file.space = 60;
    file.cut = () => {};
    expect(() => segment.append(`1234567${crafted}${'x'.repeat(100)}`, false)).toThrow('ENOSPC');
    file.space = Number.POSITIVE_INFINITY;
    segment.append('1234567', false);
    expect(file.bytes.subarray(segment.end).toString('latin1')).toContain('d1,0,0');
    expect(readBack(file).texts).toEqual(['1234567']);
  });
});

describe('a write that fails', () => {
  it('leaves nothing behind, and the next one takes its place', () => {
    const file = new StagedFile();
    const segment = new Segment(file);
    segment.begin(HEAD);
    segment.append('one', false);
    const { size } = file;
    for (const space of [0, 5, 9]) {
      file.space = space;
      expect(() => segment.append('two', false)).toThrow('ENOSPC');
      expect(file.size).toBe(size);
    }
    file.space = Number.POSITIVE_INFINITY;
    segment.append('three', false);
    expect(readBack(file).texts).toEqual(['one', 'three']);
  });

  it('fails where the disk does not say that it has it', () => {
    const file = new StagedFile();
    const segment = new Segment(file);
    segment.begin(HEAD);
    segment.append('one', true);
    expect(file.syncs).toBe(1);
    file.sync = () => {
      throw new Error('EIO: i/o error, fdatasync');
    };
    expect(() => segment.append('two', true)).toThrow('EIO');
    expect(readBack(file).texts).toEqual(['one']);
  });
});

describe('a file', () => {
  it('that is new, or none of a journal, has no generation and no frames', () => {
    for (const bytes of ['', 'cpmj', 'x'.repeat(500)]) {
      const { head, texts } = readBack(new StagedFile('other', Buffer.from(bytes)));
      expect({ generation: head.generation, texts }).toEqual({ generation: 0, texts: [] });
    }
  });

  it('goes on behind its last whole frame', () => {
    const file = written(['one', 'two']);
    file.cut(file.size - 1);
    const { segment } = readBack(file);
    segment.append('three', false);
    expect(readBack(file).texts).toEqual(['one', 'three']);
  });
});
