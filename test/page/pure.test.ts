/** The parts of the page that need no browser: addresses, rows in sight, comparison, pairs, the way along a session. */
import { describe, expect, it } from '@jest/globals';
import { compareMessages, marked } from '../../src/page/compare.ts';
import { count, duration, size } from '../../src/page/format.ts';
import { decisive, inviteText, sentMessage, withTrueLength } from '../../src/page/invitation.ts';
import { partnerOf } from '../../src/page/pairs.ts';
import { hashOf, routeOf } from '../../src/page/route.ts';
import { indented, kindOf, storedObject } from '../../src/page/stored.ts';
import { changesOf, ladderRows, legsOf, pathsOf, stepAt, travelled } from '../../src/page/timeline.ts';
import { pagesOf, rowsInSight } from '../../src/page/window.ts';

describe('addresses of views', () => {
  it('are read as they were written, whatever stands in them', () => {
    const route = { view: 'history' as const, path: ['sip:a/b?c=d&e@h', 'ü#1'], query: { at: '7', of: 'a=b&c' } };
    expect(routeOf(hashOf(route))).toEqual(route);
  });

  it('that name no view lead to the sessions, and one that is no encoding is taken as it is', () => {
    expect(routeOf('')).toEqual({ view: 'sessions', path: [], query: {} });
    expect(routeOf('#/nowhere/7')).toEqual({ view: 'sessions', path: [], query: {} });
    expect(routeOf('#/sessions/100%?at=%')).toEqual({ view: 'sessions', path: ['100%'], query: { at: '%' } });
  });

  it('leave out what is empty', () => {
    expect(hashOf({ view: 'sessions', query: { user: '', state: 'inviting' } })).toBe('#/sessions?state=inviting');
  });
});

describe('rows in sight', () => {
  it('are those between top and bottom and a few more, never outside the list', () => {
    expect(rowsInSight(3000, 600, 30, 10_000, 5)).toEqual({ from: 95, to: 125 });
    expect(rowsInSight(0, 600, 30, 10_000, 5)).toEqual({ from: 0, to: 25 });
    expect(rowsInSight(299_990, 600, 30, 10_000, 5)).toEqual({ from: 9994, to: 10_000 });
    expect(rowsInSight(900, 600, 30, 3, 5)).toEqual({ from: 3, to: 3 });
  });

  it('are fetched by pages, each that holds one of them', () => {
    expect(pagesOf({ from: 95, to: 125 }, 100)).toEqual([0, 1]);
    expect(pagesOf({ from: 100, to: 200 }, 100)).toEqual([1]);
    expect(pagesOf({ from: 3, to: 3 }, 100)).toEqual([]);
  });
});

describe('two messages side by side', () => {
  const received =
    'INVITE sip:b@h SIP/2.0\r\nVia: one\r\nVia: two\r\nFrom: <sip:a@h>;tag=1\r\nSubject: x\r\n\r\nv=0\r\nc=IN IP4 1.1.1.1\r\n';
  const sent =
    'INVITE sip:b@h SIP/2.0\r\nVia: three\r\nf: <sip:a@h>;tag=2\r\nServer: us\r\n\r\nv=0\r\nc=IN IP4 2.2.2.2\r\nt=0 0\r\n';

  it('have lines about the same in one row, and say what was changed, taken away and added', () => {
    expect(compareMessages(received, sent).map(({ kind, left, right }) => [kind, left, right])).toEqual([
      ['same', 'INVITE sip:b@h SIP/2.0', 'INVITE sip:b@h SIP/2.0'],
      ['changed', 'Via: one', 'Via: three'],
      ['removed', 'Via: two', null],
      ['changed', 'From: <sip:a@h>;tag=1', 'f: <sip:a@h>;tag=2'],
      ['added', null, 'Server: us'],
      ['removed', 'Subject: x', null],
      ['gap', '', ''],
      ['same', 'v=0', 'v=0'],
      ['changed', 'c=IN IP4 1.1.1.1', 'c=IN IP4 2.2.2.2'],
      ['added', null, 't=0 0'],
    ]);
  });

  it('show no change in a header that only stands elsewhere', () => {
    const one = 'X\r\nAllow: A\r\nSupported: timer\r\nTo: b';
    const other = 'X\r\nTo: b\r\nSupported: timer\r\nServer: us\r\nAllow: A';
    expect(compareMessages(one, other).map(({ kind, right }) => `${kind} ${right}`)).toEqual([
      'same X',
      'same Allow: A',
      'same Supported: timer',
      'added Server: us',
      'same To: b',
    ]);
  });

  it('are the same in every row where they are the same', () => {
    expect(compareMessages(received, received).every(({ kind }) => kind === 'same' || kind === 'gap')).toBe(true);
  });

  it('have what differs in a line marked by whole words, and together the parts are the line', () => {
    const parts = marked('From: <sip:a@h>;tag=abc', 'From: <sip:a@h>;tag=abd');
    expect(parts.filter(({ differs }) => differs)).toEqual([{ text: 'abc', differs: true }]);
    expect(parts.map(({ text }) => text).join('')).toBe('From: <sip:a@h>;tag=abc');
    expect(marked('same', 'same').find(({ differs }) => differs)?.text).toBe('');
  });
});

describe('the partner of a message', () => {
  const message = (n: number, leg: string, direction: 'in' | 'out', label: string, again: number | null = null) => ({
    n,
    leg,
    direction,
    label,
    again,
  });
  const messages = [
    message(0, 'a', 'in', 'INVITE'),
    message(1, 'a', 'out', '100 Trying'),
    message(2, 'b', 'out', 'INVITE'),
    message(3, 'b', 'out', 'INVITE', 2),
    message(4, 'b', 'in', '180 Ringing'),
    message(5, 'a', 'out', '180 Ringing'),
    message(6, 'b', 'in', '180 Ringing'),
  ];

  it('is the one it was made from, or that was made from it, on another leg', () => {
    expect(messages.map((each) => partnerOf(messages, each)?.n)).toEqual([2, undefined, 0, 0, 5, 4, undefined]);
  });
});

describe('the way along a session', () => {
  const step = (n: number, call: string, recording = 'off', transitions: string[] = []) => ({
    n,
    at: n,
    event: 'event',
    call,
    recording,
    transitions,
  });
  const steps = [
    step(1, 'inviting.ringing', 'off', ['call.inviting.authorising::9', 'call.inviting.choosingRoute::9']),
    step(4, 'inviting.ringing'),
    step(6, 'b2buaEstablished.steady', 'opening', ['call.inviting.ringing:answered:5']),
  ];

  it('has messages and steps in their order, and says of a step where it led only where that is elsewhere', () => {
    const rows = ladderRows(steps, [{ n: 0, at: 0, leg: 'a' }]);
    expect(rows.map((row) => (row.kind === 'step' ? [row.n, row.call, row.recording] : [row.n]))).toEqual([
      [0],
      [1, 'inviting.ringing', null],
      [4, null, null],
      [6, 'b2buaEstablished.steady', 'opening'],
    ]);
  });

  it('is at the last step up to a point, and has been where transitions started', () => {
    expect(stepAt(steps, 5)?.n).toBe(4);
    expect(stepAt(steps, 0)).toBeUndefined();
    const { states, transitions, latest } = travelled(steps, 5);
    expect([...states].sort()).toEqual([
      'call',
      'call.inviting',
      'call.inviting.authorising',
      'call.inviting.choosingRoute',
      'call.inviting.ringing',
      'recording',
      'recording.off',
    ]);
    expect(transitions.size).toBe(2);
    expect(latest.size).toBe(0);
  });

  it('names states as the chart does, and legs from the inviter on', () => {
    expect(pathsOf('closed', 'sealed')).toEqual(['call', 'call.closed', 'recording', 'recording.sealed']);
    expect(legsOf([{ n: 0, at: 0, leg: 'b10' }], ['b2', 'b', 'a'])).toEqual(['a', 'b', 'b2', 'b10']);
    expect(legsOf([], [])).toEqual(['a', 'b']);
  });

  it('says what a step changed in legs and deadlines', () => {
    const before = { legs: { a: { phase: 'inviting' } }, deadlines: { ringingOver: 5, refreshDue: 6 } };
    const after = {
      legs: { a: { phase: 'answered' }, b: { phase: 'inviting' } },
      deadlines: { refreshDue: 7, reofferDue: 1 },
    };
    expect(changesOf(before, after)).toEqual({
      legs: [
        ['a', 'inviting', 'answered'],
        ['b', null, 'inviting'],
      ],
      deadlines: [
        ['ringingOver', 'taken away'],
        ['refreshDue', 'moved'],
        ['reofferDue', 'set'],
      ],
    });
  });
});

describe('the lab', () => {
  it('makes the length of an edited body true again, and ends a head that nobody ended', () => {
    const text = withTrueLength('INVITE sip:b@h SIP/2.0\nContent-Length: 7\n\nä\nb');
    expect(text).toBe('INVITE sip:b@h SIP/2.0\nContent-Length: 5\n\nä\nb');
    expect(withTrueLength('INVITE sip:b@h SIP/2.0')).toBe('INVITE sip:b@h SIP/2.0\n\n');
  });

  it('begins with an INVITE whose length is true, on either side', () => {
    for (const side of ['orig', 'term'] as const) {
      const text = inviteText({ served: 'sip:s@h', other: 'sip:o@h', side, kind: 'group' });
      expect(withTrueLength(text)).toBe(text);
      expect(text).toContain(`P-Served-User: <sip:s@h>;sescase=${side}`);
      expect(text.startsWith(`INVITE sip:${side === 'orig' ? 'o' : 's'}@h`)).toBe(true);
    }
  });

  it('tells a message from the way it takes, and the answer that decided from those that came after', () => {
    expect(sentMessage('sent to <sip:core>\nINVITE x SIP/2.0')).toEqual({
      way: 'sent to <sip:core>',
      message: 'INVITE x SIP/2.0',
    });
    expect(sentMessage('SIP/2.0 403 Forbidden')).toEqual({ way: null, message: 'SIP/2.0 403 Forbidden' });
    const steps = [
      { guard: 'serviceNotAuthorised', holds: false },
      { guard: 'doNotDisturb', holds: true },
      { guard: 'everyLegClosed', holds: true },
    ];
    expect(decisive(steps)?.guard).toBe('doNotDisturb');
  });
});

describe('what is read', () => {
  it('a stored object: its folded headers, its body, its kind', () => {
    expect(storedObject('From: a\r\nSubject: one\r\n two\r\n\r\nbody\r\n\r\nmore')).toEqual({
      headers: [
        ['From', 'a'],
        ['Subject', 'one two'],
      ],
      body: 'body\n\nmore',
    });
    expect(kindOf('Application/X-CPM-Session')).toBe('Session Info');
    expect(kindOf('text/plain')).toBe('text/plain');
  });

  it('XML, an element on a line; what is none stays', () => {
    expect(indented('<?xml version="1.0"?><a><b>x</b><c/></a>')).toBe(
      '<?xml version="1.0"?>\n<a>\n  <b>x</b>\n  <c/>\n</a>',
    );
    expect(indented('plain <b>')).toBe('plain <b>');
  });

  it('times, sizes and numbers', () => {
    expect([350, 12_999, 185_000, 3_723_000, -2000].map(duration)).toEqual([
      '0.3 s',
      '12 s',
      '3:05',
      '1:02:03',
      '−2.0 s',
    ]);
    expect([512, 1400, 45_000, 12_000_000].map(size)).toEqual(['512 B', '1.4 kB', '45 kB', '12 MB']);
    expect([7, 1000, 10_000, 1_234_567].map(count)).toEqual(['7', '1\u2009000', '10\u2009000', '1\u2009234\u2009567']);
  });
});
