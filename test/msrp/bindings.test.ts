/** Which ends belong together, and when they are freed: sessions of several m-lines and far legs, in virtual time. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { MediaLegs } from '../../src/engine/ports.ts';
import type { CarrierTarget } from '../../src/msrp/carrier.ts';
import { DEFAULT_MSRP_LIMITS } from '../../src/msrp/limits.ts';
import { MsrpRelay } from '../../src/msrp/relay/relay.ts';
import { chatSdp, SeededRandom, VirtualClock } from '../../src/testing/index.ts';
import { ports } from '../support/session.ts';

let clock: VirtualClock;
let relay: MsrpRelay;
let dialled: CarrierTarget[];
let failed: string[];

beforeEach(() => {
  clock = new VirtualClock();
  dialled = [];
  failed = [];
  relay = makeRelay();
});

function makeRelay(portNumbers: readonly number[] = [21000, 21001, 21002]): MsrpRelay {
  return new MsrpRelay({
    clock,
    limits: DEFAULT_MSRP_LIMITS,
    identifiers: new SeededRandom(1),
    network: {
      host: '10.0.0.10',
      ports: portNumbers,
      securePorts: [],
      fingerprint: null,
      onConnection: () => {
        throw new Error('nobody connects here');
      },
      dial: (target) => void dialled.push(target),
    },
    sessionIdOf: (text) => `id-${text}`,
    failed: (session, leg) => failed.push(`${session}.${leg}`),
  });
}

/** Ends as `leg stream>far leg`. */
const ends = (): string[] =>
  relay
    .bindingsOf('s')
    .map(({ key, far }) => `${key.leg}${key.stream}>${far?.key.leg ?? ''}`)
    .sort();

const pathsIn = (sdp: string): string[] => [...sdp.matchAll(/a=path:(\S+)/g)].map(([, path]) => path!);

const offer = chatSdp('alice', [2855, 2856]);
const first = chatSdp('iwf1', [3001, 0]);
const second = chatSdp('iwf2', [3002]);

/** Two IWFs, each with one of two streams. */
function twoIwfs(): MediaLegs {
  relay.adapt('s', 'b', offer, { a: { received: offer, streams: null } });
  relay.adapt('s', 'b2', chatSdp('alice', [2856]), {
    a: { received: offer, streams: null },
    b2: { received: null, streams: [1] },
  });
  const legs = {
    a: { received: offer, streams: null },
    b: { received: first, streams: null },
    b2: { received: second, streams: [1] },
  };
  const merged = relay.adapt('s', 'a', chatSdp('merged', [3001, 3002]), legs);
  expect(pathsIn(merged)).toEqual([expect.stringContaining('/id-s.a.0;tcp'), expect.stringContaining('/id-s.a.1;tcp')]);
  return legs;
}

describe('several far legs', () => {
  it('A-12: each stream is joined with the leg that took it', () => {
    twoIwfs();
    expect(ends()).toEqual(['a0>b', 'a1>b2', 'b0>a', 'b21>a']);
    // The line that b rejected is freed there.
    expect(relay.counters).toMatchObject({ allocated: 5, freed: 1 });
  });

  it('A-24: a partial close frees that leg alone, and its end of the stream is left without another', () => {
    twoIwfs();
    relay.release('s', ['b2']);
    expect(ends()).toEqual(['a0>b', 'a1>', 'b0>a']);
    relay.release('s', ['b2']);
    expect(relay.counters).toMatchObject({ allocated: 5, freed: 2 });
  });

  it('A-31: the stream that is offered at port 0 afterwards is freed on the other side too', () => {
    const legs = twoIwfs();
    relay.release('s', ['b2']);
    relay.adapt('s', 'a', chatSdp('merged', [3001, 0]), legs);
    expect(ends()).toEqual(['a0>b', 'b0>a']);
  });

  it('invariant 7: everything is freed exactly once, whatever is freed again', () => {
    twoIwfs();
    relay.release('s', ['a', 'b', 'b2']);
    relay.release('s', ['a', 'b', 'b2']);
    relay.end('s');
    expect(relay.bindings).toBe(0);
    expect(relay.counters).toMatchObject({ allocated: 5, freed: 5 });
    clock.advance(120_000);
    expect(failed).toEqual([]);
  });

  it('a session that never got further than its invitation is freed at its end', () => {
    relay.adapt('s', 'b', offer, { a: { received: offer, streams: null } });
    expect(relay.bindings).toBe(2);
    relay.end('s');
    expect(relay.counters).toMatchObject({ allocated: 2, freed: 2 });
  });
});

describe('descriptions', () => {
  it('the same description asked for again is the same, also by the next process', () => {
    const legs = { a: { received: offer, streams: null } };
    const told = relay.adapt('s', 'b', offer, legs);
    expect(relay.adapt('s', 'b', offer, legs)).toBe(told);
    expect(makeRelay().adapt('s', 'b', offer, legs)).toBe(told);
    expect(relay.counters.allocated).toBe(2);
  });

  it('number and order of m-lines are kept, and every relayed line has a port of ours', () => {
    const mixed = chatSdp('alice', [2855, 4000, 0], ['message', 'audio', 'message']).replace(
      'audio 4000 TCP/MSRP',
      'audio 4000 RTP/AVP',
    );
    const told = relay.adapt('s', 'b', mixed, { a: { received: mixed, streams: null } });
    expect(ports(told)).toEqual([expect.any(Number), 4000, 0]);
    expect([21000, 21001, 21002]).toContain(ports(told)[0]);
  });

  it('A-23: a late offer is answered in the ACK, and both ends are joined then', () => {
    const late = chatSdp('bob', [4000]);
    const answer = chatSdp('alice', [2855]);
    const toAlice = relay.adapt('s', 'a', late, { b: { received: late, streams: null } });
    expect(toAlice).toContain('a=setup:actpass');
    const legs = { a: { received: answer, streams: null }, b: { received: late, streams: null } };
    relay.adapt('s', 'b', answer, legs);
    expect(ends()).toEqual(['a0>b', 'b0>a']);
  });
});

describe('being there', () => {
  const talk = (setup: string): void => {
    const [near, far] = [chatSdp('alice'), chatSdp('bob').replace('setup:actpass', `setup:${setup}`)];
    relay.adapt('s', 'b', near, { a: { received: near, streams: null } });
    relay.adapt('s', 'a', far, { a: { received: near, streams: null }, b: { received: far, streams: null } });
  };

  it('the active side dials at once, to the address of the path', () => {
    talk('passive');
    expect(dialled).toEqual([{ host: '10.9.9.9', port: 2855, secure: false, fingerprint: undefined }]);
  });

  it('nobody within the time to open is a failure of each leg, told once', () => {
    talk('active');
    clock.advance(DEFAULT_MSRP_LIMITS.openMs - 100);
    expect(failed).toEqual([]);
    clock.advance(200);
    expect(failed.sort()).toEqual(['s.a', 's.b']);
    clock.advance(120_000);
    expect(failed).toHaveLength(2);
  });
});
