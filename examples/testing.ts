/**
 * Your own policy, tested in the virtual world: the real engine on the real stack, with a network, a clock and a disk
 * that exist only in memory. A quarter of an hour passes in milliseconds, and the same seed gives the same run again.
 */
import { pathToFileURL } from 'node:url';
import { type Call, chatSdp, World } from 'cpm-engine/testing';

const ISF = '10.0.0.30:5060';

/** A session that stands: Alice has invited, whoever is behind the core has answered. */
function establish(world: World): { near: Call; far: Call } {
  const near = world.peer('alice').invite();
  world.settle();
  const far = world.core.incoming();
  far.respond(200, { sdp: chatSdp('bob') });
  world.settle();
  near.response(200);
  near.ack();
  world.settle();
  far.expect('ACK');
  return { near, far };
}

function offlineGoesToSms(print: (line: string) => void): void {
  // By default the originating side interworks no 480: it can mean "do not disturb" too. This operator does.
  const world = new World({ isf: [ISF], policy: { mediaPath: 'always', interworkOn: { orig: [480], term: [] } } });
  const call = world.peer('alice').invite();
  world.settle();
  world.core.incoming().respond(480);
  world.settle();
  const attempt = world.isf.incoming();
  print(`offline: the invitation goes to the ISF, for ${attempt.invite.uri}`);
  attempt.respond(200, { sdp: chatSdp('iwf') });
  world.settle();
  print(`offline: alice gets ${call.response(200).status}`);
}

function anonymousIsRefused(print: (line: string) => void): void {
  const world = new World({ policy: { allowAnonymity: false } });
  const call = world.peer('alice').invite({ headers: [['Privacy', 'id']] });
  world.settle();
  const refusal = call.response(403);
  print(`anonymous: ${refusal.status}, Warning: ${refusal.header('warning')}`);
  call.ack();
  world.advance(70_000);
  print(`anonymous: ${world.held.length} things are left of it`);
}

function survivesItsProcess(print: (line: string) => void): void {
  const world = new World({ profile: { allowOfflineStorage: true } });
  const { near, far } = establish(world);
  world.pf.crash();
  world.pf.start();
  for (const session of world.pf.engine.sessions.values()) print(`crash: after the restart in ${session.state}`);
  near.bye();
  world.settle();
  far.respond(200, { to: far.expect('BYE') });
  world.settle();
  const ok = near.response(200, 'BYE');
  print(`crash: alice's BYE gets ${ok.status} with Message-UID ${ok.header('message-uid')}`);
}

function endsWhenNobodyAnswers(print: (line: string) => void): void {
  const world = new World({ policy: { mediaPath: 'always' } });
  const { near } = establish(world);
  const before = world.clock.elapsed;
  while (!near.has('BYE')) world.advance(1000);
  print(`silence: BYE to alice after ${Math.round((world.clock.elapsed - before) / 1000)} s of virtual time`);
}

export async function main(print: (line: string) => void = console.log): Promise<void> {
  offlineGoesToSms(print);
  anonymousIsRefused(print);
  survivesItsProcess(print);
  endsWhenNobodyAnswers(print);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
