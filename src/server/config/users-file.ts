/** users.yaml: who is served, and with which preferences (contract). */
import { z } from 'zod';
import { type Rule, UNCONDITIONAL } from '../../preferences/rules.ts';
import { type User, UserDirectory } from '../../preferences/users.ts';
import { identityKey, parseUri } from '../../sip/message/uri.ts';
import { readYaml } from './load.ts';
import { name as className } from './policy-rules.ts';

const address = z
  .string()
  .refine(
    (text) => parseUri(text) !== undefined,
    'expected an address such as sip:alice@home.example or tel:+15550100',
  );

const client = z.strictObject({
  contact: address,
  instance: z.string().default('').describe('+sip.instance, <urn:uuid:…>'),
  features: z
    .array(z.string())
    .default(['session', 'session.group'])
    .describe('CPM services the client is registered for'),
  media: z.array(z.string()).default(['message']),
});

const instant = z.iso.datetime({ offset: true, error: 'expected a time such as 2026-12-24T18:00:00Z' });

/** RFC 4745 7, OMA access rules: a rule is in force where all conditions it has hold. */
const doNotDisturbRule = z.strictObject({
  identity: z.array(address).optional().describe('Originators it is for'),
  domain: z.array(z.string()).optional().describe('Domains of originators it is for'),
  except: z.array(address).default([]).describe('Originators it is not for'),
  otherIdentity: z.boolean().default(false).describe('It is for originators no other rule names'),
  services: z.array(z.string()).optional().describe('Absent: all'),
  validity: z
    .array(z.strictObject({ from: instant, until: instant }))
    .optional()
    .describe('Absent: always'),
});

const user = z.strictObject({
  aliases: z.array(address).default([]),
  class: className.optional().describe('Class by which policy.rules know the user; absent: by policy.userClasses'),
  services: z.array(z.string()).optional().describe('Absent: all'),
  preferences: z
    .strictObject({
      allowOfflineStorage: z.boolean().default(false),
      doNotDisturb: z
        .union([z.boolean(), z.array(doNotDisturbRule)], 'expected true, false, or a list of rules')
        .default(false),
      interworking: z.boolean().optional(),
    })
    .prefault({}),
  blacklist: z.array(address).default([]),
  clients: z.array(client).default([]),
});

export const usersSchema = z.strictObject({ users: z.record(address, user).default({}) });

/** Throws a ConfigError with the place of every mistake. */
export function loadUsers(file: string): UserDirectory {
  const { users } = readYaml(file, usersSchema).value;
  return new UserDirectory(
    Object.entries(users).map(([own, entry]) => ({ user: userOf(own, entry), aliases: entry.aliases })),
  );
}

function userOf(own: string, entry: z.output<typeof user>): User {
  const { preferences } = entry;
  return {
    address: own,
    userClass: entry.class,
    services: entry.services ?? null,
    allowOfflineStorage: preferences.allowOfflineStorage,
    doNotDisturb:
      typeof preferences.doNotDisturb === 'boolean' ? preferences.doNotDisturb : preferences.doNotDisturb.map(ruleOf),
    interworking: preferences.interworking ?? null,
    blacklist: new Set(entry.blacklist.map(identityKey)),
    clients: entry.clients.map(({ contact, instance, features, media }) => ({
      contact,
      instance,
      services: features,
      media,
    })),
  };
}

function ruleOf(rule: z.output<typeof doNotDisturbRule>): Rule {
  const { identity, domain, except, otherIdentity, services, validity } = rule;
  const named = identity !== undefined || domain !== undefined;
  return {
    ...UNCONDITIONAL,
    identity: named
      ? {
          one: new Set(identity?.map(identityKey)),
          many: (domain ?? []).map((name) => ({ domain: name, except: new Set<string>(), exceptDomains: [] })),
        }
      : null,
    except: new Set(except.map(identityKey)),
    otherIdentity,
    services: services ?? null,
    validity: validity?.map(({ from, until }) => ({ from: Date.parse(from), until: Date.parse(until) })) ?? null,
  };
}
