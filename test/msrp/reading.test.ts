/** What connections read into, and that nothing of it is kept: all of them share one piece of memory. */
import { once } from 'node:events';
import { type AddressInfo, createServer, Server, type Socket } from 'node:net';
import { afterEach, expect, it, jest } from '@jest/globals';
import { NodeClock } from '../../src/host/node-clock.ts';
import type { Carrier, CarrierUser } from '../../src/msrp/carrier.ts';
import { DEFAULT_MSRP_LIMITS, type MsrpLimits } from '../../src/msrp/limits.ts';
import { MsrpNetwork } from '../../src/msrp/transport/network.ts';
import { until } from '../support/server.ts';

const open: MsrpNetwork[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  for (const network of open.splice(0)) await network.close();
});

async function network(user: (carrier: Carrier) => CarrierUser, of: Partial<MsrpLimits> = {}): Promise<MsrpNetwork> {
  const limits = { ...DEFAULT_MSRP_LIMITS, sendBufferBytes: 1_048_576, ...of };
  const made = await MsrpNetwork.listen({ clock: new NodeClock(), limits, address: '127.0.0.1', ports: [0, 0] });
  made.onConnection = user;
  open.push(made);
  return made;
}

const user = (told: Partial<CarrierUser>): CarrierUser => ({
  onOpen() {},
  onData() {},
  onDrain() {},
  onClosed() {},
  ...told,
});

const target = (to: MsrpNetwork) => ({
  host: '127.0.0.1',
  port: to.ports[0] as number,
  secure: false,
  fingerprint: undefined,
});

/** Connects `count` times; each says this. */
function dial(
  from: MsrpNetwork,
  to: MsrpNetwork,
  texts: readonly string[],
  told: (at: number) => Partial<CarrierUser>,
) {
  for (const [at, text] of texts.entries()) {
    from.dial(target(to), (carrier) =>
      user({
        onOpen() {
          carrier.write(text);
          carrier.flush();
        },
        ...told(at),
      }),
    );
  }
}

it('connections of both directions read into the same memory, and each is told of its own bytes', async () => {
  const memory = new Set<ArrayBufferLike>();
  const heard = ['', '', ''];
  const echo = await network((carrier) =>
    user({
      onData(bytes) {
        memory.add(bytes.buffer);
        carrier.writeBytes(bytes);
        carrier.flush();
      },
    }),
  );
  const texts = ['one', 'two', 'three'];
  dial(await network(() => user({})), echo, texts, (at) => ({
    onData(bytes) {
      memory.add(bytes.buffer);
      heard[at] += bytes.toString('latin1');
    },
  }));
  await until('all is told', async () => heard.join() === texts.join());
  expect(memory.size).toBe(1);
});

it('what was written leaves as it was, whatever becomes of the bytes it was written from', async () => {
  const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz'.repeat(10_000));
  let heard = '';
  const far = await network(() =>
    user({
      onData(bytes) {
        heard += bytes.toString('latin1');
      },
    }),
  );
  const from = await network(() => user({}));
  from.dial(target(far), (carrier) =>
    user({
      onOpen() {
        const bytes = Buffer.from(letters);
        carrier.writePart(bytes, 0, 100_000);
        carrier.writeBytes(bytes.subarray(100_000));
        bytes.fill('.');
        carrier.flush();
      },
    }),
  );
  await until('all is there', async () => heard.length >= letters.length);
  expect(heard === letters.toString('latin1')).toBe(true);
});

it('a connection that is paused while it reads goes on where it was', async () => {
  let heard = '';
  let paused: Carrier | undefined;
  const far = await network((carrier) =>
    user({
      onData(bytes) {
        heard += bytes.toString('latin1');
        if (paused !== undefined) return;
        paused = carrier;
        carrier.pause();
      },
    }),
  );
  const text = 'x'.repeat(300_000);
  dial(await network(() => user({})), far, [text, ''], () => ({}));
  await until('it is paused, and the other one open', async () => paused !== undefined && far.connections === 2);
  const before = heard.length;
  expect(before).toBeLessThanOrEqual(65_536);
  paused?.resume();
  await until('all is there', async () => heard.length >= text.length);
  expect(heard.length).toBe(text.length);
});

it('one that is paused before it is open is told of nothing until it goes on', async () => {
  const far = await network((carrier) =>
    user({
      onData(bytes) {
        carrier.writeBytes(bytes);
        carrier.flush();
      },
    }),
  );
  let paused: Carrier | undefined;
  let heard = '';
  const near = await network(() => user({}));
  near.dial(target(far), (carrier) => {
    paused = carrier;
    return user({
      onOpen() {
        carrier.write('one');
        carrier.flush();
      },
      onData(bytes) {
        heard += bytes.toString('latin1');
      },
    });
  });
  paused?.pause();
  paused?.resume();
  paused?.pause();
  await until('it is open', async () => near.counters.dialled === 1);
  const other: string[] = [];
  // What another one says later has come back by now.
  dial(near, far, ['two'], () => ({ onData: (bytes) => void other.push(bytes.toString('latin1')) }));
  await until('the other has its own', async () => other.join('') === 'two');
  expect(heard).toBe('');
  paused?.resume();
  await until('it is told', async () => heard === 'one');
});

it('one that is closed before it is open has its time to linger, and no more', async () => {
  const silent = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const near = await network(() => user({}), { lingerMs: 100 });
  const { port } = silent.address() as AddressInfo;
  let carrier: Carrier | undefined;
  near.dial({ host: '127.0.0.1', port, secure: false, fingerprint: undefined }, (made) => {
    carrier = made;
    return user({});
  });
  carrier?.close(true);
  const [peer] = (await once(silent, 'connection')) as [Socket];
  await until('it is gone', async () => near.connections === 0);
  expect(near.counters.dialled).toBe(0);
  peer.destroy();
  silent.close();
});

it('a network that closes with connections open is closed, and one whose peers leave counts none', async () => {
  const near = await network(() => user({}));
  const far = await network(() => user({}));
  dial(near, far, ['one', 'two'], () => ({}));
  await until('both are open', async () => far.connections === 2);
  await near.close();
  await until('they are gone', async () => far.connections === 0);
  expect([far.counters.accepted, far.counters.closedByPeer + far.counters.closedBroken]).toEqual([2, 2]);
});

/** What servers accept can't be told to read into memory of ours, as in a Node that keeps it in another way. */
function keptInAnotherWay(): void {
  const emit = Server.prototype.emit as (event: string, ...rest: unknown[]) => boolean;
  const changed = function (this: Server, event: string, ...rest: unknown[]): boolean {
    if (event === 'connection') Object.assign((rest[0] as { _handle: object })._handle, { useUserBuffer: undefined });
    return emit.call(this, event, ...rest);
  };
  jest.spyOn(Server.prototype, 'emit').mockImplementation(changed);
}

it('where Node keeps what servers accept in another way, that reads as Node does by itself, pauses and all', async () => {
  const memory = new Set<ArrayBufferLike>();
  let heard = '';
  keptInAnotherWay();
  const far = await network((carrier) =>
    user({
      onData(bytes) {
        memory.add(bytes.buffer);
        heard += bytes.toString('latin1');
        carrier.pause();
        setImmediate(() => carrier.resume());
      },
    }),
  );
  const text = 'abcdefghij'.repeat(50_000);
  dial(await network(() => user({})), far, [text], () => ({}));
  await until('all is there', async () => heard.length >= text.length);
  expect(heard === text).toBe(true);
  expect(memory.size).toBeGreaterThan(1);
  expect(far.connections).toBe(1);
});
