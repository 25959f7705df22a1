/**
 * The Interworking Selection Function (6.5): a SIP proxy that looks at the destination and the media of an INVITE and
 * sends it on to an IWF. It keeps no part in the dialog, so each IWF stands in a dialog of its own with the PF.
 */
import type { ListeningSipStack, SipEvent, SipRequest } from '../../sip/index.ts';
import { sdpOf } from '../../sip/message/body.ts';
import type { Directory } from './destination.ts';
import { ALLOW, refusalHeaders } from './iwf/headers.ts';
import { guarded, type ReferenceLog, type Tally } from './log.ts';
import { type IwfName, type Refusal, selectIwf } from './selection.ts';

export interface IsfOptions {
  readonly stack: ListeningSipStack;
  readonly directory: Directory;
  /** Where each IWF is, a SIP URI. */
  readonly iwfs: ReadonlyMap<IwfName, string>;
  readonly log: ReferenceLog;
  readonly tally: Tally;
}

export class Isf {
  readonly #options: IsfOptions;
  /** True once it stops: no INVITE goes on any more. */
  stopping = false;

  constructor(options: IsfOptions) {
    this.#options = options;
    options.stack.onEvent(guarded((event) => this.#on(event), options.log, options.tally));
  }

  #on(event: SipEvent): void {
    const { stack } = this.#options;
    if (event.type === 'outside') {
      const status = event.request.method === 'OPTIONS' ? 200 : 405;
      stack.execute({ type: 'reply', exchange: event.exchange, status, headers: [ALLOW] });
    } else if (event.type === 'invite') this.#onInvite(event.leg, event.request, event.source.trusted);
  }

  #onInvite(leg: string, request: SipRequest, trusted: boolean): void {
    const { stack, iwfs, log, tally } = this.#options;
    const choice = this.#choose(request, trusted);
    if (typeof choice === 'string') {
      tally.add(`isf.to.${choice}`);
      log.info({ call: leg, iwf: choice }, 'IWF selected');
      const routeSets = [[`<${iwfs.get(choice)}>`]];
      // A Route that is left after ours would lead past the choice.
      const routed = request.copy();
      routed.remove('route');
      return stack.execute({ type: 'passThrough', leg, request: routed, routeSets });
    }
    tally.add(`isf.refused.${choice.status}`);
    log.info({ call: leg, ...choice }, 'no IWF selected');
    stack.execute({ type: 'refuse', leg, status: choice.status, headers: refusalHeaders(choice, stack.contact) });
  }

  #choose(request: SipRequest, trusted: boolean): IwfName | Refusal {
    if (!trusted) return { status: 403, why: 'the peer is not in sip.trusted' };
    if (this.stopping) return { status: 503, why: 'stopping' };
    const sdp = sdpOf(request.header('content-type'), request.body);
    if (sdp === undefined && request.body.length > 0) return { status: 415, why: 'no session description in the body' };
    return selectIwf(request.uri, sdp, this.#options.directory, [...this.#options.iwfs.keys()]);
  }
}
