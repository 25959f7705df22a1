/** Keys of the configuration that decide about a session and its record: as they stand in the file, each flipped and seen. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FolderSummary, StoredObject } from '../../src/history/driver.ts';
import type { FolderRef } from '../../src/history/intent.ts';
import { type Call, chatSdp } from '../../src/testing/index.ts';
import { ConfiguredWorld, KEEPERS } from '../support/configured.ts';
import { Scene } from '../support/processes.ts';
import {
  establish,
  establishTwoIwfs,
  FOLDER,
  interworkedInvite,
  invite,
  type Role,
  TERM_FOLDER,
} from '../support/session.ts';

const ISF_ROUTES = { routes: ['sip:10.0.0.30:5060;lr'] };
const TWO_STREAMS = { sdp: chatSdp('alice', [2855, 2856]) };
const TIMED = {
  headers: [
    ['Session-Expires', '1800;refresher=uas'],
    ['Supported', 'timer'],
  ],
} as const;
/** The virtual interval less what a user agent gives up before it (RFC 4028 10). */
const EXPIRY_MS = (1800 - 32) * 1000;

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.close());

function objects(world: ConfiguredWorld, folder: FolderRef): string[] {
  let stored: readonly StoredObject[] = [];
  world.history.objects(folder, (_error, found = []) => {
    stored = found;
  });
  return stored.map(({ content }) => /^Content-Type: (.*)$/m.exec(content)?.[1]?.trim() ?? '');
}

function pointers(world: ConfiguredWorld, folder: FolderRef): unknown {
  let found: unknown;
  world.history.pointers(folder, (_error, value) => {
    found = value;
  });
  return found;
}

function folders(world: ConfiguredWorld, user: string): readonly FolderSummary[] {
  let found: readonly FolderSummary[] = [];
  world.history.folders(user, (_error, value = []) => {
    found = value;
  });
  return found;
}

function end(world: ConfiguredWorld, by: Call, other: Call): ReturnType<Call['response']> {
  by.bye();
  world.settle();
  other.respond(200, { to: other.expect('BYE') });
  world.settle();
  return by.response(200, 'BYE');
}

function timed(world: ConfiguredWorld, role: Role): { near: Call; far: Call } {
  const near = invite(world, role, TIMED);
  world.settle();
  const far = world.core.incoming();
  far.respond(200, { sdp: chatSdp('bob'), ...TIMED });
  world.settle();
  near.response(200);
  near.ack();
  world.settle();
  far.expect('ACK');
  return { near, far };
}

describe('keys of interworked sessions', () => {
  const isf = ISF_ROUTES;

  function firstIwfRejects(sections: Record<string, Record<string, unknown>>) {
    const world = new ConfiguredWorld(scene, { ...sections });
    const near = interworkedInvite(world, 'orig', TWO_STREAMS);
    world.settle();
    world.isf.incoming().respond(200, { sdp: chatSdp('iwf', [3001, 0]) });
    world.settle();
    return { world, near };
  }

  it('A-12: isf.secondary.enabled and policy.rejectedStreams: a second session for rejected streams, or none', () => {
    const seconds = (sections: Record<string, Record<string, unknown>>): number =>
      firstIwfRejects(sections).world.isf.waiting.filter((line) => line === 'INVITE').length;
    expect(seconds({ isf })).toBe(1);
    expect(seconds({ isf: { ...isf, secondary: { enabled: false } } })).toBe(0);
    expect(seconds({ isf, policy: { rejectedStreams: 'accept' } })).toBe(0);
  });

  it('A-12: isf.secondary.timeoutMs: the 200 is held no longer than that', () => {
    for (const timeoutMs of [300, 2000]) {
      const { world, near } = firstIwfRejects({ isf: { ...isf, secondary: { timeoutMs, rounds: 1 } } });
      world.advance(timeoutMs - 100);
      expect(near.peer.waiting).not.toContain('200 INVITE');
      world.advance(150);
      near.response(200);
    }
  });

  it('A-24 A-25 A-31: policy.partialClose: one of two IWFs ends its streams, or the session', () => {
    for (const [partialClose, method] of [
      ['streams', 'INVITE'],
      ['session', 'BYE'],
    ] as const) {
      const world = new ConfiguredWorld(scene, { isf, policy: { partialClose } });
      const { near, first } = establishTwoIwfs(world, 'orig');
      first.bye();
      world.settle();
      expect(near.has(method)).toBe(true);
    }
  });
});

describe('keys of timers', () => {
  it('A-26: timers.byeJoinMs: the sender of a BYE waits no longer for the far end', () => {
    for (const byeJoinMs of [500, 3000]) {
      const world = new ConfiguredWorld(scene, { timers: { byeJoinMs } });
      const { near } = establish(world, 'orig');
      near.bye();
      world.advance(byeJoinMs - 50);
      expect(near.peer.waiting).not.toContain('200 BYE');
      world.advance(100);
      near.response(200, 'BYE');
    }
  });

  it('A-29: timers.storeBudgetMs: a BYE waits no longer for the store', () => {
    for (const storeBudgetMs of [300, 4000]) {
      const world = new ConfiguredWorld(scene, { timers: { storeBudgetMs } }, KEEPERS);
      const { near, far } = establish(world, 'orig');
      world.history.append = (_folder, _key, _object, done) => done(new Error('the disk is full'));
      far.bye();
      world.advance(storeBudgetMs - 50);
      expect(near.has('BYE')).toBe(false);
      world.advance(100);
      expect(near.expect('BYE').header('message-uid')).toBeUndefined();
    }
  });

  it('A-33: timers.se, timers.minSE, timers.refresher are what our INVITE asks for', () => {
    for (const [timers, expires, minSE] of [
      [{}, '1800;refresher=uas', '90'],
      [{ se: 600, minSE: 120, refresher: 'us' }, '600;refresher=uac', '120'],
    ] as const) {
      const world = new ConfiguredWorld(scene, { timers });
      invite(world, 'orig');
      world.settle();
      const { invite: sent } = world.core.incoming();
      expect(sent.header('session-expires')).toBe(expires);
      expect(sent.header('min-se')).toBe(minSE);
    }
  });
});

describe('keys of the record', () => {
  it('A-16: recording.retry: the pauses while the store fails', () => {
    const tries = (retry: object): number => {
      const world = new ConfiguredWorld(scene, { recording: { retry } }, KEEPERS);
      let count = 0;
      world.history.openFolder = (_folder, done) => {
        count++;
        done(new Error('the disk is full'));
      };
      establish(world, 'orig');
      world.advance(20_000);
      expect(world.cpm.engine.sessions.size).toBe(1);
      return count;
    };
    expect(tries({ firstMs: 1000, longestMs: 2000 })).toBe(11);
    expect(tries({ firstMs: 15_000, longestMs: 60_000 })).toBe(2);
  });

  it('A-28: recording.groupState: a session of two has its Group State Object, or is spared it', () => {
    for (const [groupState, count] of [
      ['always', 2],
      ['groupOnly', 1],
    ] as const) {
      const world = new ConfiguredWorld(scene, { recording: { groupState } }, KEEPERS);
      const { near, far } = establish(world, 'orig');
      end(world, near, far);
      expect(objects(world, FOLDER)).toHaveLength(count);
    }
  });

  it('A-28: that of a session of two names both, and the far Contact', () => {
    const world = new ConfiguredWorld(scene, {}, KEEPERS);
    const { near, far } = establish(world, 'orig');
    end(world, near, far);
    let state = '';
    world.history.objects(FOLDER, (_error, found = []) => {
      state = found.at(-1)?.content ?? '';
    });
    expect(state).toContain('group-type="1-1"');
    expect(state).toContain(`lastfocussessionid="${far.peer.uri}"`);
    expect([...state.matchAll(/comm-addr="([^"]+)"/g)].map((match) => match[1])).toEqual([
      'sip:alice@home.example',
      'sip:bob@home.example',
    ]);
  });

  it('A-47: recording.keepOldGroupState: a session that is joined again keeps the one before, or not', () => {
    for (const [keepOldGroupState, count] of [
      [true, 3],
      [false, 2],
    ] as const) {
      const world = new ConfiguredWorld(scene, { recording: { keepOldGroupState } }, KEEPERS);
      for (let round = 0; round < 2; round++) {
        const { near, far } = establish(world, 'orig');
        end(world, near, far);
      }
      expect(objects(world, FOLDER)).toHaveLength(count);
    }
  });

  it('A-54: recording.metadata: no pointer is written where it is off', () => {
    for (const [metadata, expected] of [
      [true, { SessionInfoObjectID: 1, GroupStateObjectID: 2 }],
      [false, {}],
    ] as const) {
      const world = new ConfiguredWorld(scene, { recording: { metadata } }, KEEPERS);
      const { near, far } = establish(world, 'orig');
      end(world, near, far);
      expect(pointers(world, FOLDER)).toEqual(expected);
    }
  });

  it('A-18: history.folderName: what names the folder, the first that is there', () => {
    const headers = [['Session-ID', 'ab12;remote=0']] as const;
    for (const [folderName, name] of [
      [['contributionId', 'sessionId'], FOLDER.contributionId],
      [['sessionId', 'contributionId'], 'ab12'],
    ] as const) {
      const world = new ConfiguredWorld(scene, { history: { folderName } }, KEEPERS);
      establish(world, 'orig', { headers });
      expect(folders(world, 'sip:alice@home.example').map(({ contributionId }) => contributionId)).toEqual([name]);
    }
  });
});

describe('keys of compat', () => {
  it('A-01: compat.termTimerMetadata: which pointers an expiry on the terminating side writes', () => {
    for (const [termTimerMetadata, expected] of [
      ['both', ['GroupStateObjectID', 'SessionInfoObjectID']],
      ['literal', ['SessionInfoObjectID']],
      ['symmetric', ['GroupStateObjectID']],
    ] as const) {
      const world = new ConfiguredWorld(scene, { compat: { termTimerMetadata } }, KEEPERS);
      timed(world, 'term');
      const written: string[] = [];
      const set = world.history.setPointer.bind(world.history);
      world.history.setPointer = (folder, pointer, uid, done) => {
        written.push(pointer);
        set(folder, pointer, uid, done);
      };
      world.advance(EXPIRY_MS);
      expect(written).toEqual(expected);
    }
  });

  it('A-17: compat.termFolderIgnoresPreference: the terminating folder is made whatever the user said, also with mediaPath auto', () => {
    const users = { 'sip:bob@home.example': {} };
    for (const mediaPath of ['always', 'auto']) {
      for (const [termFolderIgnoresPreference, count] of [
        [false, 0],
        [true, 1],
      ] as const) {
        const sections = { policy: { mediaPath }, compat: { termFolderIgnoresPreference } };
        const world = new ConfiguredWorld(scene, sections, users);
        establish(world, 'term');
        expect(folders(world, 'sip:bob@home.example')).toHaveLength(count);
      }
    }
  });

  it("A-27: compat.messageUid: the Session Info Object's UID, or by the letter of 8.2.2.4 the Group State's", () => {
    for (const [messageUid, uid] of [
      ['sessionInfo', '1'],
      ['literal', '2'],
    ] as const) {
      const world = new ConfiguredWorld(scene, { compat: { messageUid } }, KEEPERS);
      const { near } = timed(world, 'orig');
      world.advance(EXPIRY_MS + 1000);
      expect(near.expect('BYE').header('message-uid')).toBe(uid);
      const terminating = new ConfiguredWorld(scene, { compat: { messageUid } }, KEEPERS);
      const { far } = timed(terminating, 'term');
      terminating.advance(EXPIRY_MS + 1000);
      expect(far.expect('BYE').header('message-uid')).toBe('1');
      expect(objects(terminating, TERM_FOLDER)).toHaveLength(2);
    }
  });
});
