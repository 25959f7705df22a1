/** Between session descriptions and bindings: whom a line speaks of, and what ours says (RFC 4975 8, RFC 6135, 6714). */
import type { MsrpLine, OwnMsrpLine, Setup } from '../../sdp/msrp-lines.ts';
import { DEFAULT_MSRP_PORT, parsePath } from '../message/uri.ts';
import type { Binding, MediaPeer } from './binding.ts';

/** Undefined for a line that is rejected, or that says of nobody where it is. */
export function peerOf(line: MsrpLine): MediaPeer | undefined {
  const uris = line.path === undefined ? undefined : parsePath(line.path);
  const first = uris?.[0];
  if (line.port === 0 || line.path === undefined || first === undefined) return undefined;
  // RFC 6714 4.3: the c= and m= lines lead to the peer, or to whoever stands in its way.
  const cema = line.cema && line.address !== undefined;
  return {
    path: uris?.map(({ text }) => text).join(' ') ?? '',
    target: {
      host: cema ? (line.address as string) : first.host,
      port: cema ? line.port : (first.port ?? DEFAULT_MSRP_PORT),
      secure: line.secure,
      fingerprint: line.fingerprint,
    },
    cema,
  };
}

/**
 * RFC 6135, RFC 4975 8.5: what we say of who connects. A peer that says nothing of it connects where it offered, and so
 * do we; we offer both, and else let the peer come to us, since a client is rarely reached from outside.
 */
export function setupToward(said: Setup | null | undefined, active: boolean, peer: MsrpLine | undefined): Setup | null {
  if (said === undefined && peer === undefined) return 'actpass';
  if (peer?.setup === 'passive') return 'active';
  if (peer?.setup === 'active') return 'passive';
  if (said === undefined || said === null) return peer?.setup === undefined ? null : 'passive';
  return active ? 'active' : said === 'actpass' && peer === undefined ? 'actpass' : 'passive';
}

/** Whether we connect, from what both sides have said. */
export function isActive(said: Setup | null, peer: Setup | undefined): boolean {
  if (said === 'actpass') return peer !== 'active';
  return said === 'active';
}

export interface OwnSide {
  readonly host: string;
  readonly fingerprint: string | null;
  readonly maxSize: number | null;
}

export function ownLine(binding: Binding, setup: Setup | null, cema: boolean, own: OwnSide): OwnMsrpLine {
  return {
    host: own.host,
    port: binding.port,
    secure: binding.secure,
    uri: binding.uri,
    setup,
    cema,
    fingerprint: binding.secure ? own.fingerprint : null,
    maxSize: own.maxSize,
  };
}
