/** The configuration of `cpm-engine isf` with everything checked, secrets and networks included. */

import { trustOf } from '../trust.ts';
import { hostAndPort, isLoopbackHost } from './host-port.ts';
import { type IsfConfig, isfSchema } from './isf.ts';
import { readYaml } from './load.ts';
import { ConfigError, type Mistake } from './mistake.ts';
import { readSecret } from './secrets.ts';

/** What stands beside the defaults of the server, on this machine. */
const WITHOUT_FILE = { sms: { number: '55501' }, email: { domain: 'chat.home.example' } };

/** Of a file, or something to begin with. Throws a ConfigError with every mistake. */
export function checkedIsfConfig(file: string | undefined): IsfConfig {
  if (file === undefined) return isfSchema.parse(WITHOUT_FILE);
  const { value: config, lineOf } = readYaml(file, isfSchema);
  const mistakes: Mistake[] = [];
  const check = (key: string, work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      mistakes.push({ file, line: lineOf(key.split('.')), key, message: (error as Error).message });
    }
  };
  check('sip.trusted', () => trustOf(config.sip.trusted));
  const { sms, email, admin } = config;
  if (sms?.password !== undefined) check('sms.password', () => passwordOf(sms.password as string));
  if (email !== undefined) {
    check('email.inbox.from', () => trustOf(email.inbox.from));
    const { user, password } = email.smtp;
    if (password !== undefined) check('email.smtp.password', () => readSecret(password));
    check('email.smtp', () => {
      if ((user === undefined) !== (password === undefined)) throw new Error('expected user and password, or neither');
    });
  }
  check('admin.listen', () => {
    if (!isLoopbackHost(hostAndPort(admin.listen).host)) throw new Error('expected an address of loopback');
  });
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config;
}

/** SMPP 3.4 5.2.2: eight characters. */
function passwordOf(reference: string): void {
  if (readSecret(reference).length > 8) throw new Error('expected at most 8 characters (SMPP 3.4 5.2.2)');
}

/** What is not wrong and still worth knowing. */
export function isfWarningsOf({ sip, email }: IsfConfig): string[] {
  const warnings: string[] = [];
  if (sip.core === undefined) {
    warnings.push('sip.core: not set; what comes from outside reaches a user only in a session that is there');
  }
  if (email?.smtp.tls === 'opportunistic' && email.smtp.password !== undefined) {
    warnings.push('email.smtp.tls: opportunistic may send the password in clear; expected required or implicit');
  }
  return warnings;
}
