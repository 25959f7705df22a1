/**
 * RFC 4475 section 3, message by message: what an element must or should do, and what this stack does where the RFC
 * leaves the choice. The stack is an intermediate node: it decides nothing about services, so whatever is well formed
 * and not addressed to a dialog goes up as an event.
 */
import type { AddressView, View } from './view.ts';

/** Values that must have been read; what is not named is not looked at. */
export type Reads = { readonly [Key in keyof View]?: unknown };

export type Outcome =
  /** Handed up: an INVITE as `invite`, any other request outside a dialog as `outside`. */
  | { readonly kind: 'accepted'; readonly event: 'invite' | 'outside'; readonly reads: Reads }
  /** Well formed, and answered by the stack itself within a transaction. */
  | { readonly kind: 'answered'; readonly status: number; readonly reads: Reads }
  /** Answered without a transaction, since the message can't be trusted. */
  | { readonly kind: 'refused'; readonly status: number }
  /** A response that can be used, were it for us: its Via is another element's, so the stack lets it fall. */
  | { readonly kind: 'readable'; readonly reads: Reads }
  /** A response nobody may use. */
  | { readonly kind: 'unusable' };

export interface Case {
  readonly file: string;
  /** Of RFC 4475. */
  readonly section: string;
  readonly about: string;
  readonly outcome: Outcome;
  /** Why this outcome, where the RFC leaves a choice. */
  readonly why?: string;
}

const accepted = (event: 'invite' | 'outside', reads: Reads): Outcome => ({ kind: 'accepted', event, reads });
const refused = (status: number): Outcome => ({ kind: 'refused', status });
const plain = (uri: string, params = ''): AddressView => ({ display: undefined, uri, params });

/** 3.1.1: valid messages that strain a parser. */
const VALID: readonly Case[] = [
  {
    file: 'wsinv',
    section: '3.1.1.1',
    about: 'a short tortuous INVITE: folds, odd case, compact forms, white space wherever the grammar has it',
    why: 'Its To tag names no dialog of ours: 481 (RFC 3261 12.2.2). What it says is read as the RFC lists it.',
    outcome: {
      kind: 'answered',
      status: 481,
      reads: {
        method: 'INVITE',
        uri: 'sip:vivekg@chair-dnrc.example.com;unknownparam',
        to: plain('sip:vivekg@chair-dnrc.example.com', ';   tag    = 1918181833n'),
        from: { display: 'J Rosenberg \\"', uri: 'sip:jdrosen@example.com', params: '; tag = 98asjd8' },
        cseq: '9 INVITE',
        via: 'UDP 192.0.2.2',
        branch: '390skdjuw',
        vias: 3,
        contacts: [
          {
            display: 'Quoted string ""',
            uri: 'sip:jdrosen@example.com',
            params: '; newparam = newvalue ; secondparam ; q = 0.33',
          },
        ],
        body: 150,
        headers: {
          'max-forwards': '0068',
          'call-id': 'wsinv.ndaksdj@192.0.2.1',
          'content-length': '150',
          subject: '',
          newfangledheader: 'newfangled value continued newfangled value',
          unknownheaderwithunusualvalue: ';;,,;;,;',
          'content-type': 'application/sdp',
          route: '<sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
          via:
            'SIP  /   2.0 /UDP 192.0.2.2;branch=390skdjuw | SIP  / 2.0  / TCP     spindle.example.com   ; ' +
            'branch  =   z9hG4bK9ikj8  , SIP  /    2.0   / UDP  192.168.255.111   ; branch= z9hG4bK30239',
        },
      },
    },
  },
  {
    file: 'intmeth',
    section: '3.1.1.2',
    about: 'the wide range of valid characters, NUL in a quoted pair among them',
    why: 'Well formed, and of a method nobody knows: 501 with Allow (RFC 3261 8.2.1).',
    outcome: {
      kind: 'answered',
      status: 501,
      reads: {
        method: "!interesting-Method0123456789_*+`.%indeed'~",
        user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
        password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
        host: 'example.com',
        to: {
          display: 'BEL:\u0007 NUL:\u0000 DEL:\u007f',
          uri: "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com",
          params: '',
        },
        from: {
          display: "token1~` token2'+_ token3*%!.-",
          uri: 'sip:mundane@example.com',
          params: ";fromParam''~+*_!.-%=\"работающий\";tag=_token~1'+`*%!-.",
        },
        callId: 'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
        cseq: "139122385 !interesting-Method0123456789_*+`.%indeed'~",
        via: 'TCP host1.example.com',
        branch: "z9hG4bK-.!%66*_+`'~",
        headers: { 'max-forwards': '255', "extensionheader-!.%*+_`'~": '\ufeff大停電' },
      },
    },
  },
  {
    file: 'esc01',
    section: '3.1.1.3',
    about: 'escapes that hide characters of URI syntax stay escaped',
    outcome: accepted('invite', {
      uri: 'sip:sips%3Auser%40example.com@example.net',
      user: 'sips%3Auser%40example.com',
      host: 'example.net',
      to: plain('sip:%75se%72@example.com'),
      from: { display: undefined, uri: 'sip:I%20have%20spaces@example.net', params: ';tag=938' },
      contacts: [plain('sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31')],
      headers: { 'max-forwards': '87', 'content-type': 'application/sdp' },
      body: 150,
    }),
  },
  {
    file: 'escnull',
    section: '3.1.1.4',
    about: 'an escaped NUL is a character like any other: nothing ends at it',
    outcome: accepted('outside', {
      to: plain('sip:null-%00-null@example.com'),
      contacts: [plain('sip:%00@host5.example.com'), plain('sip:%00%00@host5.example.com')],
    }),
  },
  {
    file: 'esc02',
    section: '3.1.1.5',
    about: 'a percent sign outside a URI escapes nothing',
    why: 'RE%47IST%45R is not REGISTER but a method nobody knows.',
    outcome: {
      kind: 'answered',
      status: 501,
      reads: {
        method: 'RE%47IST%45R',
        to: { display: '%Z%45', uri: 'sip:resource@example.com', params: '' },
        branch: 'z9hG4bK209%fzsnel234',
        contacts: [plain('sip:alias1@host1.example.com'), plain('sip:alias3@host3.example.com')],
        headers: { 'c%6fntact': '<sip:alias2@host2.example.com>' },
      },
    },
  },
  {
    file: 'lwsdisp',
    section: '3.1.1.6',
    about: 'no white space between a display name and its angle bracket',
    outcome: accepted('outside', { from: { display: 'caller', uri: 'sip:caller@example.com', params: ';tag=323' } }),
  },
  {
    file: 'longreq',
    section: '3.1.1.7',
    about: 'long values in every header, 34 Vias',
    outcome: accepted('invite', { via: 'TCP sip33.example.com', branch: undefined, vias: 34, body: 150 }),
  },
  {
    file: 'dblreq',
    section: '3.1.1.8',
    about: 'a second request behind the first in one datagram is not looked at',
    outcome: accepted('outside', {
      method: 'REGISTER',
      callId: 'dblreq.0ha0isndaksdj99sdfafnl3lk233412',
      branch: 'z9hG4bKkdjuw23492',
      body: 0,
    }),
  },
  {
    file: 'semiuri',
    section: '3.1.1.9',
    about: 'a semicolon in the user part',
    outcome: accepted('outside', {
      user: 'user;par=u%40example.net',
      host: 'example.com',
      headers: {
        accept:
          'application/sdp, application/pkcs7-mime, multipart/mixed, multipart/signed, message/sip, message/sipfrag',
      },
    }),
  },
  {
    file: 'transports',
    section: '3.1.1.10',
    about: 'Vias of every transport, and of one nobody knows',
    outcome: accepted('outside', { via: 'UDP t1.example.com', branch: 'z9hG4bKkdjuw', vias: 5 }),
  },
  {
    file: 'mpart01',
    section: '3.1.1.11',
    about: 'a multipart body with binary parts',
    outcome: accepted('outside', {
      method: 'MESSAGE',
      body: 553,
      via: 'UDP 127.0.0.1:5070',
      headers: { 'content-type': 'multipart/mixed;boundary=7a9cbec02ceef655' },
    }),
  },
  {
    file: 'unreason',
    section: '3.1.1.12',
    about: 'a reason phrase in UTF-8',
    outcome: {
      kind: 'readable',
      reads: { status: 200, reason: '= 2**3 * 5**2 но сто девяносто девять - простое', body: 154 },
    },
  },
  {
    file: 'noreason',
    section: '3.1.1.13',
    about: 'an empty reason phrase',
    outcome: { kind: 'readable', reads: { status: 100, reason: '', cseq: '35 INVITE' } },
  },
];

/** 3.1.2: invalid messages. */
const INVALID: readonly Case[] = [
  { file: 'badinv01', section: '3.1.2.1', about: 'empty parameters in Via and Contact', outcome: refused(400) },
  { file: 'clerr', section: '3.1.2.2', about: 'Content-Length larger than the datagram', outcome: refused(400) },
  { file: 'ncl', section: '3.1.2.3', about: 'negative Content-Length', outcome: refused(400) },
  {
    file: 'scalar02',
    section: '3.1.2.4',
    about: 'a request with numbers too large: CSeq, Max-Forwards, Expires, expires of a Contact',
    outcome: refused(400),
  },
  { file: 'scalarlg', section: '3.1.2.5', about: 'a response with numbers too large', outcome: { kind: 'unusable' } },
  { file: 'quotbal', section: '3.1.2.6', about: 'a quote that is never closed, in To', outcome: refused(400) },
  {
    file: 'ltgtruri',
    section: '3.1.2.7',
    about: 'Request-URI in angle brackets',
    outcome: refused(400),
    why: 'An element may also repair it; refusing keeps two readers from reading it differently.',
  },
  {
    file: 'lwsruri',
    section: '3.1.2.8',
    about: 'white space inside the Request-URI',
    outcome: refused(400),
    why: 'An element may also repair it; the start line is where request smuggling begins.',
  },
  {
    file: 'lwsstart',
    section: '3.1.2.9',
    about: 'several spaces in the start line',
    outcome: refused(400),
    why: 'As lwsruri.',
  },
  {
    file: 'trws',
    section: '3.1.2.10',
    about: 'white space at the end of the start line',
    outcome: refused(400),
    why: 'As lwsruri.',
  },
  { file: 'escruri', section: '3.1.2.11', about: 'URI headers in the Request-URI', outcome: refused(400) },
  {
    file: 'baddate',
    section: '3.1.2.12',
    about: 'a Date in another time zone than GMT',
    outcome: accepted('invite', { headers: { date: 'Fri, 01 Jan 2010 16:00:00 EST' } }),
    why: 'Nothing here depends on Date, and the RFC lets an element ignore what it does not use.',
  },
  {
    file: 'regbadct',
    section: '3.1.2.13',
    about: 'a Contact without brackets whose URI has headers',
    outcome: refused(400),
  },
  {
    file: 'badaspec',
    section: '3.1.2.14',
    about: 'white space inside the angle brackets of To',
    outcome: refused(400),
    why: 'An element may also let it pass; what would be forwarded is not an address.',
  },
  {
    file: 'baddn',
    section: '3.1.2.15',
    about: 'a comma in an unquoted display name; the file also ends without the blank line',
    outcome: refused(400),
    why: 'A guess at the meaning would make two addresses of one.',
  },
  { file: 'badvers', section: '3.1.2.16', about: 'SIP/7.0, in the Via too', outcome: refused(505) },
  { file: 'mismatch01', section: '3.1.2.17', about: 'another method in CSeq', outcome: refused(400) },
  {
    file: 'mismatch02',
    section: '3.1.2.18',
    about: 'another method in CSeq, the request being of an unknown one',
    outcome: refused(400),
    why: 'The RFC allows 400 and 501; syntax is looked at first (RFC 3261 16.3).',
  },
  { file: 'bigcode', section: '3.1.2.19', about: 'a status code of ten digits', outcome: { kind: 'unusable' } },
];

/** 3.2 to 3.4: transaction layer, application layer, RFC 2543. */
const HIGHER: readonly Case[] = [
  {
    file: 'badbranch',
    section: '3.2.1',
    about: 'a branch that is the magic cookie and nothing else',
    outcome: accepted('outside', { branch: 'z9hG4bK' }),
    why: 'It identifies nothing, so the rules of RFC 2543 find the transaction (layer.test.ts).',
  },
  { file: 'insuf', section: '3.3.1', about: 'no From, To, Call-ID or Max-Forwards', outcome: refused(400) },
  {
    file: 'unkscm',
    section: '3.3.2',
    about: 'a Request-URI of a scheme nobody knows',
    outcome: accepted('outside', { uri: 'nobodyKnowsThisScheme:totallyopaquecontent' }),
    why: 'Whether a scheme can be routed is policy: interworking takes any. 416 is the session machine’s to give.',
  },
  {
    file: 'novelsc',
    section: '3.3.3',
    about: 'a Request-URI of a known scheme that is not for SIP',
    outcome: accepted('outside', { uri: 'soap.beep://192.0.2.103:3002' }),
    why: 'As unkscm.',
  },
  {
    file: 'unksm2',
    section: '3.3.4',
    about: 'unknown schemes in To, From and Contact',
    outcome: accepted('outside', {
      to: plain('isbn:2983792873'),
      from: { display: undefined, uri: 'http://www.example.com', params: ';tag=3234233' },
      contacts: [plain('name:John_Smith')],
    }),
    why: 'Syntactically valid; only a registrar would refuse it, and this is none.',
  },
  {
    file: 'bext01',
    section: '3.3.5',
    about: 'Require and Proxy-Require with tags nobody knows',
    outcome: accepted('outside', {
      headers: {
        require: 'nothingSupportsThis, nothingSupportsThisEither',
        'proxy-require': 'noProxiesSupportThis, norDoAnyProxiesSupportThis',
      },
    }),
    why: 'Which of the two counts depends on the mode, so 420 is given above the stack.',
  },
  {
    file: 'invut',
    section: '3.3.6',
    about: 'a body of an unknown type',
    outcome: accepted('invite', { headers: { 'content-type': 'application/unknownformat' }, body: 40 }),
    why: '415 is the far side’s to give: an intermediate node passes bodies on.',
  },
  {
    file: 'regaut01',
    section: '3.3.7',
    about: 'an Authorization of an unknown scheme',
    outcome: accepted('outside', { headers: { authorization: 'NoOneKnowsThisScheme opaque-data=here' } }),
    why: 'The stack authenticates nobody.',
  },
  {
    file: 'multi01',
    section: '3.3.8',
    about: 'several Call-IDs, CSeqs, Froms, Tos and Max-Forwards',
    outcome: refused(400),
  },
  { file: 'mcl01', section: '3.3.9', about: 'two Content-Lengths', outcome: refused(400) },
  {
    file: 'bcast',
    section: '3.3.10',
    about: 'a response whose second Via is the broadcast address',
    outcome: { kind: 'readable', reads: { status: 200, vias: 2, via: 'UDP 192.0.2.198' } },
    why: 'Its top Via is not ours, so nothing goes anywhere (RFC 3261 18.1.2).',
  },
  {
    file: 'zeromf',
    section: '3.3.11',
    about: 'Max-Forwards of zero on OPTIONS',
    outcome: accepted('outside', { headers: { 'max-forwards': '0' } }),
    why: 'RFC 3261 16.3 step 3 lets the element that an OPTIONS has reached answer it itself instead of with 483.',
  },
  {
    file: 'cparam01',
    section: '3.3.12',
    about: 'an unknown header parameter of Contact',
    outcome: accepted('outside', { contacts: [plain('sip:+19725552222@gw1.example.net', ';unknownparam')] }),
  },
  {
    file: 'cparam02',
    section: '3.3.13',
    about: 'an unknown URI parameter of Contact',
    outcome: accepted('outside', { contacts: [plain('sip:+19725552222@gw1.example.net;unknownparam')] }),
  },
  {
    file: 'regescrt',
    section: '3.3.14',
    about: 'a Contact whose URI has a Route header, in brackets',
    outcome: accepted('outside', { contacts: [plain('sip:user@example.com?Route=%3Csip:sip.example.com%3E')] }),
  },
  {
    file: 'sdp01',
    section: '3.3.15',
    about: 'an Accept that rules out every answer',
    outcome: accepted('invite', { headers: { accept: 'text/nobodyKnowsThis' }, body: 150 }),
    why: '406 is the far side’s to give.',
  },
  {
    file: 'inv2543',
    section: '3.4.1',
    about: 'an INVITE of RFC 2543: no branch, no From tag, no Contact, no Content-Length, no Max-Forwards',
    outcome: accepted('invite', {
      branch: undefined,
      from: { display: undefined, uri: 'sip:+13035551111@ift.client.example.net;user=phone', params: '' },
      to: plain('sip:+16505552222@ss1.example.net', ';user=phone'),
      contacts: [],
      body: 105,
      headers: { 'record-route': '<sip:UserB@example.com;maddr=ss1.example.com>' },
    }),
    why: 'Should be accepted by elements that keep compatibility; the rule of one Contact is RFC 3261’s.',
  },
];

export const CASES: readonly Case[] = [...VALID, ...INVALID, ...HIGHER];
