/** Which sessions for a user who is away the function takes itself, as its chart decides. */
import { describe, expect, it } from '@jest/globals';
import type { InviteFacts, SessionContext } from '../../machines/session/context.ts';
import { guards } from '../../machines/session/guards.ts';
import type { Policy, Profile } from '../../machines/session/policy.ts';
import { DEFAULT_POLICY, DEFAULT_PROFILE } from '../../src/policy/defaults.ts';

interface Change {
  readonly policy?: Partial<Policy>;
  readonly profile?: Partial<Profile>;
  readonly invite?: Partial<InviteFacts>;
  readonly mode?: 'b2bua' | 'proxy';
  readonly role?: 'orig' | 'term';
}

const CHAT = { media: 'message', disabled: false };

function isTaken({ policy, profile, invite, mode = 'b2bua', role = 'term' }: Change = {}): boolean {
  const context = {
    role,
    mode,
    policy: { ...DEFAULT_POLICY, noClient: 'defer', keepsSessions: true, ...policy },
    profile: { ...DEFAULT_PROFILE, clients: [], ...profile },
    invite: {
      service: 'session',
      originators: ['sip:alice@home.example'],
      sessionReplaces: null,
      streams: [CHAT],
      ...invite,
    },
  } as unknown as SessionContext;
  return guards.noClientDefer({ context, event: { type: 'xstate.init' } as never });
}

describe('a session for a user who is away', () => {
  it('is taken where policy defers and the media plane is there', () => expect(isTaken()).toBe(true));

  it.each<[string, Change]>([
    ['policy refuses', { policy: { noClient: 'reject' } }],
    ['policy interworks', { policy: { noClient: 'interwork' } }],
    ['there is no media plane', { policy: { keepsSessions: false } }],
    ['media never pass here', { policy: { mediaPath: 'never' } }],
    ['it is forwarded as by a proxy', { mode: 'proxy' }],
    ['it is the originating side', { role: 'orig' }],
    ['a client is there', { profile: { clients: DEFAULT_PROFILE.clients } }],
    ['nobody knows who is registered', { profile: { clients: null } }],
    [
      'the user wants interworking, and there is some',
      { profile: { interworking: true }, policy: { isfAvailable: true } },
    ],
    ['it is a group session', { invite: { service: 'session.group' } }],
    ['nobody vouches for the sender', { invite: { originators: [] } }],
    [
      'there is no chat in it',
      {
        invite: {
          streams: [
            { ...CHAT, media: 'audio' },
            { ...CHAT, disabled: true },
          ] as never,
        },
      },
    ],
    ['its offer is still to come', { invite: { streams: null } }],
    ['it extends another session', { invite: { sessionReplaces: 'x' } }],
  ])('is not where %s', (_why, change) => expect(isTaken(change)).toBe(false));
});
