/** Lets the engine say in a request what sip.js would say from its configuration. */
import type { UserAgentCore } from 'sip.js/lib/core/index.js';
import { canonicalName, splitList } from '../sip/message/header.ts';

/**
 * sip.js ends every request with a Supported and a User-Agent of its configuration, also where the request brings its
 * own: a second User-Agent is no SIP, and a second Supported promises for a leg what only the host can do. From here on
 * those of the request stand alone.
 */
export function letOwnHeadersStand(core: UserAgentCore): void {
  const make = core.makeOutgoingRequestMessage.bind(core);
  core.makeOutgoingRequestMessage = (method, uri, from, to, options, extraHeaders = [], body) => {
    const own = new Map<string, string[]>();
    const others: string[] = [];
    for (const line of extraHeaders) {
      const colon = line.indexOf(':');
      const name = canonicalName(line.slice(0, colon).trim());
      const value = line.slice(colon + 1).trim();
      if (name === 'supported' || name === 'user-agent') own.set(name, [...(own.get(name) ?? []), value]);
      else others.push(line);
    }
    const supported = own.get('supported');
    const agent = own.get('user-agent');
    const said = {
      ...options,
      ...(supported === undefined ? {} : { optionTags: supported.flatMap(splitList) }),
      ...(agent === undefined ? {} : { userAgentString: agent.join(' ') }),
    };
    return make(method, uri, from, to, said, others, body);
  };
}
