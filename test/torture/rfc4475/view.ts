/** What was read out of a message, in a form that a table can state. */
import { parseNameAddress } from '../../../src/sip/message/address.ts';
import { textOfWire } from '../../../src/sip/message/bytes.ts';
import type { AnyMessage } from '../../../src/sip/message/message.ts';
import { isSipUri, parseUri } from '../../../src/sip/message/uri.ts';

export interface View {
  readonly method: string;
  readonly status: number;
  readonly reason: string;
  readonly uri: string;
  /** User part of the Request-URI, escapes kept. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly host: string;
  readonly from: AddressView | undefined;
  readonly to: AddressView | undefined;
  readonly callId: string;
  /** `9 INVITE` */
  readonly cseq: string | undefined;
  /** `UDP host:port`, of the topmost. */
  readonly via: string | undefined;
  readonly branch: string | undefined;
  readonly vias: number;
  readonly contacts: readonly (AddressView | undefined)[];
  /** Bytes. */
  readonly body: number;
  /** Values by canonical name, those on several lines joined by ` | `. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface AddressView {
  readonly display: string | undefined;
  readonly uri: string;
  readonly params: string;
}

export function viewOf(message: AnyMessage): View {
  const { via } = message;
  return {
    method: message.kind === 'request' ? message.method : '',
    status: message.kind === 'request' ? 0 : message.status,
    reason: message.kind === 'request' ? '' : textOfWire(message.reason),
    ...requestUri(message),
    from: addressView(message.header('from')),
    to: addressView(message.header('to')),
    callId: message.callId,
    cseq: message.cseq === undefined ? undefined : `${message.cseq.number} ${message.cseq.method}`,
    via: via === undefined ? undefined : `${via.transport} ${via.host}${via.port === undefined ? '' : `:${via.port}`}`,
    branch: message.branch,
    vias: message.list('via').length,
    contacts: message.list('contact').map(addressView),
    body: message.body.length,
    headers: headersOf(message),
  };
}

function requestUri(message: AnyMessage): Pick<View, 'uri' | 'user' | 'password' | 'host'> {
  if (message.kind === 'response') return { uri: '', user: undefined, password: undefined, host: '' };
  const uri = parseUri(message.uri);
  if (uri === undefined || !isSipUri(uri)) return { uri: message.uri, user: undefined, password: undefined, host: '' };
  return { uri: message.uri, user: uri.user, password: uri.password, host: uri.host };
}

function addressView(value: string | undefined): AddressView | undefined {
  const address = value === undefined ? undefined : parseNameAddress(value);
  if (address === undefined) return undefined;
  const { display, uri, params } = address;
  return { display: display === undefined ? undefined : textOfWire(display), uri, params: textOfWire(params) };
}

function headersOf(message: AnyMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { name, value } of message.headers) {
    headers[name] = headers[name] === undefined ? textOfWire(value) : `${headers[name]} | ${textOfWire(value)}`;
  }
  return headers;
}
