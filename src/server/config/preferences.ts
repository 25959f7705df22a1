/** `preferences`: where user preferences and lists are kept (digest 3.4). */
import { z } from 'zod';

const ms = z.number().int().positive();
const count = z.number().int().positive();

/** `env:NAME` or `file:PATH`: secrets never stand in the file itself. */
export const secret = z
  .string()
  .regex(/^(env|file):.+/, 'expected env:NAME or file:PATH: secrets never stand in the file itself')
  .describe('env:NAME or file:PATH');

const root = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, username, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && search === '' && hash === '';
}, 'expected an http or https URL without user, query and fragment, such as http://xcap.home.example/xcap-root');

const documentPath = z
  .string()
  .regex(/^[^/?#][^?#]*\{user\}[^?#]*$/, 'expected a path below the root with {user} in it')
  .refine((path) => !path.split('/').includes('..'), 'expected a path below the root');

const auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('digest'), username: z.string().min(1), password: secret }).describe('RFC 7616'),
  z.strictObject({ type: z.literal('bearer'), token: secret }).describe('RFC 6750'),
]);

const file = z.strictObject({
  driver: z.literal('file').default('file').describe('Inside users.yaml'),
  timeoutMs: ms.default(500).describe('Longest wait for preferences (A-15)'),
});

const xcap = z
  .strictObject({
    driver: z.literal('xcap'),
    root: root.describe('XCAP root; links to anywhere else are not followed'),
    timeoutMs: ms.default(500).describe('Longest a call waits for preferences (A-15)'),
    requestTimeoutMs: ms
      .default(5000)
      .describe('Longest a request may take; what comes too late for its call serves the next one'),
    rulesDocument: documentPath
      .default('org.openmobilealliance.access-rules/users/{user}/access-rules')
      .describe('User access rules, below the root (8.4.1)'),
    listsDocument: documentPath
      .default('resource-lists/users/{user}/index')
      .describe('Lists of contacts, below the root (RFC 4826)'),
    blacklistNames: z
      .array(z.string().min(1))
      .min(1)
      .default(['oma_blockedcontacts', 'rcs_blockedcontacts', 'rcs_revokedcontacts'])
      .describe('Lists that are the blacklist, where they are there (A-36)'),
    assertedIdentity: z
      .string()
      .regex(/^(user|none|[a-z]+:[^\s"]+)$/i, 'expected user, none, or an address')
      .default('user')
      .describe('X-3GPP-Asserted-Identity: the served user, nobody, or this address'),
    auth: auth.optional().describe('How the function shows the server who it is'),
    maxAgeMs: ms.default(60_000).describe('How long a document counts before it is asked for again, by its ETag'),
    staleMs: ms.default(86_400_000).describe('How long a document counts while the server fails'),
    pauseMs: ms.default(2000).describe('How long a server, or a document, that failed is left alone'),
    cacheBytes: z.number().int().min(65_536).default(67_108_864).describe('Bytes of documents kept'),
    maxDocumentBytes: z.number().int().min(1024).default(131_072).describe('Largest document taken'),
    maxLinks: count.max(1000).default(16).describe('Lists followed from one list, its links and their links'),
    maxRequests: count.default(64).describe('Requests to the server at a time'),
  })
  .describe('In an XCAP server (RFC 4825); users says whose');

export const preferences = z.discriminatedUnion('driver', [file, xcap]).prefault({});

export type XcapConfig = z.output<typeof xcap>;
