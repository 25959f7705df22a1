/** One connection, as the layers above the transports see it. */
export interface Carrier {
  /** False once it has closed, or is about to. */
  readonly open: boolean;
  readonly secure: boolean;
  /** `127.0.0.1:40000` */
  readonly remote: string;
  /** SHA-256 fingerprint of the peer's certificate, `AB:CD:…`; undefined where it showed none. */
  readonly fingerprint: string | undefined;
  /** More waits for the peer than should; `onDrain` tells when nothing does. */
  readonly full: boolean;
  /** Keeps a wire string for the next `flush`. */
  write(text: string): void;
  /** Keeps a copy of bytes for the next `flush`. */
  writeBytes(bytes: Buffer): void;
  /** The same with those from here to there. */
  writePart(bytes: Buffer, from: number, to: number): void;
  flush(): void;
  /** Reads no further until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it: `gently` after what was written, within the time to linger. */
  close(gently: boolean): void;
}

/** Whoever uses a connection. */
export interface CarrierUser {
  onOpen(): void;
  /** The bytes are the user's until it returns: what they were read into is used again. */
  onData(bytes: Buffer): void;
  onDrain(): void;
  /** Told once. */
  onClosed(reason: string): void;
}

/** Where to connect to. */
export interface CarrierTarget {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** SHA-256 fingerprint its certificate must have (RFC 4975 14.4); undefined: it must be believed by its authority. */
  readonly fingerprint: string | undefined;
}
