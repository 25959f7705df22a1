/** users.yaml: who is served, and with which preferences (contract). */
import { z } from 'zod';
import { type User, UserDirectory } from '../../preferences/users.ts';
import { identityKey, parseUri } from '../../sip/message/uri.ts';
import { readYaml } from './load.ts';

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

const user = z.strictObject({
  aliases: z.array(address).default([]),
  services: z.array(z.string()).optional().describe('Absent: all'),
  preferences: z
    .strictObject({
      allowOfflineStorage: z.boolean().default(false),
      doNotDisturb: z.boolean().default(false),
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
    services: entry.services ?? null,
    allowOfflineStorage: preferences.allowOfflineStorage,
    doNotDisturb: preferences.doNotDisturb,
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
