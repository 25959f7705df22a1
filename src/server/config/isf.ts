/** Configuration of `cpm-engine isf`: every key, its form and its default. */
import { z } from 'zod';
import { isMailAddress, isNumber } from '../../isf/reference/destination.ts';
import { identityKey } from '../../sip/message/uri.ts';
import { hostAndPort, isHostAndPort } from './host-port.ts';
import { secret } from './preferences.ts';
import { listenAddress, log, ms, portRange, sipUri } from './schema.ts';

const count = z.number().int().positive();
const hostPort = z.string().refine(isHostAndPort, 'expected host:port, such as 127.0.0.1:2525');
const domain = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i, 'expected a domain such as mail.example')
  .toLowerCase();

/** `scheme://host:port` with one of two schemes, the second of which is TLS. */
const url = (plain: string, tls: string) =>
  z.string().refine((text) => {
    const [, scheme = '', rest = ''] = /^([a-z]+):\/\/([^/@]+)\/?$/.exec(text) ?? [];
    return (scheme === plain || scheme === tls) && isHostAndPort(rest);
  }, `expected ${plain}://host:port or ${tls}://host:port`);

const sms = z.strictObject({
  listen: listenAddress.default('udp:127.0.0.1:5082').describe('Where the IWF hears SIP'),
  smsc: url('smpp', 'ssmpp').default('smpp://127.0.0.1:2775').describe('The SMSC; ssmpp: is TLS'),
  systemId: z.string().max(15).default('cpm').describe('SMPP 3.4 5.2.1'),
  password: secret.optional().describe('Of the bind, at most 8 characters; absent: none'),
  systemType: z.string().max(12).default(''),
  number: z
    .string()
    .refine(isNumber, 'expected a number such as +15550100 or 55501')
    .describe('Where short messages come from whose writer has no number'),
  segments: z.number().int().min(1).max(255).default(10).describe('Parts of one message; more get 413'),
  receipts: z.boolean().default(true).describe('Ask for delivery receipts'),
  window: count.max(1000).default(10).describe('Messages without an answer of the SMSC at a time'),
  queue: count.default(1000).describe('Messages that wait for their turn'),
  awaited: count.default(100_000).describe('Receipts awaited at a time'),
  enquireMs: ms.default(30_000).describe('Between enquire_links'),
  responseMs: ms.default(10_000).describe('How long the SMSC has for an answer'),
  patienceMs: ms.default(30_000).describe('How long a message waits for an SMSC that is away or busy'),
  reconnect: z.strictObject({ firstMs: ms.default(1000), longestMs: ms.default(60_000) }).prefault({}),
  incomplete: z
    .strictObject({ max: count.default(1000), waitMs: ms.default(120_000) })
    .prefault({})
    .describe('Long messages of which parts are missing'),
});

const email = z.strictObject({
  listen: listenAddress.default('udp:127.0.0.1:5084').describe('Where the IWF hears SIP'),
  domain: domain.describe('Domain of the users mail addresses; its mail comes to the inbox'),
  domains: z.array(domain).default([]).describe('Domains whose SIP addresses are mail addresses'),
  subject: z.string().min(1).max(200).default('Message').describe('Subject of the first mail of a session'),
  smtp: z
    .strictObject({
      server: hostPort.default('127.0.0.1:25').describe('The mail server that takes our mails'),
      tls: z.enum(['implicit', 'required', 'opportunistic', 'off']).default('opportunistic'),
      user: z.string().min(1).optional(),
      password: secret.optional(),
      connections: count.max(100).default(4),
      queue: count.default(1000).describe('Mails on their way at a time'),
      timeoutMs: ms.default(30_000),
      patienceMs: ms.default(300_000).describe('How long a mail waits for a server that is away or says later'),
      retry: z.strictObject({ firstMs: ms.default(2000), longestMs: ms.default(60_000) }).prefault({}),
    })
    .prefault({}),
  inbox: z
    .strictObject({
      listen: hostPort.default('127.0.0.1:2525').describe('Where mails for the domain come in (SMTP)'),
      from: z.array(z.string()).default(['127.0.0.0/8', '::1/128']).describe('Networks that may bring mails'),
      connections: count.default(50),
      maxBytes: z.number().int().min(65_536).default(10_485_760),
      timeoutMs: ms.default(60_000),
    })
    .prefault({}),
  maxBytes: z.number().int().min(2048).default(5_242_880).describe('Largest chat message or file, CPIM head included'),
  awaited: count.default(10_000).describe('Delivery status notifications awaited at a time'),
});

const reached = z
  .string()
  .refine((text) => isMailAddress(text) || isNumber(text), 'expected a mail address or a number');

export const isfSchema = z
  .strictObject({
    domain: domain.default('home.example').describe('Home domain of the CPM users'),
    sip: z
      .strictObject({
        listen: z
          .array(listenAddress)
          .min(1)
          .default(['udp:127.0.0.1:5080', 'tcp:127.0.0.1:5080'])
          .describe('Where the ISF is heard; port 0 takes a free one'),
        core: sipUri.optional().describe('Next hop of INVITEs to CPM users; absent: nobody is invited'),
        trusted: z
          .array(z.string())
          .default(['127.0.0.0/8', '::1/128'])
          .describe('Networks that may send INVITEs, and whose P-Asserted-Identity is believed'),
        t1: ms.default(500),
      })
      .prefault({}),
    media: z
      .strictObject({
        listen: z.union([z.ipv4(), z.ipv6()], 'expected an IP address such as 127.0.0.1').default('127.0.0.1'),
        ports: portRange.default('23000').describe('MSRP; one port is enough for all sessions, 0 takes a free one'),
      })
      .prefault({}),
    reach: z
      .record(
        z.string().refine((text) => /^(sips?|tel|mailto|im):/i.test(text), 'expected a URI'),
        z.array(reached).min(1).max(2),
      )
      .default({})
      .describe('Other ways to the same person: URI to number, mail address, or both'),
    sessions: z
      .strictObject({
        max: count.default(10_000).describe('At a time, for each IWF; more get 503'),
        idleMs: ms.default(600_000).describe('A session without a message for so long ends'),
        reconnectMs: ms.default(15_000).describe('How long a media connection may be missing'),
        ringingMs: ms.default(60_000).describe('How long a user who is invited may ring'),
      })
      .prefault({}),
    answers: z
      .strictObject({
        max: count.default(100_000).describe('Pairs of user and correspondent that are remembered'),
        keepMs: ms.default(604_800_000).describe('How long after their last message'),
      })
      .prefault({}),
    sms: sms.optional(),
    email: email.optional(),
    admin: z
      .strictObject({ listen: hostPort.default('127.0.0.1:0').describe('/healthz, /readyz, /metrics; loopback only') })
      .prefault({}),
    shutdown: z.strictObject({ graceMs: ms.default(5000) }).prefault({}),
    log: log.prefault({}),
  })
  .refine(({ sms, email }) => sms !== undefined || email !== undefined, {
    message: 'expected sms, email or both: without an IWF there is nothing to select',
  });

export type IsfConfig = z.output<typeof isfSchema>;

/** The directory that `reach` and the mail domains make. */
export function directoryOf({ reach, email }: IsfConfig) {
  const mailDomains = email?.domains ?? [];
  const also = new Map(
    Object.entries(reach).map(([uri, ways]) => [
      identityKey(uri),
      { number: ways.find(isNumber), mail: ways.find(isMailAddress)?.toLowerCase() },
    ]),
  );
  return { mailDomains, also };
}

/** Host, port and TLS of a URL of ours. */
export function endpointOf(text: string): { readonly host: string; readonly port: number; readonly tls: boolean } {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/([^/]+)/.exec(text) ?? [];
  return { ...hostAndPort(rest), tls: scheme === 'ssmpp' };
}
