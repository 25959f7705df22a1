/** A scene of the property tests on the stage it was found on: one function, and the script of what happens to it. */
import { answeredSessions } from '../testing/invariants/index.ts';
import { invite } from '../testing/scenario/commands.ts';
import { type Cue, cuesOf } from '../testing/scenario/play.ts';
import type { Scene } from '../testing/scenario/scene.ts';
import { Stage } from '../testing/scenario/stage.ts';
import type { MemberId } from './acts.ts';
import type { Member, Observer, PlayedFunction, Scripted, Theatre } from './theatre.ts';

const LINKS: readonly (readonly [MemberId, MemberId])[] = [
  ['near', 'pf'],
  ['pf', 'far'],
  ['pf', 'isf'],
];

/** Where each of them stands in the picture. */
const PLACES: readonly (readonly [id: MemberId, kind: Member['kind'], x: number, y: number])[] = [
  ['near', 'user', 12, 27],
  ['pf', 'function', 50, 27],
  ['far', 'user', 88, 27],
  ['isf', 'isf', 50, 64],
  ['iwf1', 'iwf', 37, 88],
  ['iwf2', 'iwf', 63, 88],
];

export function sceneTheatre(scene: Scene, observe: Observer): Theatre {
  const stage = new Stage(scene, { observe: (session, event) => observe('pf', session, event) });
  const { world, endpoints } = stage;
  return {
    clock: world.clock,
    network: world.network,
    members: PLACES.map(([id, kind, x, y]) => memberOf(stage, id, kind, x, y)),
    links: LINKS,
    functions: [functionOf(stage)],
    endpoints: new Map(Object.entries(endpoints) as [MemberId, (typeof endpoints)['near']][]),
    script: cuesOf(stage).map(scripted),
    invite: () => invite(stage),
    phone: true,
  };
}

function memberOf(stage: Stage, id: MemberId, kind: Member['kind'], x: number, y: number): Member {
  const { world, endpoints, scene } = stage;
  const term = scene.setting.role === 'term';
  const names: Partial<Record<MemberId, string>> = {
    near: term ? 'inviter' : 'client',
    far: term ? 'client' : 'far side',
    pf: 'PF',
    isf: 'ISF',
    iwf1: 'IWF 1',
    iwf2: 'IWF 2',
  };
  const address =
    id === 'pf'
      ? world.pf.address
      : id === 'isf'
        ? world.isf.address
        : endpoints[id as keyof typeof endpoints].peer.address;
  return { id, name: names[id] ?? id, kind, address, x, y, site: kind === 'iwf' ? 'isf' : id };
}

function functionOf(stage: Stage): PlayedFunction {
  const { scene, endpoints, watched } = stage;
  const { setting, commands } = scene;
  const reloaded = commands.some((command) => command.do === 'policy' && command.change.recording === false);
  const kept = setting.storage && setting.preferencesMs === 0 && !reloaded;
  return {
    id: 'pf',
    name: 'PF',
    watched,
    client: (setting.role === 'orig' ? endpoints.near : endpoints.far).peer.address,
    iwfs: [stage.world.isf.address],
    wanted: (wire) => (kept ? answeredSessions(wire) : []),
    commitMs: Math.max(setting.commitMs, ...commands.map((each) => (each.do === 'disk' ? each.commitMs : 0))),
  };
}

function scripted({ at, command, run }: Cue): Scripted {
  return { at, says: sayingOf(command), run };
}

const NAMED = {
  invite: 'the inviter sends its INVITE',
  finale: 'the end of the scene begins',
  heal: 'the message store is well again',
} as const;

function sayingOf(command: Cue['command']): string {
  if (typeof command === 'string') return NAMED[command];
  const { do: verb, ...values } = command;
  const said = Object.entries(values).map(([name, value]) => `${name} ${plain(value)}`);
  return [verb, ...said].join(', ').replace(/^(\w+), /, '$1: ');
}

function plain(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value).replace(/["{}]/g, '') : String(value);
}
