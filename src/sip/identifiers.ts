/** Where tags, branches and keys come from. Injected, so that a run can be repeated from its seed. */
export interface IdentifierSource {
  /** At least 64 bits of randomness, of letters, digits and `_`: fit for a tag (RFC 3261 19.3). */
  token(): string;
}
