/** WS /inspect over real sockets, read by the package whose wire format it speaks; and who may look. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createWebSocketReceiver, type StatelyActorEvent, type StatelyInspectionEvent } from '@statelyai/inspect';
import { WebSocket } from 'ws';
import { createMachine } from 'xstate';
import { main as inspectExample } from '../../examples/inspect.ts';
import { sessionMachine, unrecordedMachine } from '../../machines/index.ts';
import { type Hosted, host } from '../support/hosted.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';

let scene: Scene;
let pf: Hosted;
beforeEach(() => {
  scene = new Scene();
});
afterEach(async () => {
  await pf.close();
  await scene.close();
});

const TOKEN = 'a-token-of-the-operator';
const RECORDED = { policy: { defaultAllowOfflineStorage: true } };

function at(path: string): string {
  return pf.admin.replace('http', 'ws') + path;
}

/** What a receiver of the package gets, oldest first. */
function received(path: string): StatelyInspectionEvent[] {
  const frames: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: at(path) }).subscribe((frame) => frames.push(frame));
  return frames;
}

/** State of the call region, as the engine's own log says it. */
function stateIn(value: unknown): string {
  const call = (value as { call?: unknown }).call ?? value;
  return typeof call === 'string'
    ? call
    : Object.entries(call as object)
        .flat()
        .join('.');
}

/** States of each session by its frames, one after the other. */
function statesIn(frames: readonly StatelyInspectionEvent[]): Record<string, string[]> {
  const states: Record<string, string[]> = {};
  for (const frame of frames) {
    if (frame.type === '@xstate.actor') states[frame.sessionId] = [stateIn(frame.snapshot.value)];
    if (frame.type === '@xstate.snapshot') {
      states[frame.sessionId]?.push(stateIn((frame.snapshot as unknown as { value: unknown }).value));
    }
  }
  return states;
}

/** The same by the log of the engine. */
function statesLogged(): Record<string, string[]> {
  const states: Record<string, string[]> = {};
  for (const { session, state, msg } of pf.log) {
    if (msg !== 'step') continue;
    const id = String(session);
    states[id] = [...(states[id] ?? []), String(state)];
  }
  return states;
}

describe('a receiver of @statelyai/inspect', () => {
  it("rebuilds every session's states: of those that were there before it, and of new ones to their end", async () => {
    pf = await host(scene, RECORDED);
    const early = await pf.establish();
    const [earlyId = ''] = pf.server.cpm.engine.sessions.keys();
    await until('it is recorded', async () => pf.server.cpm.engine.sessions.get(earlyId)?.regions.recording === 'live');
    const before = statesLogged()[earlyId]?.length ?? 0;
    const frames = received('/inspect');
    await until('the early one is shown', async () => frames.length > 0);
    const late = await pf.establish();
    await pf.alice.bye(early.near);
    await pf.alice.bye(late.near);
    const ended = () => frames.filter((frame) => 'event' in frame && frame.event.type === 'xstate.stop').length;
    // Each end is one event and one snapshot.
    await until('both have ended', async () => ended() === 4);
    const logged = statesLogged();
    const [, lateId = ''] = Object.keys(logged);
    const seen = statesIn(frames);
    const stopped = 'closed';
    expect(seen).toEqual({
      [earlyId]: [...(logged[earlyId] ?? []).slice(before - 1), stopped],
      [lateId]: [...(logged[lateId] ?? []), stopped],
    });
    expect(seen[earlyId]?.[0]).toBe('b2buaEstablished.steady');
    expect(seen[lateId]?.[0]).toBe('inviting.ringing');
  });

  it('gets definitions whole: states in their order, transitions to the innermost, and they make a machine', async () => {
    pf = await host(scene, RECORDED);
    await pf.establish();
    const frames = received('/inspect');
    await until('it is shown', async () => frames.length > 0);
    const { definition = '', snapshot } = frames[0] as StatelyActorEvent;
    const config = JSON.parse(definition);
    expect(config).toEqual(JSON.parse(JSON.stringify(sessionMachine.config)));
    const names = (states: object): string[] => Object.keys(states);
    expect(names(config.states.call.states)).toEqual(names(sessionMachine.states.call?.states ?? {}));
    expect(config.states.call.states.interworking.states.closingStreams.on.response.at(-1)).toEqual({
      actions: 'relayResponse',
    });
    const rebuilt = createMachine(config).resolveState({ value: snapshot.value, context: {} });
    expect(rebuilt.matches({ call: { b2buaEstablished: 'steady' } })).toBe(true);
    expect(rebuilt.can({ type: 'refreshDue' })).toBe(true);
    expect(rebuilt.can({ type: 'reofferDue' })).toBe(false);
  });

  it('gets the chart without recording for a session of which nothing is recorded', async () => {
    pf = await host(scene);
    await pf.establish();
    const frames = received('/inspect');
    await until('it is shown', async () => frames.length > 0);
    const { definition = '', snapshot } = frames[0] as StatelyActorEvent;
    expect(JSON.parse(definition)).toEqual(JSON.parse(JSON.stringify(unrecordedMachine.config)));
    expect(snapshot).toMatchObject({ status: 'active', value: 'proxying', children: {}, tags: [] });
  });

  it('examples/inspect.ts prints the way of a session to its end, let in by a ticket', async () => {
    pf = await host(scene, RECORDED, { token: TOKEN });
    const { near } = await pf.establish();
    const [id = ''] = pf.server.cpm.engine.sessions.keys();
    await until('it is recorded', async () => pf.server.cpm.engine.sessions.get(id)?.regions.recording === 'live');
    const printed: string[] = [];
    const isLast = (frame: StatelyInspectionEvent) =>
      printed.some((line) => line.endsWith('is over')) && 'event' in frame;
    const watching = { admin: pf.admin, query: 'limit=10', token: TOKEN, until: isLast };
    const watched = inspectExample((line) => printed.push(line.replace(id, 'ID')), watching);
    await until('it looks', async () => printed.length > 0);
    await pf.alice.bye(near);
    await watched;
    expect(printed[0]).toBe('ID is in b2buaEstablished.steady, recording live');
    expect(printed).toContain('ID bye -> tearingDown.closing, recording sealing');
    expect(printed.slice(-2)).toEqual([expect.stringMatching(/^ID \w+ -> closed, recording sealed$/), 'ID is over']);
  });

  it('picks sessions: by id, by state, by user; one that comes to fit is shown from then on', async () => {
    pf = await host(scene, RECORDED);
    const { near } = await pf.establish();
    const [first = ''] = pf.server.cpm.engine.sessions.keys();
    const streams = {
      id: received(`/inspect?session=${first}`),
      state: received('/inspect?state=tearingDown'),
      user: received('/inspect?user=carol'),
    };
    await until('all look', async () => pf.server.inspector.viewers === 3);
    await pf.establish({ from: '<sip:carol@home.example>' });
    await pf.alice.bye(near);
    await until('it has ended', async () => pf.server.cpm.engine.sessions.size === 1);
    const second = [...pf.server.cpm.engine.sessions.keys()][0] ?? '';
    await until('all is told', async () =>
      streams.id.some((frame) => 'event' in frame && frame.event.type === 'xstate.stop'),
    );
    const sessions = (frames: readonly StatelyInspectionEvent[]) => [
      ...new Set(frames.map(({ sessionId }) => sessionId)),
    ];
    expect(sessions(streams.id)).toEqual([first]);
    expect(sessions(streams.user)).toEqual([second]);
    expect(sessions(streams.state)).toEqual([first]);
    expect(statesIn(streams.state)[first]?.[0]).toMatch(/^tearingDown/);
  });

  it('sees no telephone number and no address, whatever was in the messages', async () => {
    pf = await host(scene, RECORDED, {
      users: { 'sip:+15550100@home.example': { aliases: ['tel:+15550100'], blacklist: ['tel:+15550666'] } },
    });
    const frames: string[] = [];
    const socket = new WebSocket(at('/inspect'));
    socket.on('message', (data) => frames.push(String(data)));
    await until('it looks', async () => pf.server.inspector.viewers === 1);
    const { near } = await pf.establish({
      from: '<sip:+15550100@home.example;user=phone>',
      uri: 'tel:+15550199',
      headers: [['Subject', 'call me at +15550123']],
    });
    near.request('+15550177');
    await pf.alice.bye(near);
    await until('it is told', async () => frames.some((frame) => frame.includes('xstate.stop')));
    const told = frames.join('\n');
    expect(told).toContain('"method":"+1555****"');
    expect(told).not.toMatch(/5550\d/);
    expect(told).not.toMatch(/home\.example|sip:|tel:|call me/);
    socket.terminate();
  });
});

// --- who may look --------------------------------------------------------------------------------------------

interface Attempt {
  readonly path?: string;
  readonly headers?: Record<string, string>;
}

/** Status of the answer; 101 where the viewer was let in. */
function attempt({ path = '/inspect', headers = {} }: Attempt = {}): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(at(path), { headers });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('error', () => {});
  });
}

const BEARER = { authorization: `Bearer ${TOKEN}` };

describe('who may look', () => {
  it('with a token: its bearer, or whoever has a ticket, once', async () => {
    pf = await host(scene, {}, { token: TOKEN });
    expect(await attempt()).toBe(401);
    expect(await attempt({ headers: { authorization: 'Bearer wrong' } })).toBe(401);
    expect(await attempt({ headers: BEARER })).toBe(101);
    expect((await pf.ask('POST', '/api/inspect/ticket')).status).toBe(401);
    const { body } = await pf.ask<{ ticket: string }>('POST', '/api/inspect/ticket', BEARER);
    expect(await attempt({ path: `/inspect?ticket=${body.ticket}` })).toBe(101);
    expect(await attempt({ path: `/inspect?ticket=${body.ticket}` })).toBe(401);
  });

  it('with a token: pages of the same host, and those that are named', async () => {
    pf = await host(scene, {}, { token: TOKEN, origins: ['https://stately.ai'] });
    const from = (origin: string) => attempt({ headers: { ...BEARER, origin } });
    expect(await from(pf.admin)).toBe(101);
    expect(await from('https://stately.ai')).toBe(101);
    expect(await from('https://evil.example')).toBe(403);
    expect(await from('null')).toBe(403);
  });

  it('without a token: this host only, by its own name, and no page from elsewhere', async () => {
    pf = await host(scene);
    expect(await attempt()).toBe(101);
    expect(await attempt({ headers: { origin: pf.admin } })).toBe(101);
    expect(await attempt({ headers: { origin: 'https://evil.example' } })).toBe(403);
    expect(await attempt({ headers: { host: 'rebound.example' } })).toBe(403);
  });

  it('asking for what there is not is told, before anything is shown', async () => {
    pf = await host(scene);
    expect(await attempt({ path: '/elsewhere' })).toBe(404);
    expect(await attempt({ path: '/inspect?sample=2' })).toBe(400);
    expect(await attempt({ path: '/inspect?limit=100000' })).toBe(400);
    expect(await attempt({ path: '/inspect?stat=ringing' })).toBe(400);
    expect((await pf.ask('GET', '/inspect')).status).toBe(426);
    expect(pf.server.inspector.viewers).toBe(0);
  });

  it('sixteen look at the same time, and whoever leaves makes room', async () => {
    pf = await host(scene);
    const sockets = Array.from({ length: 16 }, () => new WebSocket(at('/inspect')));
    await until('all look', async () => (await pf.metric('inspect_viewers')) === 16);
    expect(await attempt()).toBe(503);
    sockets[0]?.terminate();
    await until('one has left', async () => pf.server.inspector.viewers === 15);
    expect(await attempt()).toBe(101);
    for (const socket of sockets) socket.terminate();
  });
});
