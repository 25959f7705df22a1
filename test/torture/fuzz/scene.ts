/** A whole Participating Function among robots, with a network that damages some of what they send. */
import { bytesOfWire, wireOfBytes } from '../../../src/sip/message/bytes.ts';
import { headerField } from '../../../src/sip/message/header.ts';
import { parseMessage } from '../../../src/sip/message/parse.ts';
import { validateResponse } from '../../../src/sip/message/validate.ts';
import { chatSdp, type Peer, SeededRandom, World } from '../../../src/testing/index.ts';
import { establish, ISF, interworkedInvite, invite, leftovers } from '../../support/session.ts';
import { mutated } from '../mutator.ts';
import { Robot } from '../robot.ts';

/** Every message that reached the function in a few undisturbed sessions: wire strings. */
export function sessionMessages(): string[] {
  const texts: string[] = [];
  for (const mediaPath of ['always', 'never'] as const) {
    for (const role of ['orig', 'term'] as const) {
      const world = new World({ policy: { mediaPath }, isf: [ISF] });
      const { near, far } = establish(world, role);
      near.request('INVITE', { sdp: chatSdp('alice') });
      world.settle();
      far.respond(200, { to: far.expect('INVITE'), sdp: chatSdp('bob') });
      world.settle();
      near.ack();
      near.request('UPDATE', { headers: [['Session-Expires', '1800']] });
      near.request('PRACK', { headers: [['RAck', '1 1 INVITE']] });
      near.request('INFO', { body: 'x', type: 'text/plain' });
      world.settle();
      near.bye();
      world.settle();
      if (far.has('BYE')) far.respond(200, { to: far.expect('BYE') });
      const cancelled = interworkedInvite(world, role);
      world.settle();
      world.isf.incoming().respond(180, {
        headers: [
          ['Require', '100rel'],
          ['RSeq', '1'],
        ],
      });
      world.settle();
      cancelled.cancel();
      leftovers(world);
      for (const passage of world.network.transcript) if (passage.to === world.pf.address) texts.push(passage.message);
      for (const passage of world.network.transcript)
        if (passage.from === world.pf.address) texts.push(passage.message);
    }
  }
  return [...new Set(texts)];
}

/** One session and what damage does to it, all drawn from the seed. Throws, with seed and messages, where it fails. */
export function runScene(seed: number, pool: readonly string[]): void {
  const random = new SeededRandom(seed);
  const scene = new Scene(seed, random, pool);
  try {
    scene.run();
  } catch (error) {
    const last = scene.received.slice(-12).map((text) => JSON.stringify(text));
    const text = `FUZZ_SEED=${seed}: ${(error as Error).message}\nreceived last:\n${last.join('\n')}`;
    throw new Error(text, { cause: error });
  }
}

class Scene {
  /** What has reached the function, damaged or not. */
  readonly received: string[] = [];
  /** Not answered at once. */
  readonly #waiting: string[] = [];
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #pool: readonly string[];
  readonly #robots: Robot[];
  readonly #caller: Robot;
  #calm = false;
  /** Something was handed up since the last message came. */
  #told = false;
  #damage: number;

  constructor(seed: number, random: SeededRandom, pool: readonly string[]) {
    this.#random = random;
    this.#pool = pool;
    this.#damage = [5, 15, 40, 80][random.below(4)] ?? 15;
    const mediaPath = (['always', 'never', 'auto'] as const)[random.below(3)] ?? 'auto';
    this.#world = new World({
      seed,
      policy: { mediaPath },
      isf: random.below(2) === 0 ? [ISF] : [],
      profile: { allowOfflineStorage: random.below(2) === 0 },
    });
    const world = this.#world;
    const caller = world.peer('caller');
    this.#robots = [caller, world.core, world.isf, world.peer('stranger')].map(
      (peer) => new Robot(world, peer, random),
    );
    this.#caller = this.#robots[0] as Robot;
    this.#disturb();
    this.#watch();
    this.#invite(caller);
  }

  /** Puts damage between the robots and the function. */
  #disturb(): void {
    const { network, pf } = this.#world;
    const transmit = network.transmit.bind(network);
    network.transmit = (from, to, transport, bytes, failure) => {
      const pass = (passed: Uint8Array): void => transmit(from, to, transport, passed, failure);
      if (to !== pf.address || this.#calm || this.#random.below(100) >= this.#damage) return pass(bytes);
      const text = wireOfBytes(bytes);
      const damaged = bytesOfWire(mutated(text, this.#random, [...this.received.slice(-8), ...this.#pool, text]));
      const fate = this.#random.below(4);
      // Instead of it, before it, behind it, or with it twice.
      if (fate === 1 || fate === 3) pass(bytes);
      pass(damaged);
      if (fate >= 2) pass(bytes);
    };
  }

  /** Sees to it that no message vanishes without a trace. */
  #watch(): void {
    const { stack } = this.#world.pf;
    const receive = stack.receive.bind(stack);
    const emit = stack.emit.bind(stack);
    stack.emit = (event) => {
      this.#told = true;
      emit(event);
    };
    stack.receive = (bytes, flow) => {
      const text = wireOfBytes(bytes);
      this.received.push(text);
      this.#told = false;
      const before = this.#traces();
      receive(bytes, flow);
      if (this.#told || this.#traces() !== before || this.#isExpected(text)) return;
      if (this.#mayWait(text)) this.#waiting.push(text);
      else throw new Error(`a message vanished: ${JSON.stringify(text)}`);
    };
  }

  /** What the function has sent. */
  #sent(): string[] {
    const { network, pf } = this.#world;
    return network.transcript.filter((passage) => passage.from === pf.address).map((passage) => passage.message);
  }

  #traces(): string {
    const { network, pf } = this.#world;
    return JSON.stringify([{ ...pf.stack.counters, received: 0 }, network.transcript.length]);
  }

  /** A copy, or a late one, of what the function waits or has waited for says nothing new. */
  #isExpected(text: string): boolean {
    const { message, fault } = parseMessage(bytesOfWire(text));
    const sent = this.#sent();
    if (message?.kind === 'request') {
      // An ACK in a dialog of ours that nobody waits for.
      const tag = message.toTag ?? '';
      return message.method === 'ACK' && tag !== '' && sent.some((other) => other.includes(`tag=${tag}`));
    }
    const branch = message?.branch ?? '';
    if (message === undefined || branch === '' || validateResponse(message, fault).kind !== 'fit') return false;
    return sent.some((other) => other.includes(`branch=${branch};`));
  }

  /** The BYE of a surplus fork is answered when it is stored which fork the session has (RFC 3261 13.2.2.4). */
  #mayWait(text: string): boolean {
    const { message } = parseMessage(bytesOfWire(text));
    return message?.kind === 'request' && message.method === 'BYE' && message.toTag !== undefined;
  }

  #judgeWaiting(): void {
    const answers = this.#sent().filter((sent) => sent.startsWith('SIP/2.0 200'));
    for (const text of this.#waiting) {
      const branch = parseMessage(bytesOfWire(text)).message?.branch ?? '';
      if (answers.some((answer) => answer.includes(`branch=${branch}`))) continue;
      throw new Error(`a message was never answered: ${JSON.stringify(text)}`);
    }
  }

  #invite(peer: Peer): void {
    const world = this.#world;
    const role = this.#random.below(2) === 0 ? 'orig' : 'term';
    const template = invite(new World({ seed: this.#random.below(1_000_000) }), role).invite;
    if (this.#random.below(4) === 0 && role === 'orig') template.uri = 'mailto:carol@mail.example';
    template.set('Contact', `<${peer.uri}>`);
    template.set('Call-ID', `fuzz-${this.#random.token()}`);
    if (this.#random.below(3) === 0) template.headers.push(headerField('Supported', '100rel'));
    this.#caller.begin(template);
    world.settle();
  }

  run(): void {
    const world = this.#world;
    for (let step = 0; step < 12; step++) {
      const robot = this.#robots[this.#random.below(3)] as Robot;
      if (this.#random.below(2) === 0) robot.act();
      if (this.#random.below(3) === 0) this.#stray();
      if (this.#random.below(10) === 0) this.#caller.cancel();
      world.advance([1, 20, 300, 2000, 9000, 40_000][this.#random.below(6)] ?? 1);
    }
    this.#calm = true;
    for (const robot of this.#robots) robot.end();
    world.advance(20_000);
    for (const robot of this.#robots) robot.deaf = true;
    world.advance(70_000);
    // What is left has been agreed upon, and would last until its session timer.
    for (const id of [...world.pf.engine.sessions.keys()]) world.pf.engine.end(id, 'operator');
    // A forwarded re-INVITE nobody answers goes by timer C, and then by those of its CANCEL.
    world.advance(300_000);
    this.#judgeWaiting();
    const { held } = world;
    if (held.length > 0) throw new Error(`held: ${held.join(', ')}`);
  }

  /** A damaged message out of nowhere. */
  #stray(): void {
    const { network, pf } = this.#world;
    const text = mutated(this.#pool[this.#random.below(this.#pool.length)] as string, this.#random, this.#pool);
    network.transmit('10.0.1.99:5060', pf.address, this.#random.below(4) === 0 ? 'TCP' : 'UDP', bytesOfWire(text));
  }
}
