/**
 * A URI that leaves as it was written. sip.js takes URIs apart and puts them together again: it drops the case and the
 * escapes of the user part, and knows no other scheme than sip. A Participating Function passes on what it received.
 */
import { URI } from 'sip.js/lib/grammar/index.js';

export class VerbatimUri extends URI {
  readonly #text: string;

  constructor(text: string) {
    // sip.js asks for a host; nothing reads the parts of a URI on its way out.
    super(text.slice(0, Math.max(0, text.indexOf(':'))), '', 'verbatim.invalid');
    this.#text = text;
  }

  override clone(): URI {
    return new VerbatimUri(this.#text);
  }

  override toRaw(): string {
    return this.#text;
  }

  override toString(): string {
    return this.#text;
  }
}
