/** Transaction identifiers and Message-IDs. */
export interface MsrpIdentifiers {
  /**
   * At least 64 bits of randomness in letters and digits. An identifier that a peer could guess would let it write the
   * end-line of a chunk it does not send itself into a body, and a request of its own behind it (RFC 4975 7.1).
   */
  token(): string;
}
