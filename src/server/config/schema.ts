/** The configuration file: every key, its form and its default. The JSON Schema is generated from here. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { NEVER_INTERWORKED, type Role } from '../../../machines/session/policy.ts';
import { DEFAULT_MSRP_LIMITS } from '../../msrp/limits.ts';
import { isSipUri, parseUri } from '../../sip/message/uri.ts';
import { isHostAndPort } from './host-port.ts';
import { withRules } from './policy-rules.ts';
import { preferences, secret } from './preferences.ts';

export const ms = z.number().int().positive();
const seconds = z.number().int().positive();

export const sipUri = z.string().refine((text) => {
  const uri = parseUri(text);
  return uri !== undefined && isSipUri(uri) && !/[\s<>"]/.test(text);
}, 'expected a SIP URI such as sip:127.0.0.1:5070;lr');
const status = z.number().int().min(400).max(699);
/** Statuses that policy may turn into interworking. */
const interworkable = (role: Role) =>
  z.array(
    status.refine(
      (code) => !NEVER_INTERWORKED[role].includes(code),
      'a refusal that is never interworked (A-21, A-44)',
    ),
  );

export const listenAddress = z.string().refine((text) => {
  const [, host = ''] = /^(?:udp|tcp|tls|ws|wss):(.+)$/.exec(text) ?? [];
  return isHostAndPort(host.replace(/^\*:/, '0.0.0.0:'));
}, 'expected transport:address:port, such as udp:127.0.0.1:5060 (transports: udp, tcp, tls, ws, wss)');

const sip = z.strictObject({
  listen: z
    .array(listenAddress)
    .min(1)
    .default(['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060'])
    .describe('Where SIP is heard; port 0 takes a free one'),
  advertise: z
    .string()
    .refine((text) => isHostAndPort(/:\d+$/.test(text) ? text : `${text}:0`), 'expected host or host:port')
    .optional()
    .describe('What goes into Via, Record-Route and Contact instead of the listening address'),
  core: sipUri.optional().describe('The SIP/IP core: next hop of all that does not go to the ISF'),
  trusted: z
    .array(z.string())
    .default(['127.0.0.0/8', '::1/128'])
    .describe('Networks whose P-Asserted-Identity, P-Served-User and Message-UID are believed'),
  warningAgent: z
    .string()
    .regex(/^\S+$/)
    .optional()
    .describe('Host in Warning headers (A-02); the advertised host if absent'),
  productTokens: z
    .string()
    .min(1)
    .default('CPM-serv/OMA2.0 cpm-engine/0.1')
    .describe('Our release in User-Agent and Server (A-07)'),
  contactKey: secret
    .optional()
    .describe('Key of the contact tokens, the same on all nodes (A-14); made and kept in data/contact.key if absent'),
  tls: z
    .strictObject({
      cert: z.string().describe('PEM file of the certificate chain'),
      key: z.string().describe('PEM file of the private key'),
      ca: z.string().optional().describe('PEM file of the authorities that peers are checked against'),
      requestCert: z.boolean().default(false).describe('Ask peers for a certificate'),
    })
    .optional(),
  maxMessageBytes: z.number().int().min(1300).default(1_114_111).describe('Largest message taken, head and body'),
  overload: z
    .strictObject({
      maxSessions: z
        .number()
        .int()
        .positive()
        .default(100_000)
        .describe('Sessions at a time; above it new ones get 503'),
      maxLagMs: ms.default(200).describe('Event-loop lag above which new sessions get 503'),
      retryAfter: seconds.default(5).describe('Retry-After of that 503'),
    })
    .prefault({}),
});

const deferred = z.strictObject({
  on: z
    .array(status.refine((code) => !NEVER_INTERWORKED.term.includes(code), 'a refusal of the user'))
    .default([408, 430, 480, 500, 503, 504])
    .describe('Refusals of registered clients after which a message is kept, and tried again later'),
  answerMs: ms.max(30_000).default(8000).describe('How long clients have to answer before a message is kept'),
  lifetimeSeconds: seconds.max(2_592_000).default(259_200).describe('Longest time a message is kept'),
  retry: z
    .strictObject({ firstMs: ms.default(60_000), longestMs: ms.default(3_600_000) })
    .prefault({})
    .describe('Pauses before a client that is registered is tried again'),
  perUser: z.int().positive().default(100).describe('Messages kept for one user; beyond, 480'),
  total: z.int().positive().default(10_000).describe('Messages kept over all'),
  atOnce: z.int().positive().default(100).describe('Messages delivered at a time'),
  notify: z
    .boolean()
    .default(true)
    .describe('Tell a sender who asked for it (negative-delivery) that a message was given up'),
});

const policy = z.strictObject({
  mediaPath: z
    .enum(['always', 'never', 'auto'])
    .default('auto')
    .describe('B2BUA always or never, or as the session needs it (A-06)'),
  allowAnonymity: z.boolean().default(true).describe('Sessions with hidden originators are taken (O-INV-3, T-INV-2)'),
  anonymityFromHeader: z
    .boolean()
    .default(false)
    .describe('An anonymous From counts as a request for anonymity (A-05)'),
  requiredUserAgent: z
    .strictObject({
      min: z
        .string()
        .regex(/^\d+\.\d+$/, 'expected a release such as 1.0')
        .default('1.0'),
      max: z
        .string()
        .regex(/^\d+\.\d+$/, 'expected a release such as 2.2')
        .default('2.2'),
      onMissing: z.enum(['allow', 'refuse']).default('refuse').describe('What a User-Agent without a CPM release gets'),
    })
    .optional()
    .describe('CPM releases taken; absent: no check (A-04)'),
  interworkOn: z
    .strictObject({
      orig: interworkable('orig').default([404, 405, 410, 415, 416, 488, 501, 604, 606]),
      term: interworkable('term').default([404, 408, 410, 415, 480, 484, 488, 500, 501, 503, 504, 606]),
    })
    .prefault({})
    .describe('Refusals after which the invitation goes to the ISF (A-21, A-44, A-57)'),
  proxyInterworkOn6xx: z.boolean().default(false).describe('A proxy may try the ISF after a 6xx (A-22)'),
  isfSchemes: z
    .union([z.literal('others'), z.array(z.string())], 'expected others, or a list of schemes')
    .default('others')
    .describe('Schemes that go to the ISF; others: all but sip, sips, tel (A-10)'),
  noClient: z
    .enum(['interwork', 'reject', 'defer'])
    .default('interwork')
    .describe(
      'An invitation for a user without a client goes to the ISF, or gets 480 (8.3.2.1 step 6); defer keeps pager-mode messages, and with media also those of a chat, until a client registers',
    ),
  partialClose: z
    .enum(['streams', 'session'])
    .default('streams')
    .describe('A BYE from one of several IWFs ends its streams, or the session (A-25, A-31)'),
  rejectedStreams: z
    .enum(['interwork', 'accept'])
    .default('interwork')
    .describe('Streams an IWF rejects get a second session, or are left out (200 step 1, A-12)'),
  allowedMedia: z
    .array(z.string())
    .min(1)
    .default(['message', 'audio', 'video'])
    .describe('Media types a terminating session may offer (8.3.2.1 step 5)'),
  sdpCheck: z
    .enum(['any', 'all'])
    .default('any')
    .describe('488 on any bad media type; or those lines go on at port 0, and 488 only where none is left (A-38)'),
  maxRedirects: z.number().int().min(0).max(10).default(1).describe('Redirections by 302 that are followed (A-45)'),
  defaultAllowOfflineStorage: z.boolean().default(false).describe('Where preferences are not to be had (A-15)'),
  reasonText: z.boolean().default(false).describe('A Reason header says why a 480 of ours was given (A-57)'),
  messages: z
    .strictObject({
      maxBytes: z.int().min(256).max(65_535).default(1300).describe('Largest body; a larger one gets 413 (RFC 3428 8)'),
    })
    .prefault({})
    .describe('Pager-mode messages: SIP MESSAGE of the CPM message service'),
  deferred: deferred.prefault({}).describe('Messages kept for a user who is not there, where noClient is defer'),
  otherServices: z.enum(['forward', 'reject']).default('forward').describe('INVITEs that are no CPM session (A-51)'),
});

const isf = z.strictObject({
  routes: z
    .array(
      z.union(
        [sipUri, z.strictObject({ uri: sipUri, weight: z.number().int().min(1).default(1) })],
        'expected a SIP URI, or {uri, weight}',
      ),
    )
    .default([])
    .describe('ISF addresses; none: no interworking'),
  secondary: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Try it at all'),
      timeoutMs: ms.default(5000).describe('Longest the first 200 is held for it'),
      rounds: z.literal(1).default(1).describe('One second session at the most'),
    })
    .prefault({})
    .describe('A second session for rejected streams (A-12)'),
});

const folderName = z
  .array(z.enum(['contributionId', 'sessionId', 'callId']))
  .min(1)
  .default(['contributionId', 'sessionId', 'callId'])
  .describe('What names the session folder, the first that is there (A-18)');

const imap = z.strictObject({
  driver: z.literal('imap'),
  url: z
    .string()
    .regex(/^imaps?:\/\/[^/@]+\/?$/, 'expected imap://host:port or imaps://host:port')
    .describe('imaps: is TLS from the first byte'),
  user: z
    .string()
    .includes('{user}', 'expected {user} in it, which stands for the address of the user without its scheme')
    .default('{user}')
    .describe('Login name; {user}*master logs in as a master user'),
  masterUser: z.string().min(1).optional().describe('Logs in by this name to act for the user (SASL PLAIN)'),
  password: secret,
  root: z.string().min(1).default('Default').describe('Folder of the conversations; / goes down one level'),
  connections: z.number().int().min(1).max(1000).default(4).describe('Connections at a time, all users together'),
  starttls: z
    .enum(['required', 'off'])
    .optional()
    .describe('For imap: URLs; absent: required, and on loopback taken where it is offered'),
  ca: z.string().optional().describe('PEM file of the authorities the server is checked against'),
  metadataPrefix: z
    .string()
    .regex(/^\/shared\/([\w.-]+\/)+$/, 'expected a path such as /shared/vendor/vendor.example/')
    .default('/shared/OMNA/OMACPM20/')
    .describe('Metadata entries of the pointers are below it (A-20)'),
  timeoutMs: ms.default(10_000).describe('Longest wait for a connection, and for an answer'),
  folderName,
});

const history = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('sqlite'),
    path: z.string().default('data/history.sqlite'),
    synchronous: z.enum(['normal', 'full']).default('normal').describe('full also survives a power cut'),
    folderName,
  }),
  imap,
  z.strictObject({ driver: z.literal('none') }).describe('Nothing is recorded'),
]);

const timers = z.strictObject({
  t1: ms.default(500).describe('RFC 3261 17.1.1.1'),
  t2: ms.default(4000),
  t4: ms.default(5000),
  timerC: ms.min(180_001, 'expected more than 180000 ms (RFC 3261 16.6)').default(181_000),
  byeJoinMs: ms.default(2000).describe('How long the sender of a BYE waits for the far ends (A-26)'),
  storeBudgetMs: ms.default(1500).describe('How long signalling waits for the store (A-29)'),
  se: seconds.min(90).default(1800).describe('Session interval (RFC 4028), seconds'),
  minSE: seconds.min(90).default(90).describe('Smallest session interval taken, seconds'),
  refresher: z.enum(['peer', 'us']).default('peer').describe('Who refreshes where it is open (A-33)'),
});

const compat = z.strictObject({
  termTimerMetadata: z
    .enum(['both', 'literal', 'symmetric'])
    .default('both')
    .describe('Pointers that a terminating timer expiry writes (A-01)'),
  termFolderIgnoresPreference: z
    .boolean()
    .default(false)
    .describe('The terminating folder is made whatever the preference says (A-17)'),
  messageUid: z
    .enum(['sessionInfo', 'literal'])
    .default('sessionInfo')
    .describe('UID in Message-UID: that of the Session Info Object, or by the letter of 8.2.2.4 (A-27)'),
  dndIgnoresConditions: z
    .boolean()
    .default(false)
    .describe('A-37: conditions of do-not-disturb rules are not looked at'),
});

export const portRange = z.string().refine((text) => {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  return first !== '' && Number(first) <= Number(last) && Number(last) <= 65_535;
}, 'expected a port or a range such as 21000-21999; 0 takes a free port');

const media = z.strictObject({
  listen: z
    .string()
    .refine((text) => isIP(text) !== 0, 'expected an IP address such as 127.0.0.1')
    .default('127.0.0.1')
    .describe('Where MSRP is heard'),
  advertise: z
    .string()
    .refine((text) => isHostAndPort(`${text.includes(':') ? `[${text}]` : text}:0`), 'expected a host')
    .optional()
    .describe('Host in session descriptions and paths instead of the listening address'),
  ports: portRange
    .default('21000-21999')
    .describe('One port for all sessions, or a range over which they are spread; ports that are taken are left out'),
  tls: z
    .strictObject({
      ports: portRange.default('22000-22999'),
      cert: z.string().describe('PEM file of the certificate chain; its fingerprint goes into descriptions'),
      key: z.string().describe('PEM file of the private key'),
      ca: z.string().optional().describe('PEM file of the authorities for peers without a fingerprint'),
    })
    .optional()
    .describe('TCP/TLS/MSRP; absent: such streams pass through'),
  onFailure: z
    .enum(['end', 'keep'])
    .default('end')
    .describe('A connection that is lost and not back in time ends the session, or is waited for'),
  maxMessageBytes: z
    .number()
    .int()
    .min(2048)
    .default(DEFAULT_MSRP_LIMITS.messageBytes)
    .describe('Largest message; a=max-size is never above it'),
  maxHeadBytes: z.number().int().min(1024).default(DEFAULT_MSRP_LIMITS.headBytes).describe('Largest head of a request'),
  maxConnections: z
    .number()
    .int()
    .positive()
    .default(DEFAULT_MSRP_LIMITS.connections)
    .describe('Connections open at a time; further ones are closed'),
  maxPending: z
    .number()
    .int()
    .positive()
    .default(DEFAULT_MSRP_LIMITS.pending)
    .describe('Requests a peer may leave unanswered before its senders wait'),
  openMs: ms.default(DEFAULT_MSRP_LIMITS.openMs).describe('How long a peer has to connect'),
  reconnectMs: ms.default(DEFAULT_MSRP_LIMITS.reconnectMs).describe('How long a lost connection has to come back'),
  responseMs: ms
    .default(DEFAULT_MSRP_LIMITS.responseMs)
    .describe('How long a peer has to answer a request; then its sender gets 408 (RFC 4975 7.1.1)'),
  stallMs: ms.default(DEFAULT_MSRP_LIMITS.stallMs).describe('Longest pause within a request'),
  idleMs: ms.default(DEFAULT_MSRP_LIMITS.idleMs).describe('Idle time after which a connection is closed'),
});

export const log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  format: z.enum(['pretty', 'json']).default('pretty'),
  redact: z.boolean().default(true).describe('Numbers and bodies are masked'),
});

export const configSchema = z.strictObject({
  domain: z.string().default('home.example').describe('Home domain of the served users'),
  node: z
    .string()
    .regex(/^[\w.-]+$/)
    .default('pf-1')
    .describe('Name of this node'),
  sip: sip.prefault({}),
  policy: withRules(policy, timers, compat).prefault({}),
  isf: isf.prefault({}),
  users: z
    .discriminatedUnion('driver', [
      z.strictObject({ driver: z.literal('file'), path: z.string().default('users.yaml') }),
      z.strictObject({ driver: z.literal('any') }).describe('Every user is served, with default preferences'),
    ])
    .prefault({ driver: 'any' }),
  preferences,
  registrar: z
    .strictObject({
      driver: z
        .enum(['thirdParty', 'regEvent', 'static', 'none'])
        .default('thirdParty')
        .describe(
          'Third-party REGISTER, subscription to the reg event (RFC 3680), clients inside users.yaml, or none: the core knows who is there',
        ),
      regEvent: z
        .strictObject({
          expires: seconds.default(86_400).describe('Length of a subscription, seconds'),
          atOnce: z.number().int().positive().default(100).describe('Subscriptions begun at a time'),
        })
        .prefault({}),
      maxUsers: z.number().int().positive().default(1_000_000).describe('Registered users held at the most'),
    })
    .prefault({}),
  history: history.prefault({ driver: 'sqlite' }),
  sessions: z
    .discriminatedUnion('driver', [
      z.strictObject({
        driver: z.literal('sqlite'),
        path: z.string().default('data/sessions.sqlite'),
        synchronous: z
          .enum(['off', 'normal', 'full'])
          .default('normal')
          .describe(
            'what a power cut may take: the whole file, the last second, nothing; off never waits for the disk',
          ),
      }),
      z.strictObject({ driver: z.literal('memory') }).describe('Nothing survives a restart'),
    ])
    .prefault({ driver: 'sqlite' }),
  recording: z
    .strictObject({
      groupState: z
        .enum(['always', 'groupOnly'])
        .default('always')
        .describe('Sessions of two get a Group State Object too, or groups only (A-28)'),
      keepOldGroupState: z
        .boolean()
        .default(true)
        .describe('A session that is joined again keeps the Group State Object before (A-47)'),
      metadata: z.boolean().default(true).describe('Write folder metadata at all (A-54)'),
      acknowledge: z
        .enum(['stored', 'received'])
        .default('stored')
        .describe('When the sender of a recorded message gets its 200: when the message is stored durably, or at once'),
      notifications: z.boolean().default(true).describe('Record delivery and display notifications (RFC 5438) too'),
      conferenceEvents: z
        .enum(['passing', 'subscribe', 'off'])
        .default('passing')
        .describe(
          'Who is in a group session, for its Group State (RFC 4575): from the NOTIFYs that pass to the client, from a subscription of our own, or from what is said alone',
        ),
      memoryBytes: z.int().min(1024).max(16_777_216).default(65_536).describe('Longer messages wait in the spool'),
      spool: z.string().min(1).default('data/spool').describe('Folder for long messages that are not stored yet'),
      retry: z
        .strictObject({ firstMs: ms.default(1000), longestMs: ms.default(60_000) })
        .prefault({})
        .describe('Pauses while the store fails (A-16)'),
    })
    .prefault({}),
  compat: compat.prefault({}),
  media: media
    .optional()
    .describe('MSRP relay; without this section addresses in session descriptions pass through, and so does the chat'),
  admin: z
    .strictObject({
      listen: z
        .string()
        .refine(isHostAndPort, 'expected address:port, such as 127.0.0.1:8080')
        .default('127.0.0.1:8080'),
      token: secret.optional().describe('Bearer token; needed unless it listens on loopback'),
      traces: z
        .int()
        .min(0)
        .max(10_000)
        .default(200)
        .describe('Sessions whose messages and steps are kept for the page; 0 for none'),
      origins: z
        .array(z.url('expected an origin, such as https://stately.ai'))
        .default([])
        .describe('Origins of pages elsewhere that may open WS /inspect'),
    })
    .prefault({}),
  timers: timers.prefault({}),
  shutdown: z
    .strictObject({
      graceMs: ms.default(10_000).describe('How long live sessions have to end after SIGTERM'),
      sessions: z.enum(['end', 'keep']).default('end').describe('End them by BYE, or keep them for the next start'),
    })
    .prefault({}),
  log: log.prefault({}),
  warmUp: z
    .boolean()
    .default(true)
    .describe(
      'Run sessions with itself on loopback before the first real one, up to 4 s, so that it is not the slowest',
    ),
});

export type Config = z.output<typeof configSchema>;
