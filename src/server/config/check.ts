/** What the form of a single key can not show: files that are named, secrets, keys that need each other. */
import type { PolicyRule } from '../../policy/rules.ts';
import type { UserDirectory } from '../../preferences/users.ts';
import { secureContextOf } from '../../sip/transport/tls.ts';
import { imapOf } from '../history-store.ts';
import { credentialsOf } from '../preferences.ts';
import { tlsOf } from '../sip-addresses.ts';
import { trustOf } from '../trust.ts';
import { hostAndPort, isLoopbackHost } from './host-port.ts';
import { loadConfig, type Placed } from './load.ts';
import { ConfigError, type Mistake } from './mistake.ts';
import { nearest } from './nearest.ts';
import type { Config } from './schema.ts';
import { readSecret } from './secrets.ts';
import { loadUsers } from './users-file.ts';

/** The configuration of a file, or the defaults, with everything checked. Throws a ConfigError with every mistake. */
export function checkedConfig(file: string | undefined): Config {
  const placed = loadConfig(file);
  const mistakes = mistakesIn(placed);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return placed.value;
}

function mistakesIn(placed: Placed<Config>): Mistake[] {
  const { value: config, lineOf } = placed;
  const mistakes: Mistake[] = [];
  const check = (key: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      const place = { file: placed.file, line: lineOf(key.split('.')), key };
      // A file that is named here has mistakes of its own, in their own places.
      if (error instanceof ConfigError && error.mistakes.some(({ line }) => line !== undefined)) {
        mistakes.push(...error.mistakes);
      } else mistakes.push({ ...place, message: (error as Error).message });
    }
  };
  check('sip.trusted', () => trustOf(config.sip.trusted));
  check('sip.tls', () => checkTls(config));
  const { contactKey } = config.sip;
  if (contactKey !== undefined) check('sip.contactKey', () => contactKeyIn(contactKey));
  const { users, registrar, admin, preferences } = config;
  if (preferences.driver === 'xcap') check('preferences.auth', () => credentialsOf(preferences.auth));
  let directory: UserDirectory | undefined;
  if (users.driver === 'file') {
    check('users.path', () => {
      directory = loadUsers(users.path);
    });
  }
  const classes = classesOf(config, directory);
  for (const [place, rule] of config.policy.rules.entries()) {
    check(`policy.rules.${place}`, () => checkClasses(rule, classes));
  }
  check('registrar.driver', () => {
    if (registrar.driver === 'static' && users.driver !== 'file') {
      throw new Error('static takes the clients of users.yaml, so expected users.driver to be file');
    }
  });
  const { history } = config;
  if (history.driver === 'imap') check('history', () => imapOf(history).close());
  check('admin.token', () => checkToken(admin));
  return mistakes;
}

/** Classes that users can be in. */
function classesOf({ policy }: Config, directory: UserDirectory | undefined): string[] {
  const own = directory?.users.flatMap(({ userClass = [] }) => userClass) ?? [];
  return [...new Set([...Object.keys(policy.userClasses), ...own])];
}

/** A class that is nobody's is a slip of the pen. */
function checkClasses({ name, when, unless }: PolicyRule, classes: readonly string[]): void {
  for (const wanted of [...(when?.userClass ?? []), ...(unless?.userClass ?? [])]) {
    if (classes.includes(wanted)) continue;
    const meant = nearest(wanted, classes);
    const remedy = meant === undefined ? 'name it in policy.userClasses or in users.yaml' : `did you mean ${meant}?`;
    throw new Error(`rule ${name} is for the class ${wanted}, in which nobody is; ${remedy}`);
  }
}

/** Shorter ones are guessed. */
const SHORTEST_KEY = 16;

/** The key of the contact tokens. Throws where it can't be had, or protects nothing. */
export function contactKeyIn(reference: string): string {
  const key = readSecret(reference);
  if (key.length < SHORTEST_KEY) throw new Error(`expected at least ${SHORTEST_KEY} characters, found ${key.length}`);
  return key;
}

function checkTls(config: Config): void {
  const tls = tlsOf(config);
  if (tls !== undefined) secureContextOf(tls);
}

function checkToken({ token, listen }: Config['admin']): void {
  if (token !== undefined) readSecret(token);
  else if (!isLoopbackHost(hostAndPort(listen).host)) {
    throw new Error(`expected a token (env:NAME or file:PATH), since admin.listen ${listen} is not loopback`);
  }
}
