/** `policy.rules`, `policy.userClasses` and `policy.guards`: what is different for some sessions. */
import { z } from 'zod';
import type { Policy } from '../../../machines/session/policy.ts';
import { patternMistake } from '../../policy/address-pattern.ts';
import { DAYS, isTimeZone, minutesOf } from '../../policy/local-time.ts';
import type { PolicyChange, PolicyRule } from '../../policy/rules.ts';

const MAX_RULES = 200;
/** In one list. */
const MAX_LISTED = 100;
/** In all rules and classes together: each session may have to be compared with all of them. */
const MAX_PATTERNS = 2000;

/** Keys of `policy` that a rule may set; the others are not decided session by session. */
const SETTABLE = [
  'mediaPath',
  'allowAnonymity',
  'anonymityFromHeader',
  'requiredUserAgent',
  'proxyInterworkOn6xx',
  'isfSchemes',
  'noClient',
  'partialClose',
  'rejectedStreams',
  'allowedMedia',
  'sdpCheck',
  'maxRedirects',
  'defaultAllowOfflineStorage',
  'reasonText',
] as const satisfies readonly (keyof Policy)[];
/** What a rule may set of `timers` and of `compat`. */
const SETTABLE_TIMERS = ['se', 'minSE', 'refresher', 'byeJoinMs', 'storeBudgetMs'];

/** Of a rule or a class. */
export const name = z.string().regex(/^[A-Za-z][\w.-]{0,63}$/, 'expected a name of letters, digits, - . _');

const pattern = z.string().superRefine((text, context) => {
  const message = patternMistake(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
const patterns = z.array(pattern).min(1).max(MAX_LISTED);

const timeOfDay = z
  .string()
  .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, 'expected a time of day such as "08:30", in quotation marks');
const date = z.iso.date('expected a date such as 2026-12-24');

const span = z
  .strictObject({
    zone: z
      .string()
      .refine(isTimeZone, 'expected a time zone such as Europe/Berlin')
      .default('UTC')
      .describe('IANA name, such as Europe/Berlin'),
    days: z.array(z.enum(DAYS)).min(1).max(DAYS.length).optional().describe('Absent: every day'),
    from: timeOfDay.optional().describe('Absent: from midnight'),
    until: timeOfDay.optional().describe('Before this time; a span over midnight belongs to the day it begins on'),
    dates: z
      .strictObject({ from: date.optional(), until: date.optional() })
      .refine(
        ({ from, until }) => from === undefined || until === undefined || from <= until,
        'it ends before it begins',
      )
      .optional()
      .describe('Both included'),
  })
  .refine(({ from = '00:00', until = '24:00' }) => minutesOf(from) !== minutesOf(until), 'it ends when it begins');

const conditions = z.strictObject({
  role: z.enum(['orig', 'term']).optional().describe('Side of the session this function is on'),
  service: z
    .array(z.enum(['session', 'session.group', 'msg', 'largemsg', 'filetransfer']))
    .min(1)
    .max(MAX_LISTED)
    .optional()
    .describe('CPM service asked for'),
  userClass: z.array(name).min(1).max(MAX_LISTED).optional().describe('Class of the served user'),
  destination: patterns
    .optional()
    .describe('Where it goes: tel:+49*, sip:*@partner.example, mailto:, *.partner.example'),
  originator: patterns.optional().describe('Who asks, by the identities the core asserts'),
  media: z
    .array(z.string().regex(/^[a-z][\w-]*$/, 'expected a media type such as message'))
    .min(1)
    .max(MAX_LISTED)
    .optional()
    .describe('One offered m-line of these types is enough'),
  time: z.array(span).min(1).max(MAX_LISTED).optional().describe('Spans of local time, one is enough'),
});

type Shape = Readonly<Record<string, unknown>>;

/** The policy section with its rules; `timers` and `compat` are the sections whose keys a rule may set beside it. */
export function withRules<P extends z.ZodRawShape>(
  policy: z.ZodObject<P, z.core.$strict>,
  timers: z.ZodObject,
  compat: z.ZodObject,
) {
  const set = z.strictObject({
    ...optional(policy.shape, SETTABLE),
    requiredUserAgent: bare(policy.shape.requiredUserAgent as unknown as z.ZodType)
      .nullable()
      .optional(),
    interworkOn: within(policy.shape.interworkOn as unknown as z.ZodType),
    recording: z.boolean().optional().describe('false: these sessions are not recorded'),
    timers: z.strictObject(optional(timers.shape, SETTABLE_TIMERS)).optional(),
    compat: z.strictObject(optional(compat.shape, SETTABLE_COMPAT)).optional(),
  }) as unknown as z.ZodType<PolicyChange>;
  const rule = z.strictObject({
    name: name.describe('Names it in explanations and logs'),
    when: conditions.default({}).describe('All of these hold; absent: always'),
    unless: conditions.optional().describe('Left out where all of these hold; keys as in when'),
    set: set.describe('Keys of policy, timers and compat that are different then, and recording (docs/policy.md)'),
    final: z.boolean().default(false).describe('Where it applies, no further rule is looked at'),
  });
  return policy
    .extend({
      userClasses: z
        .record(name, patterns)
        .default({})
        .describe('Classes by address, for users who have none in users.yaml; the first that fits'),
      rules: z
        .array(rule)
        .max(MAX_RULES)
        .default([])
        .describe('What is different for some sessions; all that apply, the later one holds (docs/policy.md)'),
      guards: z
        .string()
        .min(1)
        .optional()
        .describe('Module with guards of your own, beside the configuration file (docs/policy.md)'),
    })
    .superRefine((value, context) => {
      const { rules, userClasses } = value as unknown as PolicyExtras;
      for (const [place, { name: own }] of rules.entries()) {
        if (rules.findIndex((other) => other.name === own) < place) {
          context.addIssue({ code: 'custom', path: ['rules', place, 'name'], message: `a second rule ${own}` });
        }
      }
      const listed = [...Object.values(userClasses), ...rules.flatMap(patternsIn)].reduce(
        (sum, { length }) => sum + length,
        0,
      );
      if (listed > MAX_PATTERNS) {
        const message = `expected at most ${MAX_PATTERNS} patterns in all rules and classes, found ${listed}`;
        context.addIssue({ code: 'custom', path: ['rules'], message });
      }
    });
}

interface PolicyExtras {
  readonly rules: readonly PolicyRule[];
  readonly userClasses: Readonly<Record<string, readonly string[]>>;
}

const SETTABLE_COMPAT = ['termTimerMetadata', 'termFolderIgnoresPreference', 'messageUid'];

function patternsIn({ when, unless }: PolicyRule): (readonly string[])[] {
  return [when, unless].flatMap((of) => [of?.destination ?? [], of?.originator ?? []]);
}

/** These keys of a section, none of which has to be there: a rule changes what it names, and has no defaults. */
function optional(shape: Shape, names: readonly string[]): Record<string, z.ZodType> {
  return Object.fromEntries(names.map((key) => [key, bare(shape[key] as z.ZodType).optional()]));
}

function within(section: z.ZodType): z.ZodType {
  const { shape } = bare(section) as z.ZodObject;
  return z.strictObject(optional(shape, Object.keys(shape))).optional();
}

/** The form of a key without its default. */
function bare(field: z.ZodType): z.ZodType {
  return field instanceof z.ZodDefault || field instanceof z.ZodPrefault || field instanceof z.ZodOptional
    ? bare(field.unwrap() as z.ZodType)
    : field;
}
