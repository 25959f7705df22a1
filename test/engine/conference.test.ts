/** Who is in a conference, by the documents of its focus (RFC 4575): whole states, changes, and what is no such thing. */
import { describe, expect, it } from '@jest/globals';
import { type Conference, conferenceAfter } from '../../src/engine/conference.ts';
import { type Dossier, dossierState, restoredDossier } from '../../src/engine/dossier.ts';
import { conferenceInfo, endpoint, user } from '../support/conference-info.ts';

const told = (known: Conference | null, document: string) => conferenceAfter(known, Buffer.from(document));
const names = (conference: Conference | null) => conference?.users.map(({ entity }) => entity);

const CAROL = 'sip:carol@elsewhere.example';
const DAVE = 'sip:dave@elsewhere.example';

describe('documents one after the other', () => {
  it('RFC 4575 4.4: a whole state replaces, a change adds and takes away', () => {
    const first = told(null, conferenceInfo(1, 'full', user(CAROL, 'Carol') + user(DAVE, 'Dave')));
    expect(first).toMatchObject({ version: 1, whole: true, gone: [] });
    const second = told(first, conferenceInfo(2, 'partial', user('sip:erin@x.example', 'Erin'), 'partial'));
    expect(names(second)).toEqual([CAROL, DAVE, 'sip:erin@x.example']);
    const third = told(second, conferenceInfo(3, 'partial', user(CAROL, '', '', 'deleted'), 'partial'));
    expect([names(third), third?.gone]).toEqual([[DAVE, 'sip:erin@x.example'], [CAROL]]);
    const fourth = told(third, conferenceInfo(4, 'full', user(CAROL, 'Carol')));
    expect([names(fourth), fourth?.gone]).toEqual([[CAROL], [DAVE, 'sip:erin@x.example']]);
  });

  it('a change that is older than what is known changes nothing; a whole state may begin a count anew', () => {
    const known = told(null, conferenceInfo(7, 'full', user(CAROL, 'Carol')));
    expect(told(known, conferenceInfo(7, 'partial', user(DAVE, 'Dave'), 'partial'))).toBe(known);
    expect(names(told(known, conferenceInfo(0, 'full', user(DAVE, 'Dave'))))).toEqual([DAVE]);
  });

  it('RFC 4575 5.7: one leaves with the last endpoint; one that is only being called is not there', () => {
    const two = endpoint('sip:c@1') + endpoint('sip:c@2');
    const known = told(null, conferenceInfo(1, 'full', user(CAROL, 'Carol', two)));
    const gone = (at: string) => user(CAROL, '', endpoint(at, 'disconnected', 'partial'), 'partial');
    const one = told(known, conferenceInfo(2, 'partial', gone('sip:c@1'), 'partial'));
    expect(one?.users).toEqual([{ entity: CAROL, name: 'Carol', endpoints: ['sip:c@2'] }]);
    expect(told(one, conferenceInfo(3, 'partial', gone('sip:c@2'), 'partial'))).toMatchObject({
      users: [],
      gone: [CAROL],
    });
    const called = user(DAVE, 'Dave', endpoint('sip:d@1', 'alerting'));
    expect(names(told(null, conferenceInfo(1, 'full', called)))).toEqual([]);
  });

  it('a document without users, and the end of the conference, leave them as they were', () => {
    const known = told(null, conferenceInfo(1, 'full', user(CAROL, 'Carol')));
    const silent = '<conference-info entity="sip:x" version="2" state="partial"><conference-state/></conference-info>';
    expect(told(known, silent)).toEqual({ ...known, version: 2 });
    expect(told(known, conferenceInfo(3, 'deleted', ''))).toEqual({ ...known, version: 3 });
    expect(told(null, silent)).toBeNull();
  });
});

describe('hostile documents', () => {
  it.each([
    ['entities', '<!DOCTYPE x [<!ENTITY a "aaaa">]><conference-info version="1">&a;</conference-info>'],
    ['no XML', '{"users": []}'],
    ['half of one', conferenceInfo(1, 'full', user(CAROL, 'Carol')).slice(0, 120)],
    ['another document', '<reginfo version="1" state="full"/>'],
    ['no version', '<conference-info state="full"><users/></conference-info>'],
    ['a version that is no number', '<conference-info version="1e999" state="full"><users/></conference-info>'],
    ['a negative version', '<conference-info version="-1" state="full"><users/></conference-info>'],
    [
      'more levels than anybody needs',
      `<conference-info version="1">${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}</conference-info>`,
    ],
    ['megabytes', conferenceInfo(1, 'full', `<!--${'x'.repeat(600_000)}-->`)],
  ])('%s is refused', (_, document) => {
    expect(() => told(null, document)).toThrow();
  });

  it('bytes that are no UTF-8 are refused', () => {
    expect(() => conferenceAfter(null, Buffer.from([0x3c, 0xff, 0xfe, 0x3e]))).toThrow();
  });

  it('what is kept of one is bounded: users, endpoints, letters, and those who have left', () => {
    const many = (from: number) =>
      Array.from({ length: 1500 }, (_, at) => `<user entity="sip:u${from + at}@x.example"/>`).join('');
    let known = told(null, conferenceInfo(1, 'full', many(0)));
    known = told(known, conferenceInfo(2, 'full', many(2000)));
    known = told(known, conferenceInfo(3, 'full', many(4000)));
    expect([known?.users.length, known?.gone.length]).toEqual([1000, 1000]);
    const endpoints = Array.from({ length: 100 }, (_, at) => endpoint(`sip:c@${at}`)).join('');
    const [long] = told(null, conferenceInfo(1, 'full', user(CAROL, 'x'.repeat(10_000), endpoints)))?.users ?? [];
    expect([long?.name.length, long?.endpoints?.length]).toEqual([512, 16]);
  });
});

it('who is there is stored with the session, and known again after a restart', () => {
  const conference = told(null, conferenceInfo(1, 'full', user(CAROL, 'Carol')));
  const dossier = {
    papers: { farContact: null },
    books: {},
    messages: new Map(),
    spoke: null,
    invite: null,
    conference,
  };
  const state = JSON.parse(JSON.stringify(dossierState(dossier as unknown as Dossier, true)));
  const origin = { value: { papers: {} }, texts: [''] } as unknown as Parameters<typeof restoredDossier>[0];
  expect(restoredDossier(origin, state).conference).toEqual(conference);
});
