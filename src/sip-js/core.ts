/** A sip.js UserAgentCore on a TCP transport: what an embedded engine and a phone both begin with. */
import {
  IncomingRequestMessage,
  IncomingResponseMessage,
  Levels,
  LoggerFactory,
  Parser,
  type Transport,
  URI,
  UserAgentCore,
} from 'sip.js/lib/core/index.js';
import { parseNameAddress } from '../sip/message/address.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { parseMessage } from '../sip/message/parse.ts';
import { statelessRefusal } from '../sip/message/respond.ts';
import { isSipUri, parseUri } from '../sip/message/uri.ts';
import { validateRequest } from '../sip/message/validate.ts';
import { bytesOfText, textOf } from './messages.ts';
import { TcpTransport } from './tcp-transport.ts';
import { hostPort, type Place } from './way.ts';

export interface SipJsCoreOptions {
  /** User part of its address. */
  readonly name: string;
  readonly domain: string;
  readonly listen: Place;
  /** Where all requests go, whatever their Route says. */
  readonly peer?: Place;
  /** Parameters of its Contact, such as `;+sip.instance="…"`. */
  readonly contactParams?: string;
  readonly userAgent?: string;
  /** Gets what sip.js and the port warn of. */
  readonly log?: (level: 'warn' | 'error', category: string, content: string) => void;
}

export interface SipJsCore {
  readonly core: UserAgentCore;
  readonly transport: TcpTransport;
  /** `host:port` it listens on. */
  readonly address: string;
  /** Ends every transaction and dialog without a word, and closes the connections. */
  close(): Promise<void>;
}

/** Listens, and gives a core whose messages come and go there. Rejects where the address can't be had. */
export async function createSipJsCore(options: SipJsCoreOptions): Promise<SipJsCore> {
  const loggerFactory = loggersFor(options.log);
  const { listen, peer } = options;
  const way = peer === undefined ? { listen } : { listen, peer };
  const transport = new TcpTransport(loggerFactory.getLogger('cpm-engine.tcp'), way);
  await transport.connect();
  const place = transport.listening ?? listen;
  const { core, receive } = coreOver(transport, place, options, loggerFactory);
  transport.onMessage = receive;
  return {
    core,
    transport,
    address: hostPort(place),
    async close() {
      core.dispose();
      await transport.dispose();
    },
  };
}

/** A core on any transport of sip.js, and what takes the text that comes over it. */
export function coreOver(
  transport: Transport,
  place: Place,
  options: Omit<SipJsCoreOptions, 'listen' | 'peer'>,
  loggerFactory = loggersFor(options.log),
): { readonly core: UserAgentCore; readonly receive: (text: string) => void } {
  const core = new UserAgentCore(configurationOf(options, place, loggerFactory, transport));
  return { core, receive: (text) => receiveText(core, transport, text) };
}

function loggersFor(log: SipJsCoreOptions['log']): LoggerFactory {
  const loggerFactory = new LoggerFactory();
  loggerFactory.builtinEnabled = false;
  loggerFactory.level = Levels.warn;
  if (log !== undefined) {
    // sip.js gives its connector everything, whatever the level.
    loggerFactory.connector = (level, category, _label, content) => {
      if (level === 'warn' || level === 'error') log(level, category, content);
    };
  }
  return loggerFactory;
}

function configurationOf(
  options: Omit<SipJsCoreOptions, 'listen' | 'peer'>,
  place: Place,
  loggerFactory: LoggerFactory,
  transport: Transport,
): UserAgentCore['configuration'] {
  const { name, domain, contactParams } = options;
  const uri = new URI('sip', name, hostOf(place), place.port, { transport: 'tcp' });
  return {
    aor: new URI('sip', name, domain),
    contact: { uri, pubGruu: undefined, tempGruu: undefined, toString: () => `<${uri}>${contactParams ?? ''}` },
    displayName: '',
    loggerFactory,
    hackViaTcp: false,
    routeSet: [],
    sipjsId: name,
    supportedOptionTags: [],
    supportedOptionTagsResponse: [],
    userAgentHeaderFieldValue: options.userAgent ?? 'sip.js/0.21',
    viaForceRport: true,
    viaHost: hostPort(place),
    authenticationFactory: () => undefined,
    transportAccessor: () => transport,
  };
}

function hostOf({ host }: Place): string {
  return host.includes(':') ? `[${host}]` : host;
}

function receiveText(core: UserAgentCore, transport: Transport, text: string): void {
  const message = read(core, text);
  if (message instanceof IncomingRequestMessage) core.receiveIncomingRequestFromTransport(message);
  else if (message instanceof IncomingResponseMessage) core.receiveIncomingResponseFromTransport(message);
  else refuseUnread(transport, text);
}

const MANDATORY = ['via', 'from', 'to', 'call-id', 'cseq'];

function read(core: UserAgentCore, text: string): IncomingRequestMessage | IncomingResponseMessage | undefined {
  try {
    const message = Parser.parseMessage(text, core.loggerFactory.getLogger('sip.parser'));
    return message !== undefined && MANDATORY.every((name) => message.hasHeader(name)) ? message : undefined;
  } catch {
    // sip.js throws at a response whose CSeq it can't read.
    return undefined;
  }
}

/** A request sip.js can't read is answered all the same: 416 where that is for a scheme it does not know. */
function refuseUnread(transport: Transport, text: string): void {
  const { message: request, fault } = parseMessage(bytesOfText(text));
  if (request?.kind !== 'request' || request.method === 'ACK') return;
  const verdict = validateRequest(request, fault);
  if (verdict.kind === 'drop') return;
  const status = verdict.kind === 'refuse' ? verdict.status : onlySip(request) ? 400 : 416;
  transport.send(textOf(statelessRefusal(request, status))).catch(() => {});
}

function onlySip(request: SipRequest): boolean {
  const contacts = request.list('contact').map((value) => parseNameAddress(value)?.uri ?? '');
  return [request.uri, request.from?.uri ?? '', request.to?.uri ?? '', ...contacts].every((text) => {
    const uri = parseUri(text);
    return uri !== undefined && isSipUri(uri);
  });
}
