/** `createSipStack`: the stack with its sockets, as users of the package get it. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createEngine } from '../../src/index.ts';
import { type CreateSipStackOptions, createSipStack, type ListeningSipStack } from '../../src/sip/index.ts';
import { VirtualClock, World } from '../../src/testing/index.ts';
import { authority } from './transport/certificates.ts';

const open: ListeningSipStack[] = [];

async function stackOn(listen: readonly string[], more: Partial<CreateSipStackOptions> = {}) {
  const stack = await createSipStack({ listen, ...more });
  open.push(stack);
  return stack;
}

afterEach(() => Promise.all(open.splice(0).map((stack) => stack.close())));

describe('where it listens', () => {
  it('hears on every transport and says which port it got', async () => {
    const transports = ['udp', 'tcp', 'tls', 'ws', 'wss'];
    const stack = await stackOn(
      transports.map((transport) => `${transport}:127.0.0.1:0`),
      { tls: authority('test authority').issue('IP:127.0.0.1') },
    );
    expect(stack.listening.map((address) => address.replace(/[1-9]\d*$/, 'N'))).toEqual(
      transports.map((transport) => `${transport}:127.0.0.1:N`),
    );
    for (const address of stack.listening)
      expect(stack.isOwn('127.0.0.1', Number(address.split(':').at(-1)))).toBe(true);
    expect(stack.isOwn('127.0.0.1', 1)).toBe(false);
  });

  it('is known by its first address, with a transport parameter where that is not UDP', async () => {
    expect((await stackOn(['udp:127.0.0.1:0'])).contact).toMatch(/^127\.0\.0\.1:\d+$/);
    expect((await stackOn(['tcp:127.0.0.1:0'])).contact).toMatch(/^127\.0\.0\.1:\d+;transport=tcp$/);
    expect((await stackOn(['udp:127.0.0.1:0'], { advertise: 'pf.home.example:5070' })).contact).toBe(
      'pf.home.example:5070',
    );
  });

  it.each(['127.0.0.1:5060', 'sctp:127.0.0.1:5060', 'udp:127.0.0.1', 'udp:127.0.0.1:70000', 'udp::1:5060', ''])(
    'refuses %p, which is no address',
    async (address) => {
      await expect(createSipStack({ listen: [address] })).rejects.toThrow(RangeError);
    },
  );

  it('refuses to listen nowhere', async () => {
    await expect(createSipStack({ listen: [] })).rejects.toThrow('listen names no address');
  });

  it('leaves nothing open where one of its addresses can not be had', async () => {
    const first = await stackOn(['tcp:127.0.0.1:0']);
    const taken = first.listening[0] ?? '';
    const free = await freePort();
    await expect(createSipStack({ listen: [`tcp:127.0.0.1:${free}`, taken] })).rejects.toThrow(
      taken.replace('tcp:', ''),
    );
    expect((await stackOn([`tcp:127.0.0.1:${free}`])).listening).toEqual([`tcp:127.0.0.1:${free}`]);
  });
});

describe('under an engine', () => {
  it('tells the engine its own address, so that nobody has to repeat it', async () => {
    const sip = await stackOn(['udp:127.0.0.1:0']);
    const cpm = createEngine({ sip, clock: new VirtualClock() });
    expect(cpm.engine.sessions.size).toBe(0);
    cpm.close();
  });

  it('is asked for an address where the port knows none', () => {
    const { stack } = new World().pf;
    expect(() => createEngine({ sip: stack })).toThrow(TypeError);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
