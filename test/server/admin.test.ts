/** The admin interface: health, readiness, metrics, sessions, ladders, policy, and who may ask. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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

const RECORDED = { policy: { defaultAllowOfflineStorage: true } };

interface Summary {
  readonly id: string;
  readonly state: string;
  readonly user: string;
}

async function listed(query = ''): Promise<{ total: number; sessions: Summary[] }> {
  return (await pf.ask<{ total: number; sessions: Summary[] }>('GET', `/api/sessions${query}`)).body;
}

describe('sessions', () => {
  it('are listed, by state and user where asked, shown whole, and numbers are masked', async () => {
    pf = await host(scene, RECORDED);
    await pf.establish();
    await pf.establish({ from: '<sip:+15550100@home.example;user=phone>' });
    const { total, sessions } = await listed();
    expect({ total, states: sessions.map(({ state }) => state) }).toEqual({
      total: 2,
      states: ['b2buaEstablished.steady', 'b2buaEstablished.steady'],
    });
    expect(sessions.map(({ user }) => user)).toEqual([
      'sip:alice@home.example',
      'sip:+1555****@home.example;user=phone',
    ]);
    expect((await listed('?state=ringing')).sessions).toEqual([]);
    expect((await listed('?user=alice')).sessions).toHaveLength(1);
    expect((await listed('?limit=1')).sessions).toHaveLength(1);
    const { body } = await pf.ask<Record<string, unknown>>('GET', `/api/sessions/${sessions[0]?.id}`);
    expect(body).toMatchObject({
      role: 'orig',
      mode: 'b2bua',
      contributionId: 'contribution-1',
      legs: { a: { phase: 'confirmed' }, b: { phase: 'confirmed' } },
      ending: null,
    });
  });

  it('have a ladder, while they live and a while after', async () => {
    pf = await host(scene, RECORDED);
    const { near } = await pf.establish();
    const [session] = (await listed()).sessions;
    await pf.alice.bye(near);
    await until('it is over', async () => (await listed()).total === 0);
    const { body } = await pf.ask<{ entries: { leg: string; direction: string; label: string }[]; text: string[] }>(
      'GET',
      `/api/sessions/${session?.id}/ladder`,
    );
    // A 100 is there or not, as the callee is slow or fast.
    const messages = body.entries.filter(({ label }) => label !== '100 Trying');
    expect(messages.map(({ leg, direction, label }) => `${leg} ${direction} ${label}`)).toEqual([
      'a in INVITE',
      'b out INVITE',
      'b in 180 Ringing',
      'a out 180 Ringing',
      'b in 200 OK',
      'a out 200 OK',
      'a in ACK',
      'b out ACK',
      'a in BYE',
      'b out BYE',
      'b in 200 (BYE)',
      'a out 200 (BYE)',
    ]);
    expect(body.text.join('\n')).toContain('INVITE');
  });

  it('end by order on every leg', async () => {
    pf = await host(scene, RECORDED);
    const { near, far } = await pf.establish();
    const [session] = (await listed()).sessions;
    expect((await pf.ask('POST', `/api/sessions/${session?.id}/end`)).body).toEqual({ ending: session?.id });
    await until('both sides have their BYE', async () =>
      [pf.alice.heard(near), pf.bob.heard(far)].every((heard) => heard.includes('BYE')),
    );
    await until('it is over', async () => (await pf.metric('sessions')) === 0);
    expect(await pf.metric('sessions_ended_total')).toBe(1);
    expect((await pf.ask<string>('GET', '/metrics')).body).toContain('cpm_sessions_ended_total{reason="operator"} 1');
  });

  it('that are not known are 404, and the answer says where to look', async () => {
    pf = await host(scene);
    const error = 'no session nobody lives here (GET /api/sessions lists those that do)';
    expect(await pf.ask('GET', '/api/sessions/nobody')).toMatchObject({ status: 404, body: { error } });
    expect(await pf.ask('POST', '/api/sessions/nobody/end')).toMatchObject({ status: 404, body: { error } });
    expect(await pf.ask('GET', '/api/sessions/nobody/ladder')).toMatchObject({ status: 404 });
    expect(await pf.ask('GET', '/nope')).toMatchObject({ status: 404, body: { error: 'no such path: GET /nope' } });
    expect(await pf.ask('GET', '/api/sessions?limit=many')).toMatchObject({ status: 400 });
  });
});

describe('history', () => {
  it('is listed by user, folder and object, each object as it is stored', async () => {
    pf = await host(scene, RECORDED);
    await pf.establish();
    const user = encodeURIComponent('sip:alice@home.example');
    const { body } = await pf.ask<{ folders: { conversationId: string; contributionId: string }[] }>(
      'GET',
      `/api/history/${user}`,
    );
    const [folder] = body.folders;
    const path = `/api/history/${user}/${folder?.conversationId}/${folder?.contributionId}`;
    expect((await pf.ask('GET', path)).body).toMatchObject({
      pointers: { SessionInfoObjectID: 1 },
      objects: [{ uid: 1, type: 'Application/X-CPM-Session' }],
    });
    const object = await pf.ask<string>('GET', `${path}/1`);
    expect(object.headers['content-type']).toBe('message/rfc822');
    expect(object.body).toMatch(/^[\w-]+: /);
    expect(await pf.ask('GET', `${path}/7`)).toMatchObject({ status: 404 });
  });
});

describe('policy explain', () => {
  it('says what an INVITE would get, clause by clause, and changes nothing', async () => {
    pf = await host(scene);
    const invite = pf.alice.invite({ from: '<sip:alice@home.example>' });
    await pf.alice.outcome(invite);
    const text = [`INVITE ${invite.invite.uri} SIP/2.0`, ...invite.invite.headers.map(({ line }) => line), '', ''].join(
      '\n',
    );
    const { status, body } = await pf.ask<Record<string, unknown>>(
      'POST',
      '/api/policy/explain',
      { 'content-type': 'application/sip' },
      text,
    );
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { service: 'session', role: 'orig', served: 'sip:alice@home.example', state: 'inviting.ringing' },
    });
    expect(body.steps).toContainEqual(
      expect.objectContaining({ guard: 'serviceNotAuthorised', holds: false, clauses: ['O-INV-1'] }),
    );
    expect((body.sent as string[])[0]).toContain('INVITE sip:bob@home.example SIP/2.0');
    expect(await pf.metric('sessions_started_total')).toBe(1);
  });

  it('refuses what is no request, and says why', async () => {
    pf = await host(scene);
    for (const text of ['', 'hello', 'SIP/2.0 200 OK\n\n', 'INVITE sip:bob@home.example SIP/2.0\n\n']) {
      const { status, body } = await pf.ask<{ error: string }>(
        'POST',
        '/api/policy/explain',
        { 'content-type': 'application/sip' },
        text,
      );
      expect({ text, status, said: body.error.length > 0 }).toEqual({ text, status: 400, said: true });
    }
  });
});

describe('who may ask', () => {
  it('with a token: 401 for all but /healthz, unless it is borne', async () => {
    pf = await host(scene, {}, { token: 'right' });
    for (const path of ['/readyz', '/metrics', '/api/sessions']) {
      const refused = await pf.ask('GET', path);
      expect(refused).toMatchObject({ status: 401, body: { error: 'a bearer token is needed' } });
      expect(refused.headers['www-authenticate']).toBe('Bearer');
      expect((await pf.ask('GET', path, { authorization: 'Bearer wrong' })).status).toBe(401);
      expect((await pf.ask('GET', path, { authorization: 'Bearer right' })).status).toBe(200);
    }
    expect(await pf.ask('GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'alive' } });
  });

  it('without a token: this host only, not a page from elsewhere in one of its browsers', async () => {
    pf = await host(scene);
    expect((await pf.ask('GET', '/api/sessions', { host: '127.0.0.1:8080' })).status).toBe(200);
    expect((await pf.ask('GET', '/api/sessions', { host: '[::1]:8080', origin: 'http://localhost:3000' })).status).toBe(
      200,
    );
    expect((await pf.ask('GET', '/api/sessions', { host: 'rebound.example' })).status).toBe(403);
    const foreign = { host: '127.0.0.1:8080', origin: 'https://evil.example' };
    expect((await pf.ask('POST', '/api/sessions/x/end', foreign)).status).toBe(403);
  });
});

describe('health', () => {
  interface Ready {
    readonly status: string;
    readonly problems: string[];
  }

  it('is ready while all is well, and every metric has a name of ours', async () => {
    pf = await host(scene);
    expect(await pf.ask('GET', '/readyz')).toMatchObject({ status: 200, body: { status: 'ready', problems: [] } });
    const { body } = await pf.ask<string>('GET', '/metrics');
    const names = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    expect(names.filter(([name]) => !name?.startsWith('cpm_'))).toEqual([]);
    // Prometheus: what ends in _total is a counter, and nothing else is.
    expect(names.filter(([name, type]) => name?.endsWith('_total') !== (type === 'counter'))).toEqual([]);
    for (const name of ['sessions', 'sip_held', 'outbox_depth', 'event_loop_lag_seconds']) {
      expect(names).toContainEqual([`cpm_${name}`, 'gauge']);
    }
  });

  it('is degraded while the history store fails, and ready again once it has caught up', async () => {
    pf = await host(scene, { ...RECORDED, recording: { retry: { firstMs: 20, longestMs: 40 } } });
    const history = pf.server.history;
    if (history === undefined) throw new Error('no history');
    const { append } = history;
    history.append = (_folder, _key, _object, done) => done(new Error('database or disk is full'));
    const { near, far } = await pf.establish();
    const degraded = await pf.ask<Ready>('GET', '/readyz');
    expect(degraded).toMatchObject({ status: 200, body: { status: 'degraded' } });
    expect(degraded.body.problems).toContain('history can not be stored: database or disk is full');
    expect(await pf.metric('outbox_depth')).toBe(1);
    expect(await pf.metric('outbox_failures_total')).toBeGreaterThan(0);
    history.append = append;
    await until('it has caught up', async () => (await pf.ask<Ready>('GET', '/readyz')).body.status === 'ready');
    expect((await pf.alice.bye(near)).status).toBe(200);
    expect(pf.bob.heard(far)).toContain('BYE');
    expect(await pf.metric('outbox_depth')).toBe(0);
  });

  it('is degraded while sessions can not be stored, and calls go on', async () => {
    pf = await host(scene, RECORDED);
    if (!('close' in pf.server.sessions)) throw new Error('not a store that can fail');
    pf.server.sessions.close();
    const { near, far } = await pf.establish();
    expect(await pf.ask('GET', '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'degraded', problems: ['sessions can not be stored: a restart would lose them'] },
    });
    expect(await pf.metric('store_failures_total')).toBeGreaterThan(0);
    expect(pf.log.some(({ msg, level }) => msg === 'sessions could not be stored' && level === 50)).toBe(true);
    expect((await pf.bob.bye(far)).status).toBe(200);
    expect(pf.alice.heard(near)).toContain('BYE');
  });

  it('is degraded while the journal of the sessions grows, which is measured', async () => {
    pf = await host(scene, RECORDED);
    const { sessions } = pf.server;
    if (!('journalBytes' in sessions)) throw new Error('not a store with a journal');
    const before = await pf.metric('session_journal_bytes');
    await pf.establish();
    expect(await pf.metric('session_journal_bytes')).toBeGreaterThan(before);
    Object.defineProperty(sessions, 'behind', { value: 'disk I/O error' });
    expect(await pf.ask('GET', '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'degraded', problems: ['stored sessions stay in the journal, which grows: disk I/O error'] },
    });
  });

  it('history work that waits survives a stop, and is done after the next start', async () => {
    const stores = {
      ...RECORDED,
      sessions: { driver: 'sqlite', path: `${scene.folder}/sessions.sqlite` },
      history: { driver: 'sqlite', path: `${scene.folder}/history.sqlite` },
    };
    pf = await host(scene, stores);
    if (pf.server.history === undefined) throw new Error('no history');
    pf.server.history.append = (_folder, _key, _object, done) => done(new Error('database or disk is full'));
    const { near } = await pf.establish();
    await pf.alice.bye(near);
    await until('both pieces wait', async () => (await pf.metric('outbox_depth')) === 2);
    expect(await pf.metric('outbox_age_seconds')).toBeGreaterThan(0);
    await pf.close();
    pf = await host(scene, stores);
    await until('all is done', async () => (await pf.metric('outbox_depth')) === 0);
    const user = encodeURIComponent('sip:alice@home.example');
    const { body } = await pf.ask<{ folders: { objects: number }[] }>('GET', `/api/history/${user}`);
    expect(body.folders.map(({ objects }) => objects)).toEqual([2]);
  });

  it('a message that makes our own code fail is counted and logged, and costs nothing but itself', async () => {
    pf = await host(scene);
    const { near } = await pf.establish();
    const { stack } = pf.server;
    const receive = stack.receive.bind(stack);
    stack.receive = () => {
      throw new Error('a defect');
    };
    pf.alice.peer.sendRaw(near.invite);
    await until('it was counted', async () => (await pf.metric('internal_errors_total')) === 1);
    expect(pf.log.some(({ error }) => String(error).includes('a defect'))).toBe(true);
    stack.receive = receive;
    expect((await pf.alice.bye(near)).status).toBe(200);
  });

  it('does not take sessions while it drains', async () => {
    pf = await host(scene);
    pf.server.cpm.engine.refusing = true;
    expect(await pf.ask('GET', '/readyz')).toMatchObject({
      status: 503,
      body: { ready: false, status: 'refusing', problems: ['shutting down'] },
    });
    expect((await pf.ask('GET', '/healthz')).status).toBe(200);
  });
});
