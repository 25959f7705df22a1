/** Who this Participating Function is on the wire. */
export interface Identity {
  /** Host for Warning and for our own addresses. */
  readonly host: string;
  /** Product tokens of our release (appendix D, A-07), `CPM-serv/OMA2.0 …`. */
  readonly products: string;
  /** `host:port` and URI parameters of our Contact, such as `127.0.0.1:5060;transport=tcp`. */
  readonly contact: string;
  /** Address for the origin line of our session descriptions. */
  readonly mediaAddress: string;
  /** Methods we take, for Allow. */
  readonly methods: readonly string[];
}

/**
 * Contact URIs that resolve back to the original ones (200 step 5, A-14): the original is inside the token, encrypted
 * and authenticated, so that any node opens it, long after the session.
 */
export interface ContactCipher {
  /** A user part that hides the URI. The same URI gives the same token. */
  seal(uri: string): string;
  /** The URI of a token of ours; undefined for anything else. */
  open(token: string): string | undefined;
}
