/** Sessions brought to the point where a test begins, and to their end. */
import { expect } from '@jest/globals';
import {
  type Call,
  chatSdp,
  type InviteOptions,
  type ParticipatingFunction,
  type World,
} from '../../src/testing/index.ts';

export type Role = 'orig' | 'term';

/** As much of a world as a session needs. */
export type Stage = Pick<World, 'peer' | 'core' | 'isf' | 'settle' | 'advance'> & {
  readonly pf: Pick<ParticipatingFunction, 'profile'>;
};

/** ISF address of the virtual world. */
export const ISF = '10.0.0.30:5060';
export const STORING = { allowOfflineStorage: true } as const;
export const CONTRIBUTION = 'c0ffee00-1111-4a1b-8c2d-000000000001';
export const CONVERSATION = 'f00dfeed-1111-4d3e-9f4a-000000000001';
export const FOLDER = { user: 'sip:alice@home.example', conversationId: CONVERSATION, contributionId: CONTRIBUTION };
export const TERM_FOLDER = { ...FOLDER, user: 'sip:bob@home.example' };

/** An invitation as the function of this role gets it: from its client, or from the other CPM entity. */
export function invite(world: Stage, role: Role, options: InviteOptions = {}): Call {
  if (role === 'orig') return world.peer('alice').invite(options);
  const given = options.headers ?? [];
  const usual = [
    ['P-Served-User', '<sip:bob@home.example>;sescase=term;regstate=reg'],
    ['P-Asserted-Identity', '<sip:alice@away.example>'],
  ] as const;
  const headers = [...usual.filter(([name]) => !given.some(([other]) => other === name)), ...given];
  return world.peer('entity').invite({ from: '<sip:alice@away.example>', ...options, headers });
}

/** Everything that makes the far side an IWF: on the originating side the destination, else that nobody is registered. */
export function interworkedInvite(world: Stage, role: Role, options: InviteOptions = {}): Call {
  if (role === 'orig') return invite(world, role, { uri: 'mailto:carol@mail.example', ...options });
  world.pf.profile = { ...(typeof world.pf.profile === 'function' ? {} : world.pf.profile), clients: [] };
  return invite(world, role, options);
}

export interface Established {
  /** Toward whoever invited. */
  readonly near: Call;
  /** Toward whom the function invited. */
  readonly far: Call;
}

/** Answers, acknowledges, and takes away what came on the way. */
export function answer(world: Stage, near: Call, far: Call, sdp: string | null = chatSdp('bob')): void {
  far.respond(200, sdp === null ? {} : { sdp });
  world.settle();
  near.response(200);
  near.ack();
  world.settle();
  far.expect('ACK');
}

export function establish(world: Stage, role: Role, options: InviteOptions = {}): Established {
  const near = invite(world, role, options);
  world.settle();
  near.response(100);
  const far = world.core.incoming();
  answer(world, near, far);
  return { near, far };
}

export function establishInterworked(world: Stage, role: Role, options: InviteOptions = {}): Established {
  const near = interworkedInvite(world, role, options);
  world.settle();
  near.response(100);
  const far = world.isf.incoming();
  answer(world, near, far);
  return { near, far };
}

/** A session with two IWFs, each with one stream: the second was invited for what the first rejected. */
export function establishTwoIwfs(world: Stage, role: Role): { near: Call; first: Call; second: Call } {
  const near = interworkedInvite(world, role, { sdp: chatSdp('alice', [2855, 2856]) });
  world.settle();
  near.response(100);
  const first = world.isf.incoming();
  first.respond(200, { sdp: chatSdp('iwf1', [3001, 0]) });
  world.settle();
  first.expect('ACK');
  const second = world.isf.incoming();
  second.respond(200, { sdp: chatSdp('iwf2', [3002]) });
  world.settle();
  second.expect('ACK');
  near.response(200);
  near.ack();
  world.settle();
  return { near, first, second };
}

/** `kill -9` and a new start, a moment later. */
export function restart(world: World, downMs = 100): void {
  world.pf.crash();
  world.advance(downMs);
  world.pf.start();
  world.settle();
}

/** Everything is as before: the inviter can end it, and nothing is left. */
export function endsWell(world: World, near: Call, far: Call): void {
  near.bye();
  world.settle();
  far.respond(200, { to: far.expect('BYE') });
  world.settle();
  near.response(200, 'BYE');
  expect(leftovers(world)).toEqual([]);
}

/** Ports of the m-lines of a description. */
export function ports(sdp: string): number[] {
  return [...sdp.matchAll(/^m=\S+ (\d+)/gm)].map((match) => Number(match[1]));
}

/** Session id and version of a description's origin line. */
export function origin(sdp: string): { id: string; version: number; address: string } {
  const match = /^o=\S+ (\d+) (\d+) IN IP4 (\S+)/m.exec(sdp);
  return { id: match?.[1] ?? '', version: Number(match?.[2]), address: match?.[3] ?? '' };
}

/** Whether anything is left of the session once every transaction has ended. */
export function leftovers(world: World): string[] {
  world.advance(70_000);
  return world.held;
}
