/** Scenes of the property tests in the playground: played as they are played there, message by message. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { linkIn, linkText, sceneText } from '../../src/playground/link.ts';
import { Play } from '../../src/playground/play.ts';
import { sceneIn } from '../../src/playground/scene-check.ts';
import { play as played } from '../../src/testing/index.ts';
import { scenes } from '../invariants/scenes.ts';

const FOLDER = new URL('../invariants/regressions/', import.meta.url);

describe('a scene that once broke an invariant', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
    it(`is played here as there, and holds every invariant: ${file}`, () => {
      const opened = sceneIn(readFileSync(new URL(file, FOLDER), 'utf8'));
      const play = Play.from(linkIn(`#scene=${sceneText(opened)}`));
      expect(play.beginning).toEqual({ kind: 'scene', ...opened });
      play.toTheEnd();
      const said = (of: { readonly transcript: readonly { at: number; message: string }[] }): string[] =>
        of.transcript.map(({ at, message }) => `${at} ${message}`);
      expect(said(play.theatre.network)).toEqual(said(played(opened.scene).stage.world.network));
      const [pf] = play.theatre.functions;
      if (pf === undefined) throw new Error('no function');
      expect(play.verdicts(pf).filter(({ standing }) => standing !== 'holds')).toEqual([]);
    });
  }

  it('can be taken another way by hand, and that is in its link', () => {
    const opened = sceneIn(readFileSync(new URL('bye-overtakes-the-2xx.json', FOLDER), 'utf8'));
    const play = Play.from(linkIn(`#scene=${sceneText(opened)}`));
    play.advanceTo(500);
    play.act({ do: 'hangup', who: 'near' });
    play.act({ do: 'crash', who: 'pf', instant: 'now', down: 700 });
    play.advanceTo(5000);
    const other = Play.from(linkIn(linkText(play.link())));
    expect(other.theatre.network.transcript).toEqual(play.theatre.network.transcript);
  });

  it('of any kind the property tests draw can be opened', () => {
    for (const scene of fc.sample(scenes(), { numRuns: 1000, seed: 20_261_126 })) {
      expect(sceneIn(JSON.stringify(scene)).scene).toEqual(JSON.parse(JSON.stringify(scene)));
    }
  });
});
