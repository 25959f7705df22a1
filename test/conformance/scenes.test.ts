/** The scenes that are drawn say what the table of endings says: who is told, in which order, and with which UID. */
import { describe, expect, it } from '@jest/globals';
import { BYE_SCENES } from '../../src/conformance/scenes/byes.ts';
import { CALL_SCENES } from '../../src/conformance/scenes/calls.ts';
import { sequenceSvg } from '../../src/inspect/sequence.ts';

/** A scene as lines: `client > BYE`, `PF > IWF 1 BYE`, `stored`, without the states. */
function lines(name: string): string[] {
  const scene = [...BYE_SCENES, ...CALL_SCENES].find((each) => each.name === name);
  if (scene === undefined) throw new Error(`no scene ${name}`);
  const { rows } = scene.play().sequence(scene.title);
  return rows.flatMap((row) => {
    if (row.kind !== 'message') return row.kind === 'stored' ? [row.label] : [];
    return [`${row.from} > ${row.to}: ${[row.label, ...row.details].join(' ')}`.replaceAll('CPM PF', 'PF')];
  });
}

const SEALED = ['Group State stored, UID 2', 'GroupStateObjectID = 2'];

describe('the rows of the BYE table (digest 2.2)', () => {
  it.each([
    [
      'orig-bye-client',
      ['client > PF: BYE', ...SEALED, 'PF > other entity: BYE', 'other entity > PF: 200 (BYE)'],
      'PF > client: 200 (BYE) Message-UID: 1',
    ],
    [
      'orig-bye-entity',
      ['other entity > PF: BYE', ...SEALED, 'PF > client: BYE Message-UID: 1', 'client > PF: 200 (BYE)'],
      'PF > other entity: 200 (BYE)',
    ],
    [
      'orig-bye-one-iwf',
      [
        'IWF 2 > PF: BYE',
        'PF > IWF 2: 200 (BYE)',
        'PF > client: INVITE m-lines at ports 3001, 0',
        'client > PF: 200 (INVITE)',
      ],
      'PF > client: ACK',
    ],
    [
      'orig-timer',
      [...SEALED, 'PF > client: BYE Message-UID: 1', 'PF > other entity: BYE', 'client > PF: 200 (BYE)'],
      'other entity > PF: 200 (BYE)',
    ],
    [
      'term-bye-client',
      ['client > PF: BYE', ...SEALED, 'PF > other entity: BYE', 'other entity > PF: 200 (BYE)'],
      'PF > client: 200 (BYE) Message-UID: 1',
    ],
    [
      'term-bye-entity',
      ['other entity > PF: BYE', ...SEALED, 'PF > client: BYE Message-UID: 1', 'client > PF: 200 (BYE)'],
      'PF > other entity: 200 (BYE)',
    ],
    [
      'term-bye-one-iwf',
      [
        'IWF 2 > PF: BYE',
        'PF > IWF 2: 200 (BYE)',
        'PF > other entity: INVITE m-lines at ports 3001, 0',
        'other entity > PF: 200 (INVITE)',
      ],
      'PF > other entity: ACK',
    ],
    [
      'proxy-bye',
      ['client > PF: BYE', 'PF > other entity: BYE', 'other entity > PF: 200 (BYE)'],
      'PF > client: 200 (BYE)',
    ],
  ])('%s', (name, before, last) => {
    expect(lines(name)).toEqual([...before, last]);
  });

  it.each(['orig-bye-client-iwfs', 'orig-timer-iwfs', 'term-bye-entity-iwfs', 'term-timer-iwfs'])(
    '%s: every IWF gets a BYE, without Message-UID, after the history is sealed',
    (name) => {
      const played = lines(name);
      for (const iwf of ['IWF 1', 'IWF 2']) {
        expect(played.indexOf(`PF > ${iwf}: BYE`)).toBeGreaterThan(played.indexOf('GroupStateObjectID = 2'));
      }
    },
  );

  it.each([
    ['orig-bye-iwf-all', 'PF > client: BYE Message-UID: 1'],
    ['term-bye-iwf-all', 'PF > other entity: BYE'],
  ])('%s: the others are told, and the IWF has its 200 last (A-32, A-48)', (name, told) => {
    const played = lines(name);
    expect(played).toEqual(expect.arrayContaining([told, 'PF > IWF 1: BYE']));
    expect(played.at(-1)).toBe('PF > IWF 2: 200 (BYE)');
  });
});

describe('the pictures', () => {
  it('of a slow store: the 200 comes at the end of the budget, without Message-UID (A-29)', () => {
    expect(lines('call-slow-store').at(-1)).toBe('PF > client: 200 (BYE)');
    const scene = CALL_SCENES.find(({ name }) => name === 'call-slow-store');
    expect(sequenceSvg(scene?.play().sequence('slow') as never)).toContain('1.5 s later');
  });

  it('come out the same, byte for byte, each time they are played', () => {
    for (const { play, title } of [...BYE_SCENES, ...CALL_SCENES]) {
      expect(sequenceSvg(play().sequence(title))).toBe(sequenceSvg(play().sequence(title)));
    }
  });
});
