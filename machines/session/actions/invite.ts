/** Choosing how and where the invitation goes on: 8.2.2.1 steps 4 and 5, 8.3.2.1 steps 6 to 8. */
import type { LegName, Peer } from '../context.ts';
import type { Order } from '../effects.ts';
import type { EventOf } from '../events.ts';
import { mayKeepSession, suitableClients } from '../guards.ts';
import { order } from '../order.ts';
import type { Policy, Profile } from '../policy.ts';
import { mayBeRecorded } from '../recorded.ts';
import { prunedStreams } from '../streams.ts';
import type { Turn } from '../turn.ts';

type InviteOrder = Extract<Order, { type: 'invite' }>;

/** Sends one more INVITE. The leg it makes is the one whose answer now counts. */
export function sendInvite(turn: Turn, peer: Peer, invite: Omit<InviteOrder, 'type' | 'leg'>): LegName {
  const attempts = turn.get('attempts');
  const leg = attempts.invites === 0 ? 'b' : `b${attempts.invites + 1}`;
  turn.set('attempts', { ...attempts, invites: attempts.invites + 1, isf: attempts.isf || invite.by === 'isf' });
  turn.addLeg(leg, { peer, phase: 'inviting', streams: invite.streams, timer: null, allowsUpdate: false });
  const without = prunedFrom(turn);
  const order = { type: 'invite', leg, ...invite } as const;
  turn.order(without.length === 0 ? order : { without, ...order });
  turn.set('current', leg);
  // In proxy mode timer C is the proxy core's own (RFC 3261 16.6 step 11).
  if (turn.get('mode') === 'b2bua') turn.setDeadline('ringingOver', turn.at + turn.get('policy').timers.ringingMs);
  turn.checkpoint();
  return leg;
}

function prunedFrom(turn: Turn): readonly number[] {
  return prunedStreams(turn.get('invite').streams, {
    policy: turn.get('policy'),
    role: turn.get('role'),
    mode: turn.get('mode'),
  });
}

export const farPeer = (turn: Turn): Peer => (turn.get('role') === 'orig' ? 'entity' : 'client');

/**
 * what holds where preferences are not to be had in time: those known before, else the safe defaults. Who is
 * registered is then not known either, which is not the same as nobody.
 */
export function assumedProfile(known: Profile | null, policy: Policy): Profile {
  if (known !== null) return { ...known, clients: null, replacedInstance: null };
  return {
    known: true,
    user: null,
    services: null,
    allowOfflineStorage: policy.defaultAllowOfflineStorage,
    doNotDisturb: false,
    blacklisted: false,
    interworking: null,
    clients: null,
    replacedInstance: null,
  };
}

interface ProfileKeeper {
  set(key: 'profile' | 'lastKnown', value: Profile | null): void;
  clearDeadline(event: string): void;
}

/** From here on this is what is known of the user. */
export function keepProfile(turn: ProfileKeeper, profile: Profile): void {
  turn.set('profile', profile);
  turn.set('lastKnown', null);
  turn.clearDeadline('preferencesOverdue');
}

export const invite = {
  /** Asks for preferences that were not at hand; the caller hears a 100 meanwhile. */
  fetchPreferences: order((turn) => {
    turn.order({ type: 'trying' });
    if (turn.get('profile') !== null) return;
    turn.order({ type: 'fetchPreferences' });
    // The 100 stops the caller's copies, so from here on the invitation must not be lost.
    turn.checkpoint();
    turn.setDeadline('preferencesOverdue', turn.at + turn.get('policy').preferencesTimeoutMs);
  }),

  keepPreferences: order<EventOf<'preferencesKnown'>>((turn, event) => keepProfile(turn, event.profile)),

  assumeDefaults: order((turn) => keepProfile(turn, assumedProfile(turn.get('lastKnown'), turn.get('policy')))),

  /** Proxy or B2BUA, once and for the whole session. */
  chooseMode: order((turn) => {
    const policy = turn.get('policy');
    const profile = turn.get('profile');
    const records = profile !== null && mayBeRecorded({ policy, profile, role: turn.get('role') });
    const mayInterwork = policy.isfAvailable && profile?.interworking !== false;
    const keeps = mayKeepSession({ role: turn.get('role'), policy, profile, invite: turn.get('invite') });
    const wanted = records || mayInterwork || keeps || turn.get('invite').sessionReplaces !== null;
    const stays = policy.mediaPath === 'always' || (policy.mediaPath === 'auto' && wanted);
    turn.set('mode', stays ? 'b2bua' : 'proxy');
  }),

  /** To the SIP/IP core, which on the terminating side forks to the suitable clients. */
  inviteCore: order((turn) => {
    const profile = turn.get('profile');
    if (turn.get('role') === 'orig' || profile === null) {
      sendInvite(turn, farPeer(turn), { by: 'core', streams: null });
      return;
    }
    const clients = profile.clients ?? [];
    const offered = {
      invite: turn.get('invite'),
      policy: turn.get('policy'),
      role: turn.get('role'),
      mode: turn.get('mode'),
    };
    const suitable = new Set(suitableClients(clients, offered).map((client) => client.instance));
    const rejectInstances = clients
      .map((client) => client.instance)
      .filter((instance) => instance !== '' && !suitable.has(instance));
    sendInvite(turn, 'client', { by: 'core', streams: null, rejectInstances });
  }),

  /** Straight to the ISF (6.5), which picks an IWF. */
  inviteIsf: order((turn) => {
    sendInvite(turn, 'iwf', { by: 'isf', streams: null });
  }),

  /** To the function's own endpoint, which takes the messages in the place of the user (docs/messages.md). */
  inviteDeferral: order((turn) => {
    sendInvite(turn, 'client', { by: 'deferral', streams: null });
  }),

  /** To the client on which the session is being extended. */
  inviteReplacedClient: order((turn) => {
    const instance = turn.get('profile')?.replacedInstance ?? '';
    sendInvite(turn, 'client', { by: 'replacedClient', streams: null, instance });
  }),

  /** To the next target of a 302, the best first: same mode, same dialog toward the inviter. */
  followRedirect: order<EventOf<'failed'>>((turn, event) => {
    turn.setLeg(event.leg, { phase: 'closed' });
    const attempts = turn.get('attempts');
    const [target = '', ...targets] = event.status === 302 ? event.redirects : attempts.targets;
    turn.set('attempts', { ...attempts, redirects: attempts.redirects + 1, targets });
    sendInvite(turn, farPeer(turn), { by: 'redirect', streams: null, target });
  }),

  /** RFC 4028 7.3: the same invitation with the interval the 422 asks for. */
  inviteWithLongerInterval: order<EventOf<'failed'>>((turn, event) => {
    const failed = turn.leg(event.leg);
    turn.setLeg(event.leg, { phase: 'closed' });
    const attempts = turn.get('attempts');
    turn.set('attempts', { ...attempts, intervals: attempts.intervals + 1 });
    const peer = failed?.peer ?? farPeer(turn);
    sendInvite(turn, peer, { by: peer === 'iwf' ? 'isf' : 'core', streams: null, minSE: event.minSE ?? 0 });
  }),

  /** After a refusal that policy turns into interworking (6.5). */
  interworkInstead: order<EventOf<'failed'>>((turn, event) => {
    turn.setLeg(event.leg, { phase: 'closed' });
    sendInvite(turn, 'iwf', { by: 'isf', streams: null });
  }),
};
