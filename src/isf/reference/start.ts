/** The reference ISF with its IWFs, on their sockets. */
import { NodeClock } from '../../host/node-clock.ts';
import { nodeMsrpIdentifiers } from '../../host/node-msrp-identifiers.ts';
import { DEFAULT_MSRP_LIMITS } from '../../msrp/limits.ts';
import { MsrpNetwork } from '../../msrp/transport/network.ts';
import { createSipStack, type ListeningSipStack } from '../../sip/index.ts';
import { type Directory, destinationOf } from './destination.ts';
import { Mail, type MailOptions } from './email/mail.ts';
import { Isf } from './isf.ts';
import { Correspondence } from './iwf/correspondence.ts';
import { MsrpDoor } from './iwf/door.ts';
import { Iwf, type IwfLimits } from './iwf/iwf.ts';
import type { Service } from './iwf/service.ts';
import { type ReferenceLog, Tally } from './log.ts';
import { ADDRESS, type IwfName, TAKES } from './selection.ts';
import { Sms, type SmsOptions } from './sms/sms.ts';

type Given = 'clock' | 'log' | 'tally';

export interface ReferenceOptions {
  /** Addresses the ISF is heard on, `udp:127.0.0.1:5080`. */
  readonly listen: readonly string[];
  readonly trusts: (address: string) => boolean;
  /** Next hop toward CPM users, a SIP URI. */
  readonly core: string | undefined;
  readonly t1: number;
  readonly media: { readonly host: string; readonly ports: readonly [number, number] };
  readonly directory: Directory;
  readonly limits: IwfLimits;
  /** Who wrote to whom: how many pairs are remembered, and how long, ms. */
  readonly answers: { readonly max: number; readonly keepMs: number };
  readonly sms: ({ readonly listen: string } & Omit<SmsOptions, Given>) | undefined;
  readonly email: ({ readonly listen: string } & Omit<MailOptions, Given>) | undefined;
  readonly log: ReferenceLog;
}

export interface Reference {
  readonly tally: Tally;
  readonly iwfs: ReadonlyMap<IwfName, Iwf>;
  /** `udp:127.0.0.1:5080` for each address the ISF is heard on. */
  readonly listening: readonly string[];
  /** What else listens, by name: each IWF, its inbox, the media. */
  readonly addresses: Readonly<Record<string, string>>;
  /** What is held, for metrics: sessions, and what waits at each service. */
  held(): Readonly<Record<string, number>>;
  /** IWFs that can't reach their far side now. */
  notReady(): readonly IwfName[];
  /** Ends every session, sends what waits as long as there is time, closes everything. */
  close(graceMs: number): Promise<void>;
}

/** Rejects where an address can't be had; nothing stays open then. */
export async function startReference(options: ReferenceOptions): Promise<Reference> {
  const stage = new Stage(options);
  try {
    return await stage.open();
  } catch (error) {
    await stage.close(0);
    throw error;
  }
}

class Stage {
  readonly #options: ReferenceOptions;
  readonly #clock = new NodeClock();
  readonly #tally = new Tally();
  readonly #stacks: ListeningSipStack[] = [];
  readonly #iwfs = new Map<IwfName, Iwf>();
  readonly #addresses: Record<string, string> = {};
  #network: MsrpNetwork | undefined;
  #isf: Isf | undefined;
  #sms: Sms | undefined;
  #mail: Mail | undefined;

  constructor(options: ReferenceOptions) {
    this.#options = options;
  }

  async open(): Promise<Reference> {
    const { media, limits, sms, email, directory, log } = this.#options;
    const network = await MsrpNetwork.listen({
      clock: this.#clock,
      limits: { ...DEFAULT_MSRP_LIMITS, idleMs: Math.max(limits.idleMs, DEFAULT_MSRP_LIMITS.idleMs) },
      address: media.host,
      ports: media.ports,
    });
    this.#network = network;
    this.#addresses.msrp = `${network.host}:${network.ports[0]}`;
    const door = new MsrpDoor(network, this.#clock, DEFAULT_MSRP_LIMITS.openMs);
    const given = { clock: this.#clock, log, tally: this.#tally };
    if (sms !== undefined) {
      this.#sms = new Sms({ ...sms, ...given });
      this.#sms.open(await this.#iwf(this.#sms, sms.listen, door));
    }
    if (email !== undefined) {
      this.#mail = new Mail({ ...email, ...given });
      this.#addresses.inbox = await this.#mail.open(await this.#iwf(this.#mail, email.listen, door));
    }
    const stack = await this.#stack(this.#options.listen);
    const iwfs = new Map([...this.#iwfs].map(([name, iwf]) => [name, `sip:${iwf.stack.contact};lr`] as const));
    this.#isf = new Isf({ stack, directory, iwfs, log, tally: this.#tally });
    return this.#reference(stack);
  }

  async #iwf(service: Service & { readonly name: IwfName }, listen: string, door: MsrpDoor): Promise<Iwf> {
    const { directory, core, limits, answers, log } = this.#options;
    const stack = await this.#stack([listen]);
    this.#addresses[service.name] = stack.listening.join(',');
    const iwf = new Iwf({
      service,
      stack,
      door,
      clock: this.#clock,
      msrpIdentifiers: nodeMsrpIdentifiers(),
      addressOf: (uri) => {
        const destination = destinationOf(uri, directory);
        return typeof destination === 'string' ? undefined : ADDRESS[service.name](destination);
      },
      takes: TAKES[service.name],
      core,
      limits,
      correspondence: new Correspondence(answers.max, answers.keepMs),
      log,
      tally: this.#tally,
    });
    this.#iwfs.set(service.name, iwf);
    return iwf;
  }

  async #stack(listen: readonly string[]): Promise<ListeningSipStack> {
    const { trusts, t1 } = this.#options;
    const stack = await createSipStack({ listen, trusts, timers: { t1 }, clock: this.#clock });
    this.#stacks.push(stack);
    return stack;
  }

  #reference(stack: ListeningSipStack): Reference {
    return {
      tally: this.#tally,
      iwfs: this.#iwfs,
      listening: stack.listening,
      addresses: this.#addresses,
      held: () => ({
        ...Object.fromEntries([...this.#iwfs].map(([name, { sessions }]) => [`${name}.sessions`, sessions.size])),
        ...prefixed('sms', this.#sms?.held ?? {}),
        ...prefixed('email', this.#mail?.held ?? {}),
        connections: this.#network?.connections ?? 0,
      }),
      notReady: () => [...this.#iwfs].flatMap(([name, { service }]) => (service.ready ? [] : [name])),
      close: (graceMs) => this.close(graceMs),
    };
  }

  async close(graceMs: number): Promise<void> {
    if (this.#isf !== undefined) this.#isf.stopping = true;
    for (const iwf of this.#iwfs.values()) iwf.stop();
    await Promise.all([this.#sms?.close(graceMs), this.#mail?.close(graceMs)]);
    await this.#answered(Math.min(graceMs, BYE_MS));
    await Promise.all(this.#stacks.map((stack) => stack.close()));
    await this.#network?.close();
    this.#clock.stop();
  }

  /** Until each BYE has its answer, or for a while. */
  async #answered(ms: number): Promise<void> {
    const end = this.#clock.now() + ms;
    const open = (): boolean => this.#stacks.some(({ held }) => held.clients > 0);
    while (open() && this.#clock.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A BYE that has no answer by then has nobody to answer it. */
const BYE_MS = 2000;

function prefixed(name: string, held: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(held).map(([key, value]) => [`${name}.${key}`, value]));
}
