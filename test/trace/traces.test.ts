/** Traces: whose a message is, which leg it is on, what a step asked and did, what is kept and for how long. */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Session } from '../../src/engine/session.ts';
import { inviteText } from '../../src/page/invitation.ts';
import { Traces } from '../../src/trace/traces.ts';
import { labelOf, legOf, ownTagOf } from '../../src/trace/wire.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

interface Told {
  readonly whole: boolean;
  readonly live: boolean;
  readonly length: number;
  readonly steps: {
    readonly n: number;
    readonly event: string;
    readonly call: string;
    readonly transitions: string[];
    readonly guards: { guard: string; holds: boolean; reads: { path: string; value: unknown }[] }[];
    readonly effects: { type: string }[];
  }[];
  readonly messages: {
    readonly n: number;
    readonly leg: string;
    readonly direction: string;
    readonly label: string;
    readonly text: string;
    readonly peer: string;
    readonly again: number | null;
  }[];
}

describe('a message by its own words', () => {
  const request = (from: string, to: string): string =>
    `BYE sip:x SIP/2.0\r\nf: <sip:a;tag=no>;tag=${from}\r\nTo: <sip:b>${to === '' ? '' : `;tag=${to}`}\r\n\r\n`;
  const response = (from: string, to: string): string =>
    request(from, to).replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\nCSeq: 2 BYE\r\n');

  it('our own tag is in From of what we ask and in To of what we answer', () => {
    expect(ownTagOf(request('s.b', 'peer'), 'out')).toBe('s.b');
    expect(ownTagOf(request('peer', 's.a'), 'in')).toBe('s.a');
    expect(ownTagOf(response('peer', 's.a'), 'out')).toBe('s.a');
    expect(ownTagOf(response('s.b', 'peer'), 'in')).toBe('s.b');
    expect(ownTagOf(request('peer', ''), 'in')).toBeUndefined();
  });

  it('the leg is that of our tag, and in a proxied dialog the side that its From and its way tell', () => {
    const sides = { session: 's', inviterTag: 'alice' };
    expect(legOf(request('s.b2', 'peer'), 'out', sides)).toBe('b2');
    expect(legOf(request('alice', 'bob'), 'in', sides)).toBe('a');
    expect(legOf(request('alice', 'bob'), 'out', sides)).toBe('b');
    expect(legOf(response('alice', 'bob'), 'in', sides)).toBe('b');
    expect(legOf(response('alice', 'bob'), 'out', sides)).toBe('a');
    expect(legOf(request('bob', 'alice'), 'in', sides)).toBe('b');
    expect(legOf(response('bob', 'alice'), 'in', sides)).toBe('a');
  });

  it('a response is called by its status and, but for INVITE, by its method', () => {
    expect(labelOf(response('a', 'b'))).toBe('200 OK (BYE)');
    expect(labelOf(request('a', 'b'))).toBe('BYE');
    expect(labelOf('SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n')).toBe('180 Ringing');
  });
});

describe('of a running server', () => {
  let scene: Scene;
  let pf: Hosted;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(async () => {
    await pf.close();
    await scene.close();
  });
  const traceOf = async (id: string, after = -1): Promise<Told> =>
    (await pf.ask<Told>('GET', `/api/sessions/${id}/trace?after=${after}`)).body;
  const ids = (): string[] => [...pf.server.cpm.engine.sessions.keys()];

  it('a step says which guards were asked, what they read, and which transitions were taken', async () => {
    pf = await host(scene, { policy: { mediaPath: 'always', defaultAllowOfflineStorage: true } });
    await pf.establish();
    const { steps, whole } = await traceOf(ids()[0] ?? '');
    expect(whole).toBe(true);
    expect(steps[0]).toMatchObject({ event: 'invited', call: 'inviting.ringing' });
    expect(steps[0]?.transitions).toEqual(['call.inviting.authorising::9', 'call.inviting.choosingRoute::10']);
    expect(steps[0]?.guards.find(({ guard }) => guard === 'originatorBlacklisted')).toMatchObject({
      holds: false,
      clauses: ['T-INV-3'],
      reads: [{ path: 'role', value: 'orig' }],
    });
    const answered = steps.find(({ event }) => event === 'answered');
    expect(answered?.transitions).toEqual(['call.inviting.ringing:answered:5', 'recording.off::1']);
    expect(answered?.effects.map(({ type }) => type)).toEqual(expect.arrayContaining(['answer', 'openHistory']));
  });

  it('the whole way of a proxied session, to its end, is told by the transitions of its steps', async () => {
    pf = await host(scene, { policy: { mediaPath: 'never' } });
    const { near } = await pf.establish();
    const [id = ''] = ids();
    await pf.alice.bye(near);
    await until('it is over', async () => pf.server.ended.list().length === 1);
    const { steps, live } = await traceOf(id);
    expect(live).toBe(false);
    const taken = steps.flatMap(({ transitions }) => transitions);
    expect(taken[0]).toBe('call.inviting.authorising::9');
    expect(taken).toEqual(expect.arrayContaining(['call.inviting.ringing:answered:1', 'call.proxying:bye:1']));
    expect(steps.at(-1)?.call).toBe('closed');
  });

  it('messages are there as they were on the wire, each on its leg, a repetition named as one', async () => {
    pf = await host(scene, { policy: { mediaPath: 'always' }, log: { level: 'error', format: 'json', redact: false } });
    const { near } = await pf.establish({ headers: [['Subject', 'Lunch?']] });
    pf.alice.peer.sendRaw(near.invite);
    const [id = ''] = ids();
    await until('the copy is noted', async () => (await traceOf(id)).messages.some(({ again }) => again === 0));
    const { messages } = await traceOf(id);
    expect(messages[0]).toMatchObject({ leg: 'a', direction: 'in', label: 'INVITE', again: null });
    expect(messages[0]?.text).toContain(`Call-ID: ${near.callId}\r\n`);
    expect(messages[0]?.text).toContain('Subject: Lunch?\r\n');
    const onward = messages.find(({ leg, label }) => leg === 'b' && label === 'INVITE');
    const arrived = [...pf.bob.calls.values()][0]?.invite;
    expect(onward?.text).toContain(`Call-ID: ${arrived?.callId}\r\n`);
  });

  it('messages over a connection are there too, in and out', async () => {
    pf = await host(scene, {
      sip: { listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'] },
      policy: { mediaPath: 'always' },
    });
    const port = Number(
      pf.server.listening
        .find((address) => address.startsWith('tcp:'))
        ?.split(':')
        .at(-1),
    );
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.on('data', (bytes) => {
      heard += bytes.toString();
    });
    const invited = {
      served: 'sip:alice@home.example',
      other: 'sip:bob@home.example',
      side: 'orig',
      kind: 'session',
    } as const;
    const text = inviteText(invited).replace('SIP/2.0/UDP', 'SIP/2.0/TCP').replace(/\n/g, '\r\n');
    socket.write(text);
    await until('it is answered', async () => heard.includes('SIP/2.0 200 OK'));
    const { messages } = await traceOf(ids()[0] ?? '');
    const near = messages
      .filter(({ leg }) => leg === 'a')
      .map(({ direction, label, peer }) => [direction, label, peer.split(' ')[0]]);
    expect(near[0]).toEqual(['in', 'INVITE', 'TCP']);
    expect(near).toContainEqual(['out', '200 OK', 'TCP']);
    socket.destroy();
  });

  it('only what is new is told to whoever says what it has', async () => {
    pf = await host(scene);
    const { near } = await pf.establish();
    const [id = ''] = ids();
    const first = await traceOf(id);
    await pf.alice.request(near, 'OPTIONS');
    const news = await traceOf(id, first.length - 1);
    const positions = [...news.messages, ...news.steps].map(({ n }) => n);
    expect(Math.min(...positions)).toBe(first.length);
    expect(news.messages.map(({ label }) => label)).toEqual(expect.arrayContaining(['OPTIONS', '200 OK (OPTIONS)']));
  });

  it('numbers are masked in messages and in what guards read, words of people left out, unless the logs say otherwise', async () => {
    pf = await host(scene, { policy: { mediaPath: 'always' } });
    await pf.establish({ from: '<sip:+15550100@home.example;user=phone>', headers: [['Subject', 'Lunch?']] });
    const text = JSON.stringify(await traceOf(ids()[0] ?? ''));
    expect(text).toContain('+1555****@home.example');
    expect(text).not.toContain('15550100');
    expect(text).not.toContain('Lunch');
  });

  it('as many are kept as are asked for, those that ended go first, and 0 keeps none', async () => {
    pf = await host(scene, { admin: { listen: '127.0.0.1:0', traces: 2 } });
    const { near } = await pf.establish();
    await pf.establish();
    const [first = '', second = ''] = ids();
    await pf.alice.bye(near);
    await until('one is over', async () => ids().length === 1);
    expect((await traceOf(first)).live).toBe(false);
    await pf.establish();
    expect(await pf.ask('GET', `/api/sessions/${first}/trace`)).toMatchObject({ status: 404 });
    expect((await traceOf(second)).whole).toBe(true);
    await pf.close();
    pf = await host(scene, { admin: { listen: '127.0.0.1:0', traces: 0 } });
    await pf.establish();
    expect(await pf.ask('GET', `/api/sessions/${ids()[0]}/trace`)).toMatchObject({ status: 404 });
    expect(pf.server.traces.size).toBe(0);
  });

  it('new sessions are traced as far as a budget allows, one that is asked for from then on', async () => {
    pf = await host(scene);
    let now = 0;
    const traces = new Traces(() => now, 1000);
    await pf.establish();
    const [session] = pf.server.cpm.engine.sessions.values();
    if (session === undefined) throw new Error('no session');
    // The same session under other names.
    const named = (id: string): Session =>
      new Proxy(session, {
        get(target, key) {
          const value = key === 'id' ? id : Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    const begin = (id: number): void => traces.observe(named(`s${id}`), undefined);
    for (let id = 0; id < 100; id++) begin(id);
    expect(traces.size).toBe(40);
    now = 2000;
    for (let id = 100; id < 200; id++) begin(id);
    expect(traces.size).toBe(50);
    expect(traces.of('s99')).toBeUndefined();
    expect(traces.follow(session)?.whole).toBe(false);
  });
});
