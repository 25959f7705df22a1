/** Makes a failing scene small: takes away, piece by piece, whatever it fails without. */
import { type Command, PLAIN_SETTING, type Scene, type Setting } from '../../src/testing/index.ts';

/** The smallest scene found that still fails. `fails` is asked some hundred times at most. */
export function smallest(scene: Scene, fails: (scene: Scene) => boolean): Scene {
  let best = scene;
  for (let round = 0; round < 4; round++) {
    const before = best;
    for (const smaller of [fewerCommands, plainerSetting, betterConduct, calmerFinale, shorterWaits]) {
      best = smaller(best, fails);
    }
    if (best === before) break;
  }
  return best;
}

type Fails = (scene: Scene) => boolean;

function fewerCommands(scene: Scene, fails: Fails): Scene {
  let best = scene;
  for (let size = Math.max(1, best.commands.length >> 1); size >= 1; size >>= 1) {
    for (let at = 0; at + size <= best.commands.length; ) {
      const commands = [...best.commands.slice(0, at), ...best.commands.slice(at + size)];
      if (fails({ ...best, commands })) best = { ...best, commands };
      else at += size;
    }
  }
  return best;
}

function plainerSetting(scene: Scene, fails: Fails): Scene {
  let best = scene;
  for (const key of Object.keys(PLAIN_SETTING) as (keyof Setting)[]) {
    if (key === 'conduct' || JSON.stringify(best.setting[key]) === JSON.stringify(PLAIN_SETTING[key])) continue;
    const setting = { ...best.setting, [key]: PLAIN_SETTING[key] };
    if (fails({ ...best, setting })) best = { ...best, setting };
  }
  return best;
}

function betterConduct(scene: Scene, fails: Fails): Scene {
  let best = scene;
  for (const [who, given] of Object.entries(best.setting.conduct)) {
    for (const key of Object.keys(given ?? {})) {
      const { conduct } = best.setting;
      const kept = Object.entries(conduct[who as keyof typeof conduct] ?? {}).filter(([name]) => name !== key);
      const setting = { ...best.setting, conduct: { ...conduct, [who]: Object.fromEntries(kept) } };
      if (fails({ ...best, setting })) best = { ...best, setting };
    }
  }
  return best;
}

function calmerFinale(scene: Scene, fails: Fails): Scene {
  const calmer = { ...scene, finale: { mode: 'liveness', by: 'health' } } as const;
  return scene.finale.by !== 'health' && fails(calmer) ? calmer : scene;
}

function shorterWaits(scene: Scene, fails: Fails): Scene {
  let best = scene;
  best.commands.forEach((command, at) => {
    if (command.do !== 'wait') return;
    for (const ms of [0, 1, 10, 50, 500, 2000]) {
      if (ms >= command.ms) break;
      const commands: Command[] = best.commands.map((each, index) => (index === at ? { do: 'wait', ms } : each));
      if (!fails({ ...best, commands })) continue;
      best = { ...best, commands };
      break;
    }
  });
  return best;
}
