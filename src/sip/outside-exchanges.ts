/** Requests outside any dialog, INVITEs excepted: those that came and are to be answered, and those of ours. */
import { NO_BYTES } from './message/bytes.ts';
import type { SipRequest, SipResponse } from './message/message.ts';
import { responseTo } from './message/respond.ts';
import type { ExchangeId, SipCommand } from './port.ts';
import type { ProxyContext } from './proxy/context.ts';
import { forwardBy } from './proxy/pass-through.ts';
import { responseForward } from './proxy/rules.ts';
import type { ServerTransaction } from './transaction/server.ts';

interface Exchange {
  readonly request: SipRequest;
  readonly transaction: ServerTransaction;
}

type Command<T extends SipCommand['type']> = Extract<SipCommand, { type: T }>;

export class OutsideExchanges {
  readonly #context: Pick<ProxyContext, 'sender' | 'emit'>;
  readonly #open = new Map<ExchangeId, Exchange>();

  constructor(context: Pick<ProxyContext, 'sender' | 'emit'>) {
    this.#context = context;
  }

  open(exchange: ExchangeId, request: SipRequest, transaction: ServerTransaction): void {
    this.#open.set(exchange, { request, transaction });
  }

  reply({ exchange, status, reason, headers, body }: Command<'reply'>): void {
    const open = this.#open.get(exchange);
    if (open === undefined) return;
    if (status >= 200) this.#open.delete(exchange);
    open.transaction.respond(
      responseTo(open.request, status, { reason, headers, body: body ?? NO_BYTES, toTag: exchange }),
    );
  }

  /** RFC 3261 16.7: as it came but for our Via; below it stand those of the request it answers. */
  replyAs(exchange: ExchangeId, response: SipResponse): void {
    const open = this.#open.get(exchange);
    this.#open.delete(exchange);
    open?.transaction.respond(responseForward(response));
  }

  leaveUnanswered(exchange: ExchangeId): void {
    this.#open.get(exchange)?.transaction.destroy();
    this.#open.delete(exchange);
  }

  send({ exchange, branch, request, routeSets }: Command<'sendOutside'>): void {
    const context = this.#context;
    const alternatives = routeSets.map((routeSet) => forwardBy(request, routeSet));
    const fail = (status: number, cause: 'timeout' | 'transport'): void =>
      context.emit({ type: 'outsideAnswered', exchange, status, cause });
    context.sender.send(alternatives, branch, {
      onResponse: (response) => {
        const { status } = response;
        if (status < 200) return;
        context.emit({ type: 'outsideAnswered', exchange, status, response, cause: 'response' });
      },
      onTimeout: () => fail(408, 'timeout'),
      onTransportError: () => fail(503, 'transport'),
    });
  }

  clear(): void {
    this.#open.clear();
  }
}
