/** From captures to sessions, ladders and verdicts: real captures, and whatever the virtual world can play. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type AnalysedSession, type Analysis, analysed } from '../../src/capture/analysis.ts';
import { sequenceOf } from '../../src/capture/drawing.ts';
import { hearingOf } from '../../src/capture/read.ts';
import type { Judgement } from '../../src/capture/verdicts.ts';
import { type Passage, World } from '../../src/testing/index.ts';
import { Spiral } from '../races/spiral.ts';
import { establish, establishInterworked, establishTwoIwfs, ISF } from '../support/session.ts';
import { framesOf, options, pcap } from './builders.ts';

const FOUND = { nodes: [], iwfs: [] };

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

function analysisOf(file: Uint8Array, named: { nodes?: string[]; iwfs?: string[] } = {}): Analysis {
  return analysed(hearingOf([file]), { ...FOUND, ...named });
}

/** Legs, directions and labels in order: `a> INVITE` came in on leg a. */
function ladderOf({ entries }: AnalysedSession): string[] {
  return entries.map(({ leg, direction, label }) => `${leg}${direction === 'in' ? '>' : '<'} ${label}`);
}

function verdict({ verdicts }: AnalysedSession, invariant: number): Judgement | undefined {
  return verdicts.find((each) => each.invariant === invariant)?.verdict;
}

const said = ({ verdicts }: AnalysedSession, invariant: number): string =>
  verdicts.find((each) => each.invariant === invariant)?.what.join('; ') ?? '';

/** Invariants that do not hold. */
const troubled = ({ verdicts }: AnalysedSession): number[] =>
  verdicts.filter(({ verdict }) => verdict === 'broken' || verdict === 'open').map(({ invariant }) => invariant);

describe('a real capture', () => {
  it('of the demonstration over TCP has a session at each of two functions, with the messages of the chat', () => {
    const { nodes, sessions, notes } = analysisOf(fixture('demo.pcap'));
    expect(nodes.map(({ how }) => how)).toEqual(['sends invitations anew', 'sends invitations anew']);
    expect(notes).toEqual([]);
    expect(sessions.map(({ session }) => session.mode)).toEqual(['b2bua', 'b2bua']);
    const [originating, terminating] = sessions as [AnalysedSession, AnalysedSession];
    const sip = ladderOf(originating).filter((line) => !/SEND|MSRP|100 /.test(line));
    expect(sip).toEqual([
      'a> INVITE',
      'b< INVITE',
      'b> 180 Ringing',
      'a< 180 Ringing',
      'b> 200 OK',
      'a< 200 OK',
      'a> ACK',
      'b< ACK',
      'b> BYE',
      'a< BYE',
      'a> 200 OK (BYE)',
      'b< 200 OK (BYE)',
    ]);
    // Each message of the chat comes in on one leg and leaves on the other, the photo in several chunks.
    const chat = ladderOf(terminating).filter((line) => /message\/cpim/.test(line));
    expect(chat.filter((line) => line.startsWith('a> '))).toHaveLength(4 - 1);
    expect(chat.filter((line) => line.startsWith('b< '))).toHaveLength(4 - 1);
    expect(chat.filter((line) => /SEND message\/cpim 5\d{3} B in \d/.test(line)).length).toBeGreaterThanOrEqual(1);
    expect(sessions.flatMap(troubled)).toEqual([]);
    // The second function was invited by the first.
    expect(terminating.session.leg('a')?.peer).toBe(originating.session.node);
  });

  it('of two UDP phones at all interfaces has each message once', () => {
    const { nodes, sessions } = analysisOf(fixture('two-udp-phones.pcapng'));
    expect(nodes).toEqual([{ address: '127.0.0.1:5060', how: 'sends invitations anew', sessions: 1 }]);
    const [only] = sessions as [AnalysedSession];
    expect(ladderOf(only)).toEqual([
      'a> INVITE',
      'b< INVITE',
      'b> 180 Ringing',
      'a< 180 Ringing',
      'b> 200 OK',
      'a< 200 OK',
      'a> ACK',
      'b< ACK',
      'a> BYE',
      'b< BYE',
      'b> 200 OK (BYE)',
      'a< 200 OK (BYE)',
    ]);
    expect(troubled(only)).toEqual([]);
    expect(only.verdicts.filter(({ verdict }) => verdict === 'not judged').map(({ invariant }) => invariant)).toEqual([
      2, 7, 8, 9, 10, 11, 14,
    ]);
    expect(only.verdicts.filter(({ verdict, limits }) => verdict === 'not judged' && limits === null)).toEqual([]);
  });

  it('is judged otherwise once a BYE is cut out of it', () => {
    const hearing = hearingOf([fixture('two-udp-phones.pcapng')]);
    const isBye = (each: (typeof hearing.heard)[number]): boolean =>
      each.kind === 'sip' && each.message.kind === 'request' && each.message.method === 'BYE';
    const [, farBye] = hearing.heard.filter(isBye);
    const [cut] = analysed({ ...hearing, heard: hearing.heard.filter((each) => each !== farBye) }, FOUND).sessions as [
      AnalysedSession,
    ];
    expect(troubled(cut)).toEqual([1]);
    expect(verdict(cut, 1)).toBe('broken');
    expect(said(cut, 1)).toMatch(/^leg \S+\.b \(\S+\) was confirmed and never ended$/);
    // With no BYE at all, it stands: nobody can say yet.
    const [standing] = analysed({ ...hearing, heard: hearing.heard.slice(0, -4) }, FOUND).sessions as [AnalysedSession];
    expect(troubled(standing)).toEqual([1]);
    expect(verdict(standing, 1)).toBe('open');
    expect(said(standing, 1)).toBe('the session still stands when the capture ends');
    // With a BYE of which the answer has not come, too.
    const [ending] = analysed({ ...hearing, heard: hearing.heard.slice(0, -2) }, FOUND).sessions as [AnalysedSession];
    expect(troubled(ending)).toEqual([3]);
    expect(verdict(ending, 3)).toBe('open');
    expect(said(ending, 3)).toMatch(/has no answer yet when the capture ends/);
  });

  it('is drawn with everybody who takes part, from left to right', () => {
    const { sessions, parties } = analysisOf(fixture('demo.pcap'));
    const { parties: drawn, rows } = sequenceOf(
      'demo',
      sessions.map(({ session }) => session),
      parties,
    );
    const [one, other] = sessions.map(({ session }) => session);
    expect(drawn).toEqual([one?.leg('a')?.peer, one?.node, other?.node, other?.leg('b')?.peer]);
    const invites = rows.filter((row) => row.kind === 'message' && row.label === 'INVITE');
    expect(invites).toHaveLength(3);
    expect(rows.filter((row) => row.kind === 'message' && row.details.includes('Message-UID: 1')).length).toBe(2);
  });
});

/** A scene of the virtual world as a capture beside the function. */
function captured(play: (world: World) => void, options: ConstructorParameters<typeof World>[0] = {}): Passage[] {
  const world = new World({ policy: { mediaPath: 'always' }, ...options });
  play(world);
  return world.network.transcript;
}

function hangUp(world: World, { near, far }: ReturnType<typeof establish>): void {
  near.request('BYE');
  world.settle();
  far.respond(200, { to: far.expect('BYE') });
  world.settle();
  world.advance(70_000);
}

const fileOf = (passages: readonly Passage[]): Buffer => pcap(framesOf(passages));
const firstOf = (file: Buffer, named: { nodes?: string[]; iwfs?: string[] } = {}): AnalysedSession =>
  analysisOf(file, named).sessions[0] as AnalysedSession;
const starts = (passages: readonly Passage[], line: string): Passage[] =>
  passages.filter(({ message }) => message.startsWith(line));

describe('a session of the virtual world', () => {
  it.each(['orig', 'term'] as const)('as B2BUA, %s, holds what can be judged; with a fault it does not', (role) => {
    const passages = captured((world) => hangUp(world, establish(world, role)));
    const good = firstOf(fileOf(passages));
    expect(good.session.mode).toBe('b2bua');
    expect(troubled(good)).toEqual([]);
    // The function's own BYE, and its answer to the other.
    const [, bye] = starts(passages, 'BYE ');
    const withoutBye = firstOf(fileOf(passages.filter((each) => each.message !== bye?.message)));
    expect(verdict(withoutBye, 1)).toBe('broken');
    const answer = passages.findLast(({ message }) => /^SIP\/2.0 200 [\s\S]*CSeq: \d+ BYE/i.test(message)) as Passage;
    // Something is said much later, so that the capture can't just have ended too soon.
    const ping = { ...answer, at: answer.at + 60_000, message: options(1) };
    const withoutAnswer = firstOf(fileOf([...passages.filter((each) => each.message !== answer.message), ping]));
    expect(verdict(withoutAnswer, 3)).toBe('broken');
    const otherwise = { ...answer, at: answer.at + 50, message: answer.message.replace('200 OK', '500 No') };
    expect(verdict(firstOf(fileOf([...passages, otherwise])), 3)).toBe('broken');
    const late = { ...answer, at: answer.at + 9000 };
    const waited = passages.map((each) => (each.message === answer.message ? late : each));
    expect(verdict(firstOf(fileOf(waited.sort((one, other) => one.at - other.at))), 13)).toBe('broken');
  });

  it('in proxy mode is one dialog with two sides, and a request of the proxy itself is found', () => {
    const passages = captured((world) => hangUp(world, establish(world, 'orig')), { policy: { mediaPath: 'never' } });
    const { nodes, sessions } = analysisOf(fileOf(passages));
    expect(nodes.map(({ how }) => how)).toContain('passes invitations on');
    const good = sessions[0] as AnalysedSession;
    expect(good.session.mode).toBe('proxy');
    expect(troubled(good)).toEqual([]);
    expect(ladderOf(good).filter((line) => !line.includes('100'))).toEqual([
      'a> INVITE',
      'b< INVITE',
      'b> 200 OK',
      'a< 200 OK',
      'a> ACK',
      'b< ACK',
      'a> BYE',
      'b< BYE',
      'b> 200 OK (BYE)',
      'a< 200 OK (BYE)',
    ]);
    const [bye] = starts(passages, 'BYE ');
    const originated = firstOf(fileOf(passages.filter((each) => each !== bye)));
    expect(verdict(originated, 5)).toBe('broken');
  });

  it('with an IWF is judged by invariant 11 once the ISF is named', () => {
    const passages = captured((world) => hangUp(world, establishInterworked(world, 'orig')), { isf: [ISF] });
    expect(verdict(firstOf(fileOf(passages)), 11)).toBe('not judged');
    expect(verdict(firstOf(fileOf(passages), { iwfs: [ISF] }), 11)).toBe('holds');
    const [, bye] = starts(passages, 'BYE ');
    const kept = firstOf(fileOf(passages.filter((each) => each.message !== bye?.message)), { iwfs: [ISF] });
    expect(verdict(kept, 11)).toBe('broken');
  });

  it('with two IWFs has a leg for each', () => {
    const passages = captured(
      (world) => {
        const { near, first, second } = establishTwoIwfs(world, 'orig');
        near.request('BYE');
        world.settle();
        for (const far of [first, second]) far.respond(200, { to: far.expect('BYE') });
        world.advance(70_000);
      },
      { isf: [ISF] },
    );
    const only = firstOf(fileOf(passages), { iwfs: [ISF] });
    expect(only.session.legs.map(({ name }) => name)).toEqual(['a', 'b', 'b2']);
    expect(ladderOf(only).filter((line) => / BYE$/.test(line))).toEqual(['a> BYE', 'b< BYE', 'b2< BYE']);
    expect(troubled(only)).toEqual([]);
    expect(verdict(only, 11)).toBe('holds');
  });

  const MODES = ['b2bua', 'proxy'] as const;
  it.each(
    MODES.flatMap((one) =>
      MODES.flatMap((other) => (['caller', 'callee'] as const).map((who) => [one, other, who] as const)),
    ),
  )('that passes the function twice, as %s and as %s, is two; the %s hangs up', (one, other, who) => {
    const spiral = new Spiral({ modes: [one, other], coreStays: true });
    spiral.answered();
    const { near, far, world } = spiral;
    const [hangsUp, hears] = who === 'caller' ? [near, far] : [far, near];
    hangsUp.bye();
    world.settle();
    hears.respond(200, { to: hears.expect('BYE') });
    world.advance(70_000);
    const { sessions } = analysisOf(fileOf(world.network.transcript), { nodes: [world.pf.address] });
    expect(sessions.map(({ session }) => session.mode)).toEqual([one, other]);
    const byes = who === 'caller' ? ['a> BYE', 'b< BYE'] : ['b> BYE', 'a< BYE'];
    for (const each of sessions) expect(ladderOf(each).filter((line) => / BYE$/.test(line))).toEqual(byes);
    expect(sessions.flatMap(troubled)).toEqual([]);
  });

  it('is found without Contribution-ID, by who calls whom', () => {
    const passages = captured((world) => hangUp(world, establish(world, 'orig')));
    const without = passages.map((each) => ({
      ...each,
      message: each.message.replace(/Contribution-ID: [^\r]*\r\n/i, ''),
    }));
    const only = firstOf(fileOf(without));
    expect(only.session.legs.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(troubled(only)).toEqual([]);
  });

  it('repeats what was said again in one line', () => {
    const passages = captured((world) => hangUp(world, establish(world, 'orig')));
    const [invite] = passages as [Passage];
    const again = { ...invite, at: invite.at + 0.5 * 1000 };
    const all = [...passages, again].sort((one, other) => one.at - other.at);
    expect(ladderOf(firstOf(fileOf(all)))[0]).toBe('a> INVITE x2');
  });

  it('among fifty others at once keeps its messages to itself', () => {
    const passages = captured((world) => {
      const many = Array.from({ length: 50 }, () => establish(world, 'orig'));
      for (const each of many) each.near.request('BYE');
      world.settle();
      for (const { far } of many) far.respond(200, { to: far.expect('BYE') });
      world.advance(70_000);
    });
    const { sessions } = analysisOf(fileOf(passages));
    expect(sessions).toHaveLength(50);
    const ladders = new Set(sessions.map((each) => ladderOf(each).join('\n')));
    expect(ladders.size).toBe(1);
    expect(sessions.flatMap(troubled)).toEqual([]);
  });
});

describe('a capture in which no function can be found', () => {
  it('says who speaks, and one that is named must be among them', () => {
    const passages = captured((world) => hangUp(world, establish(world, 'orig')));
    const half = passages.filter(({ from, to }) => from !== '10.0.0.20:5060' && to !== '10.0.0.20:5060');
    expect(() => analysisOf(fileOf(half))).toThrow(
      /name the function with --node, of these: 10\.0\.1\.3:5060, 10\.0\.0\.10:5060/,
    );
    expect(() => analysisOf(fileOf(passages), { nodes: ['10.9.9.9:5060'] })).toThrow(
      /nothing is said to or by 10\.9\.9\.9:5060/,
    );
    expect(() => analysisOf(pcap([]))).toThrow('no SIP message is in it');
    expect(firstOf(fileOf(half), { nodes: ['10.0.0.10:5060'] }).session.legs.map(({ name }) => name)).toEqual(['a']);
  });
});
