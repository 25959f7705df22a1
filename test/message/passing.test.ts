/** Pager-mode messages on their way while their senders wait: judged, forwarded, interworked. */
import { describe, expect, it } from '@jest/globals';
import type { Profile } from '../../machines/session/policy.ts';
import { DEFAULT_PROFILE } from '../../src/policy/defaults.ts';
import { headerField } from '../../src/sip/message/header.ts';
import { World, type WorldOptions } from '../../src/testing/index.ts';
import {
  CLIENT,
  cpim,
  incoming,
  type MessageOptions,
  MSG,
  respond,
  type Sent,
  send,
  textOf,
  waitingAt,
} from '../support/message.ts';
import { ISF, leftovers, type Role } from '../support/session.ts';

const ROLES = ['orig', 'term'] as const;

describe('a message for somebody who is there', () => {
  it.each(ROLES)('%s: goes on as it came, and the answer comes back as it came', (role) => {
    const world = new World();
    const sent = send(world, role, { headers: [['Subject', 'boats']] });
    world.settle();
    const arrived = incoming(world.core);
    expect(arrived.uri).toBe('sip:bob@home.example');
    expect(arrived.callId).toBe(sent.request.callId);
    expect(arrived.header('from')).toBe(sent.request.header('from'));
    expect(arrived.header('cseq')).toBe('1 MESSAGE');
    expect(arrived.header('max-forwards')).toBe('69');
    expect(arrived.header('subject')).toBe('boats');
    expect(arrived.header('p-asserted-service')).toBe(MSG);
    expect(arrived.has('p-served-user')).toBe(false);
    expect(arrived.has('record-route')).toBe(false);
    expect(textOf(arrived)).toBe(textOf(sent.request));
    respond(world.core, arrived, 200, [['X-From-Afar', 'yes']]);
    world.settle();
    expect(sent.answers).toEqual([200]);
    expect(sent.responses[0]?.header('x-from-afar')).toBe('yes');
    expect(sent.responses[0]?.list('via')).toHaveLength(1);
    expect(world.pf.engine.messages.counters.byOutcome).toEqual({ passed: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it.each([202, 404, 486, 603])('%d of the far side reaches the sender', (status) => {
    const world = new World();
    const sent = send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), status);
    world.settle();
    expect(sent.answers).toEqual([status]);
    expect(leftovers(world)).toEqual([]);
  });

  it('a copy of the request makes no second message, before and after the answer', () => {
    const world = new World();
    const sent = send(world, 'orig');
    world.settle();
    sent.repeat();
    world.settle();
    const arrived = incoming(world.core);
    expect(waitingAt(world.core)).toBe(0);
    respond(world.core, arrived, 200);
    world.settle();
    sent.repeat();
    world.settle();
    expect(sent.answers).toEqual([200, 200]);
    expect(waitingAt(world.core)).toBe(0);
    expect(leftovers(world)).toEqual([]);
  });

  it('goes by the Route it came with, behind our own entry', () => {
    const world = new World();
    const { address } = world.pf;
    send(world, 'term', { headers: [['Route', `<sip:${address};lr>, <sip:dialog-7@10.0.0.20:5060;lr>`]] });
    world.settle();
    expect(incoming(world.core).list('route')).toEqual(['<sip:dialog-7@10.0.0.20:5060;lr>']);
  });

  it('the service is found in Accept-Contact where nobody asserts it', () => {
    const world = new World();
    send(world, 'term', { headers: [['P-Asserted-Service', null]] });
    world.settle();
    expect(waitingAt(world.core)).toBe(1);
  });

  it('silence of the far side: RFC 4320 4.2, no 408 comes of it, nor anything else, and nothing is left', () => {
    const world = new World();
    const sent = send(world, 'orig');
    world.advance(40_000);
    expect(sent.answers).toEqual([]);
    expect(world.pf.engine.messages.counters.byOutcome).toEqual({ failed: 1 });
    expect(leftovers(world)).toEqual([]);
  });

  it('one that comes back unchanged has looped; one that comes for the other side is another', () => {
    const world = new World();
    const sent = send(world, 'term');
    world.settle();
    const looped = incoming(world.core);
    looped.remove('route');
    looped.headers.push(...sent.request.lines('p-served-user'));
    world.core.send(looped.copy(), { to: world.pf.address });
    world.settle();
    expect(world.core.inbox.map((message) => message.kind === 'response' && message.status)).toEqual([482]);
    const spiral = new World();
    send(spiral, 'orig');
    spiral.settle();
    const onward = incoming(spiral.core);
    onward.remove('route');
    onward.headers.push(headerField('P-Served-User', '<sip:bob@home.example>;sescase=term'));
    spiral.core.send(onward.copy(), { to: spiral.pf.address });
    spiral.settle();
    expect(waitingAt(spiral.core)).toBe(1);
  });

  it('where it can not be sent anywhere, its sender has a 503 at once', () => {
    const world = new World({ core: null });
    const sent = send(world, 'orig');
    world.settle();
    expect(sent.answers).toEqual([503]);
    expect(leftovers(world)).toEqual([]);
  });

  it('nobody believes what an untrusted peer asserts, and it does not go on', () => {
    const world = new World({ trusts: () => false });
    send(world, 'term');
    world.settle();
    expect(incoming(world.core).has('p-asserted-identity')).toBe(false);
  });
});

describe('requests of other services', () => {
  it.each([
    [
      'no CPM service',
      [
        ['P-Asserted-Service', null],
        ['Accept-Contact', null],
      ],
    ],
    ['another CPM service', [['P-Asserted-Service', `${MSG.replace('.msg', '.largemsg')}`]]],
  ] as [string, [string, string | null][]][])('MESSAGE of %s gets 405 with Allow, as before', (_which, headers) => {
    const world = new World();
    const sent = send(world, 'term', { headers });
    world.settle();
    expect(sent.answers).toEqual([405]);
    expect(sent.responses[0]?.has('allow')).toBe(true);
    expect(waitingAt(world.core)).toBe(0);
  });
});

interface Refusal {
  readonly role: Role;
  readonly world?: WorldOptions;
  readonly profile?: Partial<Profile>;
  readonly message?: MessageOptions;
  readonly status: number;
  readonly warning?: string;
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'nobody vouches for the originator': {
    role: 'orig',
    message: { headers: [['P-Asserted-Identity', null]] },
    status: 403,
    warning: '127 Service not authorised',
  },
  'the service is not among the user’s': {
    role: 'orig',
    profile: { services: ['session'] },
    status: 403,
    warning: '127 Service not authorised',
  },
  'no such user': { role: 'term', profile: { known: false }, status: 404 },
  'the client is too old': {
    role: 'orig',
    world: { policy: { requiredUserAgent: { min: '2.1', max: '2.2', onMissing: 'refuse' } } },
    status: 403,
    warning: '132 Version not supported',
  },
  'anonymity is not allowed': {
    role: 'term',
    world: { policy: { allowAnonymity: false } },
    message: { headers: [['Privacy', 'id']] },
    status: 403,
    warning: '119 Anonymity not allowed',
  },
  'the originator is in the blacklist': {
    role: 'term',
    profile: { blacklisted: true },
    status: 403,
    warning: '122 Function not allowed',
  },
  'the user does not want to be disturbed': { role: 'term', profile: { doNotDisturb: true }, status: 480 },
  'no client is registered, and policy rejects': { role: 'term', profile: { clients: [] }, status: 480 },
  'clients are registered, none for messages': {
    role: 'term',
    profile: { clients: [{ ...CLIENT, services: ['session'] }] },
    status: 480,
  },
  'the scheme leads nowhere': { role: 'orig', message: { uri: 'mailto:carol@mail.example' }, status: 416 },
  'an extension a proxy has to know': {
    role: 'orig',
    message: { headers: [['Proxy-Require', 'magic']] },
    status: 420,
  },
  'the body is above the limit': { role: 'orig', message: { text: 'x'.repeat(1300) }, status: 413 },
};

describe('refusals', () => {
  it.each(Object.entries(REFUSALS))('%s', (_why, { role, world: options, profile, message, status, warning }) => {
    const world = new World({ ...options, profile: { ...profile } });
    const sent = send(world, role, message);
    world.settle();
    expect(sent.answers).toEqual([status]);
    const answer = sent.responses[0];
    expect(answer?.header('warning')).toBe(warning === undefined ? undefined : `399 10.0.0.10 "${warning}"`);
    expect(answer?.header('server')).toMatch(/^CPM-serv/);
    if (status === 420) expect(answer?.header('unsupported')).toBe('magic');
    expect(waitingAt(world.core)).toBe(0);
    expect(world.pf.disk.commits).toBe(0);
    expect(leftovers(world)).toEqual([]);
  });

  it('the limit on size is configured, and is that of the body alone', () => {
    const text = 'x'.repeat(1300 - cpim({ text: '', from: '<sip:alice@home.example>' }).length);
    const world = new World();
    const fits = send(world, 'orig', { text, headers: [['X-Long', 'y'.repeat(500)]] });
    const larger = send(world, 'orig', { text: `${text}x` });
    const wide = new World({ policy: { messages: { ...world.pf.policy.messages, maxBytes: 4000 } } });
    const taken = send(wide, 'orig', { text: 'x'.repeat(3000) });
    world.settle();
    wide.settle();
    expect([fits.answers, larger.answers, taken.answers]).toEqual([[], [413], []]);
    expect(waitingAt(wide.core)).toBe(1);
  });

  it('a function that has too much to do takes no more, and says when to come again', () => {
    const world = new World({ overload: () => 7 });
    const sent = send(world, 'orig');
    world.settle();
    expect(sent.answers).toEqual([503]);
    expect(sent.responses[0]?.header('retry-after')).toBe('7');
  });

  it('a function that shuts down takes no more', () => {
    const world = new World();
    world.pf.engine.refusing = true;
    const sent = send(world, 'orig');
    world.settle();
    expect(sent.answers).toEqual([503]);
    expect(sent.responses[0]?.header('retry-after')).toBe('10');
  });
});

describe('preferences', () => {
  it('that come late are waited for; that do not come at all cost the deadline, and defaults hold', () => {
    let tell: ((profile: Profile) => void) | undefined;
    const world = new World({
      profile: (_query, done) => {
        tell = done;
      },
    });
    const first = send(world, 'term', { id: 'first' });
    world.advance(100);
    expect(waitingAt(world.core)).toBe(0);
    tell?.({ ...DEFAULT_PROFILE, blacklisted: true });
    world.settle();
    expect(first.answers).toEqual([403]);
    const second = send(world, 'term', { id: 'second' });
    world.advance(450);
    expect(second.answers).toEqual([]);
    world.advance(100);
    // What was known of this pair before still counts.
    expect(second.answers).toEqual([403]);
    const other = send(world, 'orig', { id: 'third' });
    world.advance(600);
    expect(textOf(incoming(world.core))).toBe(textOf(other.request));
  });
});

describe('interworking', () => {
  function answered(world: World, sent: Sent, status = 200): void {
    respond(world.isf, incoming(world.isf), status);
    world.settle();
    expect(sent.answers).toEqual([status]);
    expect(waitingAt(world.core)).toBe(0);
    world.isf.inbox.length = 0;
    expect(leftovers(world)).toEqual([]);
  }

  it('orig: a destination that is neither sip, sips nor tel goes to the ISF', () => {
    const world = new World({ isf: [ISF] });
    const sent = send(world, 'orig', { uri: 'mailto:carol@mail.example' });
    world.settle();
    answered(world, sent);
    expect(world.pf.engine.messages.counters.byOutcome).toEqual({ interworked: 1 });
  });

  it('term: so does one for a user without a client, where policy says so', () => {
    const world = new World({ isf: [ISF], profile: { clients: [] } });
    const sent = send(world, 'term');
    world.settle();
    answered(world, sent);
  });

  it.each([
    ['orig', 404],
    ['term', 480],
    ['term', 503],
  ] as const)('%s: after %d, once; what the ISF says is final', (role, status) => {
    for (const final of [202, 404]) {
      const world = new World({ isf: [ISF] });
      const sent = send(world, role);
      world.settle();
      respond(world.core, incoming(world.core), status);
      world.settle();
      expect(sent.answers).toEqual([]);
      answered(world, sent, final);
    }
  });

  it.each([
    ['a decline is the user’s own', 'term', 603, {}, {}],
    ['a 6xx is no matter for a proxy', 'orig', 606, {}, {}],
    ['a status policy does not name', 'orig', 402, {}, {}],
    ['the user does not want it', 'orig', 404, { interworking: false }, {}],
  ] as const)('not where %s', (_why, role, status, profile, policy) => {
    const world = new World({ isf: [ISF], profile, policy });
    const sent = send(world, role);
    world.settle();
    respond(world.core, incoming(world.core), status);
    world.settle();
    expect(sent.answers).toEqual([status]);
    expect(waitingAt(world.isf)).toBe(0);
  });

  it('what the ISF is asked is not kept, however long it thinks, even where policy keeps what clients leave', () => {
    const world = new World({ isf: [ISF], policy: { noClient: 'defer' } });
    const sent = send(world, 'term');
    world.settle();
    respond(world.core, incoming(world.core), 404);
    world.advance(12_000);
    expect(sent.answers).toEqual([]);
    answered(world, sent);
    expect(world.pf.engine.messages.counters).toMatchObject({ deferred: 0, byOutcome: { interworked: 1 } });
  });

  it('not after silence: the sender has given up by then, and would send it again', () => {
    const world = new World({ isf: [ISF] });
    send(world, 'term');
    world.advance(40_000);
    expect(waitingAt(world.isf)).toBe(0);
    expect(leftovers(world)).toEqual([]);
  });
});
