/** The reference ISF and its IWFs as their configuration wants them. */
import type { ReferenceLog } from '../isf/reference/log.ts';
import type { ReferenceOptions } from '../isf/reference/start.ts';
import { hostAndPort } from './config/host-port.ts';
import { directoryOf, endpointOf, type IsfConfig } from './config/isf.ts';
import { readSecret } from './config/secrets.ts';
import { portRangeOf } from './media.ts';
import { trustOf } from './trust.ts';

/** Throws where a secret or a network can't be read. */
export function referenceOptions(config: IsfConfig, log: ReferenceLog): ReferenceOptions {
  const { sip, media, sessions, answers } = config;
  return {
    listen: sip.listen,
    trusts: trustOf(sip.trusted),
    core: sip.core,
    t1: sip.t1,
    media: { host: media.listen, ports: portRangeOf(media.ports) },
    directory: directoryOf(config),
    limits: {
      sessions: sessions.max,
      idleMs: sessions.idleMs,
      reconnectMs: sessions.reconnectMs,
      ringingMs: sessions.ringingMs,
    },
    answers,
    sms: smsOf(config),
    email: emailOf(config),
    log,
  };
}

function smsOf({ sms }: IsfConfig): ReferenceOptions['sms'] {
  if (sms === undefined) return undefined;
  const { listen, number, segments, receipts, awaited, incomplete, systemId, systemType } = sms;
  const { window, queue, enquireMs, responseMs, patienceMs, reconnect } = sms;
  const bind = { systemId, systemType, password: sms.password === undefined ? '' : readSecret(sms.password) };
  const waits = { window, queue, enquireMs, responseMs, patienceMs };
  const pauses = { firstPauseMs: reconnect.firstMs, longestPauseMs: reconnect.longestMs };
  return {
    listen,
    number,
    segments,
    receipts,
    awaited,
    incomplete: incomplete.max,
    incompleteMs: incomplete.waitMs,
    smsc: { ...endpointOf(sms.smsc), ...bind, ...waits, ...pauses },
  };
}

function emailOf({ email, domain: homeDomain }: IsfConfig): ReferenceOptions['email'] {
  if (email === undefined) return undefined;
  const { listen, domain, domains: mailDomains, subject, maxBytes, awaited, smtp, inbox } = email;
  const { user, password, tls, connections, queue, timeoutMs, patienceMs, retry } = smtp;
  return {
    listen,
    domain,
    homeDomain,
    mailDomains,
    subject,
    maxBytes,
    awaited,
    smtp: {
      ...hostAndPort(smtp.server),
      tls,
      auth: user === undefined ? undefined : { user, pass: password === undefined ? '' : readSecret(password) },
      name: domain,
      connections,
      queue,
      timeoutMs,
      patienceMs,
      firstPauseMs: retry.firstMs,
      longestPauseMs: retry.longestMs,
    },
    inbox: {
      ...hostAndPort(inbox.listen),
      maxBytes: inbox.maxBytes,
      connections: inbox.connections,
      timeoutMs: inbox.timeoutMs,
      allows: trustOf(inbox.from),
    },
  };
}
