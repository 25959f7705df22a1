/** The XCAP driver as the configuration makes it, each key flipped, against a server on a real socket; time is virtual. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProfileQuery } from '../../src/engine/ports.ts';
import type { Preferences } from '../../src/preferences/preferences.ts';
import { credentialsOf } from '../../src/preferences/xcap/credentials.ts';
import type { XcapPreferences } from '../../src/preferences/xcap/xcap.ts';
import { configSchema } from '../../src/server/config/schema.ts';
import { createLog } from '../../src/server/log.ts';
import { preferencesBy } from '../../src/server/preferences.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { HostileXcap, serving } from '../support/hostile-xcap.ts';
import { Scene } from '../support/processes.ts';
import { until } from '../support/server.ts';
import { BOB, NO_DISTURBANCE, resourceLists, rule, ruleset, STORES } from '../support/xcap-documents.ts';

const MALLORY = 'sip:mallory@evil.example';
const QUERY: ProfileQuery = {
  user: BOB,
  role: 'term',
  service: 'session',
  originators: [MALLORY],
  referredBy: null,
  sessionReplaces: null,
  at: 0,
};
const RULES = ruleset(rule('', STORES));
const BLOCKED = resourceLists(`<list name="oma_blockedcontacts"><entry uri="${MALLORY}"/></list>`);
const SILENT = (): void => {};
const NO_WISHES = { allowOfflineStorage: false, doNotDisturb: false, blacklisted: false, interworking: null };

let scene: Scene;
let clock: VirtualClock;
let xcap: HostileXcap;
let driver: XcapPreferences;
const served = { users: undefined, allowOfflineStorage: false, dndIgnoresConditions: false };

beforeEach(async () => {
  scene = new Scene();
  clock = new VirtualClock();
  xcap = await HostileXcap.open(serving({ '/access-rules': RULES, '/index': BLOCKED }));
  Object.assign(served, { allowOfflineStorage: false, dndIgnoresConditions: false });
});
afterEach(async () => {
  driver.close();
  await xcap.close();
  await scene.close();
});

function start(keys: Record<string, unknown> = {}): void {
  const config = configSchema.parse({ preferences: { driver: 'xcap', root: xcap.root, ...keys } });
  driver = preferencesBy(config, served, clock, createLog({ level: 'silent', format: 'json', redact: true }))!;
}

function ask(query: Partial<ProfileQuery> = {}, user = BOB): Promise<Preferences> {
  return new Promise((resolve) => driver.ask(user, { ...QUERY, ...query }, resolve));
}

/** The answer when the server takes longer than the call can wait. */
async function askInVain(waits = 500): Promise<Preferences> {
  let answer: Preferences | undefined;
  driver.ask(BOB, QUERY, (preferences) => {
    answer = preferences;
  });
  clock.advance(waits - 1);
  expect(answer).toBeUndefined();
  clock.advance(1);
  expect(answer).toBeDefined();
  return answer!;
}

describe('a document', () => {
  it('maxAgeMs: counts for that long, then is asked for by its entity tag', async () => {
    start({ maxAgeMs: 1000 });
    expect(await ask()).toEqual({ ...NO_WISHES, allowOfflineStorage: true, blacklisted: true });
    clock.advance(999);
    await ask();
    expect(xcap.asked).toHaveLength(2);
    clock.advance(1);
    await ask();
    expect(driver.documents.counters).toEqual({ fetched: 2, unchanged: 2, absent: 0, failed: {} });
    expect(driver.answers).toEqual({ cached: 1, asked: 2, stale: 0, assumed: 0 });
  });

  it('is asked for once, however many calls wait for it', async () => {
    start();
    await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(xcap.asked).toHaveLength(2);
  });

  it('staleMs: counts for that long while the server fails, then nothing is known', async () => {
    start({ maxAgeMs: 1000, staleMs: 10_000, pauseMs: 1 });
    await ask();
    xcap.conduct = (_request, response) => response.writeHead(500).end();
    clock.advance(5000);
    expect(await ask()).toMatchObject({ allowOfflineStorage: true, blacklisted: true });
    clock.advance(5001);
    expect(await ask()).toEqual(NO_WISHES);
    expect(driver.answers).toEqual({ cached: 0, asked: 1, stale: 1, assumed: 1 });
  });

  it('cacheBytes: those used last are kept', async () => {
    start({ cacheBytes: 65_536 });
    for (let number = 0; number < 100; number++) await ask({}, `sip:user${number}@home.example`);
    expect(driver.documents.bytes).toBeLessThanOrEqual(65_536);
    expect(driver.documents.size).toBeLessThan(150);
    const before = xcap.asked.length;
    await ask({}, 'sip:user99@home.example');
    expect(xcap.asked).toHaveLength(before);
  });

  it('maxDocumentBytes: a larger one is not taken, whether it says so or not', async () => {
    start({ maxDocumentBytes: 1024, pauseMs: 1 });
    for (const headers of [{ 'content-length': '104857600' }, {}]) {
      xcap.conduct = (_request, response) => void response.writeHead(200, headers).write('x'.repeat(5000));
      expect(await ask()).toEqual(NO_WISHES);
      clock.advance(10);
    }
    expect(driver.documents.counters.failed).toEqual({ tooLarge: 4 });
  });

  it('A-36, preferences.rulesDocument, preferences.listsDocument, preferences.blacklistNames: are where and what the provider says', async () => {
    start({ rulesDocument: 'r/{user}/a', listsDocument: 'l/{user}/b', blacklistNames: ['mine'] });
    xcap.conduct = serving({ '/b': resourceLists(`<list name="mine"><entry uri="${MALLORY}"/></list>`), '/a': RULES });
    expect(await ask({}, 'sip:b%2Fb@HOME.example;x=y')).toMatchObject({ blacklisted: true, allowOfflineStorage: true });
    expect(xcap.asked).toEqual(['/xcap-root/r/sip:b%2Fb@home.example/a', '/xcap-root/l/sip:b%2Fb@home.example/b']);
    start();
    xcap.conduct = serving({ '/index': resourceLists(`<list name="mine"><entry uri="${MALLORY}"/></list>`) });
    expect(await ask()).toMatchObject({ blacklisted: false });
  });

  it.each([
    ['user', `"${BOB}"`],
    ['none', undefined],
    ['sip:pf@home.example', '"sip:pf@home.example"'],
  ])('assertedIdentity %s: X-3GPP-Asserted-Identity is %s', async (assertedIdentity, header) => {
    start({ assertedIdentity });
    await ask();
    expect(xcap.requests[0]?.headers['x-3gpp-asserted-identity']).toBe(header);
  });
});

describe('links between lists', () => {
  /** Each list links to the next; the last one, by number, has the originator. */
  function chain(length: number): string {
    const lists = Array.from({ length }, (_, number) => {
      const next = `resource-lists/users/${BOB}/index/~~/resource-lists/list[@name='${number + 1}']`;
      const inside = number === length - 1 ? `<entry uri="${MALLORY}"/>` : `<external anchor="${next}"/>`;
      return `<list name="${number === 0 ? 'oma_blockedcontacts' : number}">${inside}</list>`;
    });
    return resourceLists(lists.join(''));
  }

  it('maxLinks: are followed so far', async () => {
    for (const [maxLinks, blacklisted] of [
      [16, true],
      [4, false],
    ] as const) {
      start({ maxLinks });
      xcap.conduct = serving({ '/index': chain(8) });
      expect(await ask()).toMatchObject({ blacklisted });
      expect(driver.unfollowedLinks > 0).toBe(!blacklisted);
    }
  });

  it('that go round in a circle end', async () => {
    start();
    const self = `resource-lists/users/${BOB}/index/~~/resource-lists/list[@name='oma_blockedcontacts']`;
    xcap.conduct = serving({
      '/index': resourceLists(
        `<list name="oma_blockedcontacts"><external anchor="${self}"/><entry uri="${MALLORY}"/></list>`,
      ),
    });
    expect(await ask()).toMatchObject({ blacklisted: true });
  });

  it('to another host are not followed, and counted', async () => {
    start();
    const other = await HostileXcap.open(serving({ '/index': BLOCKED }));
    const anchor = `${other.root}/resource-lists/users/x/index/~~/resource-lists/list[@name='oma_blockedcontacts']`;
    xcap.conduct = serving({
      '/index': resourceLists(`<list name="oma_blockedcontacts"><external anchor="${anchor}"/></list>`),
    });
    expect(await ask()).toMatchObject({ blacklisted: false });
    expect({ unfollowed: driver.unfollowedLinks, asked: other.asked }).toEqual({ unfollowed: 1, asked: [] });
    await other.close();
  });

  it('A-37: an external list is a condition of a rule', async () => {
    start();
    const anchor = `resource-lists/users/${BOB}/index/~~/resource-lists/list%5B@name=%22quiet%22%5D`;
    xcap.conduct = serving({
      '/access-rules': ruleset(rule(`<external-list><entry anc="${anchor}"/></external-list>`, NO_DISTURBANCE)),
      '/index': resourceLists(`<list name="quiet"><entry uri="${MALLORY}"/></list>`),
    });
    expect(await ask()).toMatchObject({ doNotDisturb: true });
    expect(await ask({ originators: ['sip:alice@away.example'] })).toMatchObject({ doNotDisturb: false });
  });
});

describe('policy', () => {
  it('A-15, policy.defaultAllowOfflineStorage: counts where nothing is known, not where the user said nothing', async () => {
    served.allowOfflineStorage = true;
    start();
    xcap.conduct = (_request, response) => response.writeHead(503).end();
    expect(await ask()).toEqual({ ...NO_WISHES, allowOfflineStorage: true });
    start();
    xcap.conduct = serving({});
    expect(await ask()).toEqual(NO_WISHES);
  });

  it('A-37, compat.dndIgnoresConditions: that a rule exists is enough', async () => {
    xcap.conduct = serving({
      '/access-rules': ruleset(rule('<cr:identity><cr:one id="sip:x@y.example"/></cr:identity>', NO_DISTURBANCE)),
    });
    for (const dndIgnoresConditions of [false, true]) {
      Object.assign(served, { dndIgnoresConditions });
      start();
      expect(await ask()).toMatchObject({ doNotDisturb: dndIgnoresConditions });
    }
  });

  it('RFC 4745 10.2: of several rules in force one yes is enough; without one, a no is the wish', async () => {
    start();
    const interworking = (value: string): string => rule('', `<allow-interworking>${value}</allow-interworking>`);
    xcap.conduct = serving({ '/access-rules': ruleset(interworking('false'), interworking('true')) });
    expect(await ask()).toMatchObject({ interworking: true });
    start();
    xcap.conduct = serving({ '/access-rules': ruleset(interworking('false')) });
    expect(await ask()).toMatchObject({ interworking: false });
  });
});

describe('a server that fails', () => {
  it('timeoutMs: a call waits so long and no longer; what comes later serves the next one', async () => {
    start({ timeoutMs: 300 });
    const waiting: (() => void)[] = [];
    const good = xcap.conduct;
    xcap.conduct = (request, response) => void waiting.push(() => good(request, response));
    expect(await askInVain(300)).toEqual(NO_WISHES);
    await until('both were asked for', async () => waiting.length === 2);
    for (const answer of waiting) answer();
    await until('they have come', async () => driver.documents.counters.fetched === 2);
    expect(await ask()).toMatchObject({ allowOfflineStorage: true, blacklisted: true });
    expect(driver.answers).toEqual({ cached: 1, asked: 0, stale: 0, assumed: 1 });
  });

  it('requestTimeoutMs, pauseMs: a request ends then, and the server is left alone for a while', async () => {
    start({ requestTimeoutMs: 2000, pauseMs: 3000 });
    xcap.conduct = SILENT;
    await askInVain();
    await until('both were asked for', async () => xcap.asked.length === 2);
    clock.advance(1500);
    await until('both have failed', async () => driver.documents.counters.failed.timeout === 2);
    expect(await ask()).toEqual(NO_WISHES);
    expect(xcap.asked).toHaveLength(2);
    expect(driver.documents.lastError).toBe('no answer within 2000 ms');
    clock.advance(3000);
    xcap.conduct = serving({ '/access-rules': RULES });
    expect(await ask()).toMatchObject({ allowOfflineStorage: true });
    expect(driver.documents.lastError).toBeNull();
  });

  it('maxRequests: no more wait for it at a time', async () => {
    start({ maxRequests: 10 });
    xcap.conduct = SILENT;
    for (let number = 0; number < 100; number++) driver.ask(`sip:user${number}@home.example`, QUERY, () => {});
    await until('the ten have arrived', async () => xcap.asked.length === 10);
    expect(driver.documents.counters.failed.busy).toBe(190);
  });

  it.each([
    ['dead', undefined, 'transport'],
    ['redirects to another host', { location: 'http://evil.example/' }, 'redirect'],
    ['redirects to itself for ever', { location: '/xcap-root/again' }, 'redirect'],
  ] as const)('%s: the default counts at once', async (_what, headers, kind) => {
    start();
    if (headers === undefined) xcap.conduct = (request) => void request.socket.destroy();
    else xcap.conduct = (_request, response) => response.writeHead(302, headers).end();
    expect(await ask()).toEqual(NO_WISHES);
    expect(driver.documents.counters.failed).toEqual({ [kind]: 2 });
  });

  it.each([
    ['a page in HTML', '<html><p>'],
    ['entities that multiply', '<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'],
    ['another document', '<pidf/>'],
    ['bytes that are no text', Buffer.from([0x3c, 0xff, 0xfe])],
  ])('wrong: %s counts as nothing known', async (_what, body) => {
    start();
    xcap.conduct = (_request, response) => response.writeHead(200).end(body);
    expect(await ask()).toEqual(NO_WISHES);
    expect(driver.documents.counters.failed).toEqual({ malformed: 2 });
  });

  it('a redirect on the same host is followed', async () => {
    start();
    const good = serving({ '/moved-rules': RULES });
    xcap.conduct = (request, response) =>
      request.url?.endsWith('/access-rules') === true
        ? response.writeHead(307, { location: '/moved-rules' }).end()
        : good(request, response);
    expect(await ask()).toMatchObject({ allowOfflineStorage: true });
  });
});

describe('auth', () => {
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('RFC 7616 3.9.1: the example with %s', (algorithm, response) => {
    start();
    const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
    const digest = credentialsOf({ type: 'digest', username: 'Mufasa', password: 'Circle of Life' }, () => cnonce);
    const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
    digest.challenged(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${nonce}"`,
    );
    expect(digest.authorization('GET', '/dir/index.html')).toContain(`response="${response}"`);
  });

  it('bearer: RFC 6750 2.1', async () => {
    start({ auth: { type: 'bearer', token: `file:${scene.file('token', 'abc.def')}` } });
    await ask();
    expect(xcap.requests[0]?.headers.authorization).toBe('Bearer abc.def');
  });

  it('digest: RFC 7616, SHA-256 where the server takes it; one challenge serves many requests', async () => {
    start({
      auth: { type: 'digest', username: 'Mufasa', password: `file:${scene.file('word', 'Circle of Life')}` },
      maxAgeMs: 1,
    });
    const good = xcap.conduct;
    xcap.conduct = (request, response) => {
      if (request.headers.authorization !== undefined) return good(request, response);
      const challenge = (algorithm: string): string =>
        `Digest realm="x", qop="auth, auth-int", algorithm=${algorithm}, nonce="n"`;
      response.writeHead(401, { 'www-authenticate': `${challenge('MD5')}, ${challenge('SHA-256')}` }).end();
    };
    expect(await ask()).toMatchObject({ allowOfflineStorage: true });
    clock.advance(10);
    await ask();
    const shown = xcap.requests.flatMap(({ headers }) => headers.authorization ?? []);
    expect(xcap.asked).toHaveLength(6);
    for (const line of shown) expect(line).toMatch(/^Digest username="Mufasa", .*algorithm=SHA-256, qop=auth, nc=/);
    // The requests for two documents leave together, in either order.
    expect(shown.map((line) => /nc=(\w+)/.exec(line)?.[1]).sort()).toEqual([
      '00000001',
      '00000002',
      '00000003',
      '00000004',
    ]);
  });
});
