/** What the streams of an offer are for, as far as the choice of an IWF asks (RFC 4975 8, RFC 5547). */
import { msrpLines } from '../../sdp/msrp-lines.ts';
import { scanStreams } from '../../sdp/streams.ts';

export interface OfferedStream {
  /** Place among the m-lines. */
  readonly index: number;
  /** `chat`: CPIM messages with text; `file`: one file, or messages that are never text; `other`: no MSRP in the clear. */
  readonly kind: 'chat' | 'file' | 'other';
}

/** Streams that are offered at all; those at port 0 are left out. */
export function offeredStreams(sdp: string): readonly OfferedStream[] {
  const lines = msrpLines(sdp);
  const sections = sdp.split(/^(?=m=)/m).slice(1);
  return scanStreams(sdp).flatMap(({ media, port }, index): OfferedStream[] => {
    if (port === 0) return [];
    const line = lines[index];
    // TLS stays between the function and its client (digest 3.1); toward its own network it speaks TCP.
    if (media !== 'message' || line === undefined || line.secure || line.path === undefined)
      return [{ index, kind: 'other' }];
    return [{ index, kind: isChat(sections[index] ?? '') ? 'chat' : 'file' }];
  });
}

function isChat(section: string): boolean {
  if (/^a=file-selector:/im.test(section)) return false;
  const plain = listOf(section, 'accept-types');
  const wrapped = listOf(section, 'accept-wrapped-types');
  const text = (types: readonly string[]): boolean =>
    types.some((type) => type === '*' || type === 'text/*' || type === 'text/plain');
  return text(plain) || (plain.some((type) => type === 'message/cpim') && (wrapped.length === 0 || text(wrapped)));
}

function listOf(section: string, attribute: string): readonly string[] {
  const value = new RegExp(`^a=${attribute}:(.*)$`, 'im').exec(section)?.[1] ?? '';
  return value.trim().toLowerCase().split(/\s+/).filter(Boolean);
}
