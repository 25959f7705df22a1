/** Listening addresses and certificates out of the configuration. */
import { readFileSync } from 'node:fs';
import type { TransportName } from '../sip/flow.ts';
import type { ListenAddress } from '../sip/transport/node-network.ts';
import type { Config } from './config/schema.ts';

export function listenAddresses(config: Config): ListenAddress[] {
  return config.sip.listen.map((text) => {
    const [, transport = '', address = '', port = ''] = /^(\w+):(.+):(\d+)$/.exec(text) ?? [];
    const bare = address === '*' ? '0.0.0.0' : address.replace(/^\[|\]$/g, '');
    return { transport: transport.toUpperCase() as TransportName, address: bare, port: Number(port) };
  });
}

/** PEM texts for TLS and WSS; undefined where neither is wanted. Throws where they are wanted and not given. */
export function tlsOf(config: Config) {
  const { tls, listen } = config.sip;
  if (tls === undefined) {
    if (listen.some((address) => /^(tls|wss):/.test(address))) {
      throw new Error('sip.listen names a TLS address, but sip.tls with cert and key is missing');
    }
    return undefined;
  }
  return {
    cert: readFileSync(tls.cert, 'utf8'),
    key: readFileSync(tls.key, 'utf8'),
    ...(tls.ca === undefined ? {} : { ca: readFileSync(tls.ca, 'utf8') }),
    requestCert: tls.requestCert,
  };
}
