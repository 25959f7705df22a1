/** Each row of the table of what is sent at the end of a session, played. */
import type { Role } from '../../../machines/session/policy.ts';
import { Stage } from './stage.ts';

/** A scene and what a picture of it says. */
export interface Scene {
  /** Name of its file. */
  readonly name: string;
  readonly title: string;
  readonly play: () => Stage;
}

const RECORDED = { allowOfflineStorage: true } as const;
/** Whoever answers refreshes the session, and never does. */
const TIMED = {
  headers: [
    ['Session-Expires', '1800;refresher=uas'],
    ['Supported', 'timer'],
  ],
} as const;
/** RFC 4028 10: the interval less a third of it, at most 32 s; the answer was some moments before. */
const EXPIRY_MS = (1800 - 32) * 1000;

function recorded(role: Role, policy: object = {}): Stage {
  return new Stage({ role, profile: RECORDED, policy });
}

/** BYE from whoever invited; the far side answers. */
function byeFromInviter(role: Role): Stage {
  const stage = recorded(role);
  const { near, far } = stage.establish();
  stage.begin();
  stage.bye(near);
  stage.reply(far, 'BYE');
  return stage;
}

function byeFromInvited(role: Role): Stage {
  const stage = recorded(role);
  const { near, far } = stage.establish();
  stage.begin();
  stage.bye(far);
  stage.reply(near, 'BYE');
  return stage;
}

/** BYE from whoever invited, to a session with two IWFs. */
function byeToIwfs(role: Role): Stage {
  const stage = recorded(role);
  const { near, first, second } = stage.establishTwoIwfs();
  stage.begin();
  stage.bye(near);
  stage.reply(first, 'BYE');
  stage.reply(second, 'BYE');
  return stage;
}

function byeOfOneIwf(role: Role): Stage {
  const stage = recorded(role);
  const { near, second } = stage.establishTwoIwfs();
  stage.begin();
  stage.bye(second);
  stage.reply(near, 'INVITE');
  return stage;
}

function byeOfIwfForAll(role: Role): Stage {
  const stage = recorded(role, { partialClose: 'session' });
  const { near, first, second } = stage.establishTwoIwfs();
  stage.begin();
  stage.bye(second);
  if (first.has('BYE')) stage.reply(first, 'BYE');
  stage.reply(near, 'BYE');
  return stage;
}

function expiry(role: Role): Stage {
  const stage = recorded(role);
  const { near, far } = stage.establish(TIMED);
  stage.begin();
  stage.world.advance(EXPIRY_MS);
  stage.reply(near, 'BYE');
  stage.reply(far, 'BYE');
  return stage;
}

function expiryWithIwfs(role: Role): Stage {
  const stage = recorded(role);
  const { near, first, second } = stage.establishTwoIwfs(TIMED);
  stage.begin();
  stage.world.advance(EXPIRY_MS);
  for (const call of [near, first, second]) stage.reply(call, 'BYE');
  return stage;
}

function proxied(role: Role): Stage {
  const stage = new Stage({ role, policy: { mediaPath: 'never' }, profile: RECORDED });
  const { near, far } = stage.establish();
  stage.begin();
  stage.bye(near);
  stage.reply(far, 'BYE');
  return stage;
}

/** In the order of the table. */
export const BYE_SCENES: readonly Scene[] = [
  scene('orig-bye-client', 'Originating: BYE from the served client, to the other entity', () =>
    byeFromInviter('orig'),
  ),
  scene('orig-bye-client-iwfs', 'Originating: BYE from the served client, to every IWF', () => byeToIwfs('orig')),
  scene('orig-bye-entity', 'Originating: BYE from the other entity', () => byeFromInvited('orig')),
  scene('orig-bye-one-iwf', 'Originating: BYE from one of several IWFs, only its streams', () => byeOfOneIwf('orig')),
  scene('orig-bye-iwf-all', 'Originating: BYE from an IWF, whole session', () => byeOfIwfForAll('orig')),
  scene('orig-timer', 'Originating: the session timer expires', () => expiry('orig')),
  scene('orig-timer-iwfs', 'Originating: the session timer expires, with IWFs', () => expiryWithIwfs('orig')),
  scene('term-bye-client', 'Terminating: BYE from the served client', () => byeFromInvited('term')),
  scene('term-bye-entity', 'Terminating: BYE from the other entity, to the served client', () =>
    byeFromInviter('term'),
  ),
  scene('term-bye-entity-iwfs', 'Terminating: BYE from the other entity, to every IWF', () => byeToIwfs('term')),
  scene('term-bye-one-iwf', 'Terminating: BYE from one of several IWFs, only its streams', () => byeOfOneIwf('term')),
  scene('term-bye-iwf-all', 'Terminating: BYE from an IWF, whole session', () => byeOfIwfForAll('term')),
  scene('term-timer', 'Terminating: the session timer expires', () => expiry('term')),
  scene('term-timer-iwfs', 'Terminating: the session timer expires, with IWFs', () => expiryWithIwfs('term')),
  scene('proxy-bye', 'Either side as proxy: BYE and its 200 are forwarded', () => proxied('orig')),
];

export function scene(name: string, title: string, play: () => Stage): Scene {
  return { name, title, play };
}
