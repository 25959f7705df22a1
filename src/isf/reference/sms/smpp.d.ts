/** What is used here of the package smpp, which brings no types. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server as NetServer, Socket } from 'node:net';

  export interface Pdu {
    readonly command: string;
    readonly command_status: number;
    readonly sequence_number: number;
    /** Fields by their SMPP names; texts are decoded where the data coding is known. */
    readonly [field: string]: unknown;
    isResponse(): boolean;
    response(fields?: Readonly<Record<string, unknown>>): Pdu;
  }

  export type Answered = (pdu: Pdu) => void;
  export type Fields = Readonly<Record<string, unknown>>;

  export class Session extends EventEmitter {
    readonly socket: Socket;
    send(pdu: Pdu, answered?: Answered): boolean;
    bind_transceiver(fields: Fields, answered: Answered): boolean;
    submit_sm(fields: Fields, answered: Answered): boolean;
    deliver_sm(fields: Fields, answered: Answered): boolean;
    enquire_link(fields: Fields, answered: Answered): boolean;
    unbind(fields: Fields, answered: Answered): boolean;
    close(): void;
    destroy(): void;
  }

  export interface ConnectOptions {
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
  }

  const smpp: {
    connect(options: ConnectOptions): Session;
    createServer(options: Fields, listener: (session: Session) => void): NetServer;
  };
  export default smpp;
}
