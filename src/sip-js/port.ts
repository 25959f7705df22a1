/**
 * The {@link SipPort} over a sip.js UserAgentCore. sip.js keeps the transactions and dialogs; the port reads and writes
 * the messages with the stack's own model, so that the engine sees and says the same as on its own stack.
 */
import {
  type IncomingRequest,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  NameAddrHeader,
  NonInviteServerTransaction,
  ReInviteUserAgentServer,
  type SessionDialog,
  TransactionState,
  type UserAgentCore,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type { IdentifierSource } from '../sip/identifiers.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { paramOf } from '../sip/message/params.ts';
import { responseTo } from '../sip/message/respond.ts';
import { validateRequest } from '../sip/message/validate.ts';
import { defaultPort } from '../sip/message/via.ts';
import type { ExchangeId, LegId, SipCommand, SipEvent, SipPort, Source } from '../sip/port.ts';
import { forwardsLeft } from '../sip/proxy/rules.ts';
import type { Clock } from '../time/clock.ts';
import type { PortContext } from './context.ts';
import { takeInOrder } from './dialog-state.ts';
import type { Leg } from './leg.ts';
import { parsedOf, requestOf, textOf } from './messages.ts';
import { letOwnHeadersStand } from './own-headers.ts';
import { UacLeg } from './uac-leg.ts';
import { UasLeg } from './uas-leg.ts';

export interface SipJsPortOptions {
  readonly identifiers: IdentifierSource;
  readonly clock: Clock;
  /** True for a peer whose assertions are believed. The address is the one in `received` of its Via. */
  readonly trusts: (address: string) => boolean;
}

/** sip.js answers OPTIONS by itself, and knows no UPDATE (RFC 3311) and no PUBLISH but its own. */
const UNTOLD = ['OPTIONS', 'UPDATE', 'PUBLISH'];

type Execute<T extends SipCommand['type']> = Extract<SipCommand, { type: T }>;

export class SipJsPort implements SipPort, PortContext {
  readonly core: UserAgentCore;
  readonly clock: Clock;
  readonly #options: SipJsPortOptions;
  readonly #legs = new Map<LegId, Leg>();
  readonly #outside = new Map<ExchangeId, { readonly server: UserAgentServer; readonly request: SipRequest }>();
  #listener: (event: SipEvent) => void = () => {};
  /** What happened while sip.js is still at its message; told once it is done with it. */
  #held: SipEvent[] | undefined;

  constructor(core: UserAgentCore, options: SipJsPortOptions) {
    this.core = core;
    this.clock = options.clock;
    this.#options = options;
    letOwnHeadersStand(core);
    this.#takeOver();
  }

  /** The core's ways in and its delegate are the port's from here on. */
  #takeOver(): void {
    const { core } = this;
    const takeRequest = core.receiveIncomingRequestFromTransport.bind(core);
    const takeResponse = core.receiveIncomingResponseFromTransport.bind(core);
    core.receiveIncomingRequestFromTransport = (message) =>
      this.#holding(() => this.#receiveRequest(message, takeRequest));
    core.receiveIncomingResponseFromTransport = (message) =>
      this.#holding(() => this.#receiveResponse(message, takeResponse));
    const outside = (request: IncomingRequest): void => this.#receiveOutside(request as UserAgentServer);
    core.delegate = {
      onInvite: (request) => this.#receiveInvite(request as unknown as UserAgentServer),
      onMessage: outside,
      onNotify: outside,
      onRefer: outside,
      onRegister: outside,
      onSubscribe: outside,
    };
  }

  onEvent(listener: (event: SipEvent) => void): void {
    this.#listener = listener;
  }

  emit(event: SipEvent): void {
    if (this.#held === undefined) this.#listener(event);
    else this.#held.push(event);
  }

  warn(what: string, error: unknown): void {
    const said = error instanceof Error ? error.message : String(error);
    this.core.loggerFactory.getLogger('cpm-engine.sip-port').warn(`${what}: ${said}`);
  }

  /** What is held, for metrics and for tests that nothing leaks. */
  get held(): { readonly legs: number; readonly outside: number } {
    return { legs: this.#legs.size, outside: this.#outside.size };
  }

  // --- from the network --------------------------------------------------------------------------------------

  /** sip.js changes its state after it has told of a message; the engine's commands must find the new one. */
  #holding(receive: () => void): void {
    const held: SipEvent[] = [];
    this.#held = held;
    try {
      receive();
    } finally {
      this.#held = undefined;
    }
    for (const event of held) this.#listener(event);
  }

  #receiveResponse(message: IncomingResponseMessage, take: (message: IncomingResponseMessage) => void): void {
    withoutUntypedBody(message);
    try {
      take(message);
    } catch (error) {
      this.warn(`${message.statusCode} to ${message.method}`, error);
    }
  }

  #receiveRequest(message: IncomingRequestMessage, take: (message: IncomingRequestMessage) => void): void {
    const { message: request, fault } = parsedOf(message);
    if (request?.kind !== 'request') return;
    const verdict = validateRequest(request, fault);
    if (verdict.kind === 'drop') return;
    if (verdict.kind === 'refuse') {
      this.core.replyStateless(message, { statusCode: verdict.status });
      return;
    }
    withoutUntypedBody(message);
    // sip.js takes only requests to its own address: a function serves all users of its domain.
    message.ruri = this.core.configuration.contact.uri.clone();
    try {
      if (this.#isUntold(message)) this.#receiveUntold(message);
      else take(message);
    } catch (error) {
      // sip.js throws at what it can't read: a re-INVITE without Contact, an offer out of turn.
      this.warn(message.method, error);
      if (message.method !== 'ACK') this.core.replyStateless(message, { statusCode: 400 });
    }
    if (message.method === 'CANCEL') this.#receiveReinviteCancel(message);
  }

  #isUntold({ method, toTag }: { readonly method: string; readonly toTag: string | undefined }): boolean {
    return UNTOLD.includes(method) || (method === 'SUBSCRIBE' && toTag !== undefined);
  }

  /** The leg of a To tag: the leg's id, or that of one of its forks. */
  #legOf(tag: string): Leg | undefined {
    return this.#legs.get(tag) ?? this.#legs.get(tag.slice(0, Math.max(0, tag.lastIndexOf('.'))));
  }

  /** A request that sip.js would answer by itself or refuse for its method: the port finds its dialog. */
  #receiveUntold(message: IncomingRequestMessage): void {
    const { core } = this;
    const copyOf = core.userAgentServers.get(message.viaBranch);
    if (copyOf !== undefined) return copyOf.transaction.receiveRequest(message);
    const tag: string | undefined = message.toTag;
    if (tag === undefined) {
      return this.#receiveOutside(new UserAgentServer(NonInviteServerTransaction, core, message));
    }
    const dialog = core.dialogs.get(`${message.callId}${tag}${message.fromTag}`) as SessionDialog | undefined;
    const leg = this.#legOf(tag);
    if (dialog === undefined || leg === undefined) core.replyStateless(message, { statusCode: 481 });
    else if (takeInOrder(dialog, message)) {
      leg.receive(new UserAgentServer(NonInviteServerTransaction, core, message), dialog);
    }
  }

  #receiveReinviteCancel(cancel: IncomingRequestMessage): void {
    const server = this.core.userAgentServers.get(cancel.viaBranch);
    if (!(server instanceof ReInviteUserAgentServer)) return;
    if (server.transaction.state === TransactionState.Proceeding) {
      this.#legOf(cancel.toTag)?.receiveCancel(server);
    }
  }

  #receiveInvite(server: UserAgentServer): void {
    const request = requestOf(server.message);
    const contact: unknown = server.message.parseHeader('contact');
    if (!(contact instanceof NameAddrHeader)) return this.#refuse(server, request, 400);
    if (forwardsLeft(request) < 0) return this.#refuse(server, request, 483);
    const leg: LegId = `${this.#options.identifiers.token()}.a`;
    this.#legs.set(leg, new UasLeg(this, leg, server, request));
    this.emit({ type: 'invite', leg, request, source: this.#sourceOf(request) });
  }

  #refuse(server: UserAgentServer, request: SipRequest, status: number): void {
    const toTag = this.#options.identifiers.token();
    server.transaction.receiveResponse(status, textOf(responseTo(request, status, { toTag })));
  }

  #receiveOutside(server: UserAgentServer): void {
    const request = requestOf(server.message);
    const exchange = this.#options.identifiers.token();
    this.#outside.set(exchange, { server, request });
    this.emit({ type: 'outside', exchange, request, source: this.#sourceOf(request) });
  }

  #sourceOf(request: SipRequest): Source {
    const via = request.via;
    const params = via?.params ?? '';
    const transport = via?.transport ?? 'TCP';
    const received = paramOf(params, 'received');
    const port = Number(paramOf(params, 'rport')) || via?.port || defaultPort(transport);
    const trusted = received !== undefined && this.#options.trusts(received);
    return { address: received ?? via?.host ?? '', port, transport, trusted };
  }

  // --- from the session --------------------------------------------------------------------------------------

  execute(command: SipCommand): void {
    switch (command.type) {
      case 'trying':
        return this.#uas(command.leg)?.trying();
      case 'progress': {
        const { fork, status, reason, reliable } = command;
        return this.#uas(command.leg)?.progress(fork, status, reason, reliable, command);
      }
      case 'answer':
        return this.#uas(command.leg)?.answer(command.fork, command.status, command);
      case 'refuse':
        return this.#uas(command.leg)?.refuse(command.status, command.reason, command);
      case 'invite':
        this.#legs.set(command.leg, new UacLeg(this, command.leg, command.invite));
        return;
      case 'cancel':
        return this.#uac(command.leg)?.cancel(command.headers);
      case 'reply':
        return this.#reply(command);
      case 'replyAs':
      case 'leaveUnanswered':
      case 'sendOutside':
        // The engine takes pager-mode messages only where its port can take them up after a restart.
        throw new Error(`${command.type}: a sip.js user agent core can not forward as a proxy`);
      case 'release':
        this.#legs.get(command.leg)?.release();
        this.#legs.delete(command.leg);
        return;
      case 'acknowledge':
      case 'request':
      case 'cancelExchange':
      case 'respond':
        return this.#executeInDialog(command);
      default:
        return this.#refuseToForward(command);
    }
  }

  #uas(id: LegId): UasLeg | undefined {
    const leg = this.#legs.get(id);
    return leg instanceof UasLeg ? leg : undefined;
  }

  #uac(id: LegId): UacLeg | undefined {
    const leg = this.#legs.get(id);
    return leg instanceof UacLeg ? leg : undefined;
  }

  #executeInDialog(command: Execute<'acknowledge' | 'request' | 'cancelExchange' | 'respond'>): void {
    const leg = this.#legs.get(command.leg);
    switch (command.type) {
      case 'acknowledge':
        return leg?.acknowledge(command);
      case 'cancelExchange':
        return leg?.cancelExchange(command.exchange);
      case 'respond':
        return leg?.respond(command.exchange, command.status, command.reason, command);
      case 'request': {
        if (leg !== undefined) return leg.request(command.exchange, command.method, command.fork, command);
        const { exchange } = command;
        return this.emit({ type: 'response', leg: command.leg, exchange, status: 481, cause: 'transport' });
      }
    }
  }

  #reply({ exchange, status, reason, headers, body }: Execute<'reply'>): void {
    const waiting = this.#outside.get(exchange);
    if (waiting === undefined) return;
    if (status >= 200) this.#outside.delete(exchange);
    const response = responseTo(waiting.request, status, { reason, headers, body, toTag: exchange });
    waiting.server.transaction.receiveResponse(status, textOf(response));
  }

  /** A user agent core has no proxy in it. The caller hears of it too, so that it does not wait for nothing. */
  #refuseToForward(command: Extract<SipCommand, { leg: LegId }>): never {
    this.#uas(command.leg)?.refuse(500, undefined, { headers: [] });
    const setting =
      command.type === 'passThrough'
        ? "otherServices to 'reject'"
        : "policy.mediaPath to 'always', so that it is a B2BUA";
    throw new Error(
      `${command.type}: a sip.js user agent core can not forward as a proxy; set the engine's ${setting}`,
    );
  }
}

/** sip.js throws at a body without a type it can read. Our own model keeps the body; sip.js does not need it. */
function withoutUntypedBody(message: IncomingRequestMessage | IncomingResponseMessage): void {
  if (message.body !== '' && message.parseHeader('content-type') === undefined) message.body = '';
}
