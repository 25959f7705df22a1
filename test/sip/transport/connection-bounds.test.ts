/** What peers may hold open, and for how long. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { closeAll, rawPeer, request, settle, tcpElement, until } from './support.ts';

afterEach(closeAll);

describe('an unfinished message', () => {
  it('closes its connection after messageMs, however many single bytes come meanwhile', async () => {
    const clock = new VirtualClock();
    const { element, port } = await tcpElement({ clock, limits: { messageMs: 30_000 } });
    const peer = await rawPeer(port);
    const sent = request();
    await peer.write(sent.slice(0, 20));
    await until('the first bytes', () => clock.size === 2);
    for (let at = 20; at < 49; at++) {
      await peer.write(sent[at] as string);
      await settle();
      clock.advance(1000);
    }
    expect(element.network.connections).toBe(1);
    clock.advance(1000);
    expect(element.network.connections).toBe(0);
    expect(element.network.counters.closedUnfinished).toBe(1);
    await until('the end', () => peer.ended);
  });

  it('has its own time each: a peer whose messages overlap the segments is not slow', async () => {
    const clock = new VirtualClock();
    const { element, port } = await tcpElement({ clock, limits: { messageMs: 1000 } });
    const peer = await rawPeer(port);
    let rest = '';
    for (let number = 1; number <= 5; number++) {
      const sent = request({ number });
      await peer.write(rest + sent.slice(0, -10));
      rest = sent.slice(-10);
      await until('what was completed', () => element.messages.length === number - 1);
      await settle();
      clock.advance(600);
    }
    expect(element.network.connections).toBe(1);
    clock.advance(600);
    expect(element.network.counters.closedUnfinished).toBe(1);
  });

  it('leaves no time limit behind once it is complete', async () => {
    const clock = new VirtualClock();
    const { element, port } = await tcpElement({ clock });
    const peer = await rawPeer(port);
    await peer.write(request().slice(0, 20));
    await settle();
    await peer.write(request().slice(20));
    await until('the message', () => element.messages.length === 1);
    clock.advance(60_000);
    expect(element.network.connections).toBe(1);
  });

  it('the halves of all peers together stay below unfinishedBytes', async () => {
    const { element, port } = await tcpElement({ limits: { unfinishedBytes: 10_000 } });
    const first = await rawPeer(port);
    const second = await rawPeer(port);
    const half = request({ body: 'x'.repeat(8000) }).slice(0, 6000);
    await first.write(half);
    await settle();
    await second.write(half);
    await until('the end of the second', () => second.ended);
    expect(first.ended).toBe(false);
    expect(element.network.counters.closedUnfinished).toBe(1);
    // What the second held is given back.
    const third = await rawPeer(port);
    await third.write(half.slice(0, 3000));
    await settle();
    expect(element.network.connections).toBe(2);
  });
});

describe('an idle connection', () => {
  it('closes after idleMs without traffic in either direction', async () => {
    const clock = new VirtualClock();
    const { element, port } = await tcpElement({ clock, limits: { idleMs: 600_000 } });
    const quiet = await rawPeer(port);
    const busy = await rawPeer(port);
    const told = await rawPeer(port);
    await told.write(request());
    await until('all three', () => element.network.connections === 3 && element.messages.length === 1);
    clock.advance(400_000);
    await busy.write('\r\n\r\n');
    element.flows[0]?.send(new Uint8Array([0x0d, 0x0a]));
    await until('the ping', () => element.frames.includes('ping'));
    clock.advance(200_000);
    expect(element.network.counters.closedIdle).toBe(1);
    await until('the end of the quiet one', () => quiet.ended);
    expect(element.network.connections).toBe(2);
    clock.advance(399_999);
    expect(element.network.connections).toBe(2);
    clock.advance(1);
    expect(element.network.counters.closedIdle).toBe(3);
    await until('the end of all', () => busy.ended && told.ended);
  });
});

describe('the number of connections', () => {
  it('is bounded: the longest idle one gives way to a new one', async () => {
    const { element, port } = await tcpElement({ limits: { connections: 2 } });
    const first = await rawPeer(port);
    await until('the first', () => element.network.connections === 1);
    const second = await rawPeer(port);
    await until('the second', () => element.network.connections === 2);
    await first.write('\r\n\r\n');
    await until('the ping', () => element.frames.includes('ping'));
    const third = await rawPeer(port);
    await until('the end of the second', () => second.ended);
    expect([first.ended, third.ended]).toEqual([false, false]);
    expect(element.network.counters).toMatchObject({ accepted: 3, closedGaveWay: 1 });
    expect(element.network.connections).toBe(2);
  });

  it('counts those we dial as well', async () => {
    const far = await tcpElement();
    const { element, port } = await tcpElement({ limits: { connections: 1 } });
    const peer = await rawPeer(port);
    await until('the inbound one', () => element.network.connections === 1);
    element.network.connect({ transport: 'TCP', address: '127.0.0.1', port: far.port });
    await until('its end', () => peer.ended);
    expect(element.network.connections).toBe(1);
  });
});
