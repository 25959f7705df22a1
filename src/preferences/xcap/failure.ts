/** Why a document could not be had. The kind is for metrics, the message for people; neither names the user. */

export type FailureKind =
  | 'transport'
  | 'timeout'
  | 'status'
  | 'unauthorized'
  | 'redirect'
  | 'tooLarge'
  | 'malformed'
  | 'busy';

export class XcapFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.name = 'XcapFailure';
    this.kind = kind;
  }

  /** It is about the server, not about this document. */
  get ofServer(): boolean {
    return this.kind === 'transport' || this.kind === 'timeout';
  }
}
