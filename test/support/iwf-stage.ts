/** The reference ISF inside the test's own process, with a CPM user's phone right before it. */

import { parseCpimHead } from '../../src/cpim/cpim.ts';
import { readDelivery } from '../../src/cpim/imdn.ts';
import { type Reference, startReference } from '../../src/isf/reference/start.ts';
import { isfSchema } from '../../src/server/config/isf.ts';
import { referenceOptions } from '../../src/server/isf.ts';
import { createLog, referenceLog } from '../../src/server/log.ts';
import { bodyOf, type Call, type Lines } from '../../src/testing/index.ts';
import { cpim } from './cpim.ts';
import { type Arrived, MsrpPhone } from './msrp-phone.ts';
import { until } from './server.ts';
import { UdpPhone } from './udp-phone.ts';

export const ALICE = 'sip:alice@home.example';

export class IwfStage {
  readonly reference: Reference;
  /** Invites, and is invited. */
  readonly alice: UdpPhone;
  readonly log: Record<string, unknown>[];
  readonly #phones: MsrpPhone[] = [];

  private constructor(reference: Reference, alice: UdpPhone, log: Record<string, unknown>[]) {
    this.reference = reference;
    this.alice = alice;
    this.log = log;
  }

  static async open(config: Record<string, unknown>): Promise<IwfStage> {
    const alice = await UdpPhone.open('alice', '127.0.0.1:9');
    const { sip, ...rest } = config as { sip?: Record<string, unknown> };
    const whole = isfSchema.parse({
      sip: { listen: ['udp:127.0.0.1:0'], core: `sip:127.0.0.1:${alice.port};lr`, t1: 50, ...sip },
      media: { ports: '0' },
      ...rest,
    });
    const log: Record<string, unknown>[] = [];
    const logger = createLog(
      { level: 'info', format: 'json', redact: false },
      { write: (line) => void log.push(JSON.parse(line)) },
    );
    const reference = await startReference(referenceOptions(whole, referenceLog(logger, false)));
    alice.peer.pf = reference.listening[0]?.replace(/^udp:/, '') ?? '';
    return new IwfStage(reference, alice, log);
  }

  async phone(): Promise<MsrpPhone> {
    const phone = await MsrpPhone.open('alice');
    this.#phones.push(phone);
    return phone;
  }

  /** Final status of an INVITE. */
  async outcome(uri: string, sdp: string | null, headers: Lines = []): Promise<number> {
    return (await this.alice.outcome(this.alice.invite({ uri, sdp, headers }))).status;
  }

  /** A chat that Alice begins. */
  async chat(uri: string, headers: Lines = []): Promise<StagedChat> {
    const phone = await this.phone();
    const call = this.alice.invite({ uri, sdp: phone.sdp('actpass'), headers });
    const answer = await this.alice.outcome(call);
    if (answer.status !== 200) throw new Error(`the chat got ${answer.status}`);
    const told = bodyOf(answer);
    phone.join(told, !/a=setup:active/.test(told));
    await until('the media are connected', async () => phone.session?.open === true);
    return new StagedChat(this, call, phone, uri);
  }

  /** The next call that comes in, once it is there. */
  async invited(): Promise<Call> {
    const made = (call: Call): boolean => call.callId.startsWith('call-');
    const incoming = (): Call | undefined => [...this.alice.calls.values()].find((call) => !made(call));
    await until('Alice is invited', async () => incoming() !== undefined, 30_000);
    return incoming() as Call;
  }

  count(event: string): number {
    return this.reference.tally.of(event);
  }

  async happened(event: string, times = 1): Promise<void> {
    await until(`${event} ${times} times`, async () => this.count(event) >= times, 30_000);
  }

  async close(): Promise<void> {
    for (const phone of this.#phones) await phone.close();
    await this.reference.close(200);
    this.alice.close();
    if (this.count('internalErrors') > 0) throw new Error(`our own code failed: ${JSON.stringify(this.log)}`);
  }
}

export class StagedChat {
  readonly call: Call;
  readonly phone: MsrpPhone;
  readonly #stage: IwfStage;
  readonly #uri: string;

  constructor(stage: IwfStage, call: Call, phone: MsrpPhone, uri: string) {
    this.#stage = stage;
    this.call = call;
    this.phone = phone;
    this.#uri = uri;
  }

  /** Writes a text; MSRP's status for it. `wants`: what of RFC 5438 is asked for. */
  async write(text: string, id: string, { wants = 'positive-delivery, negative-delivery' } = {}): Promise<number> {
    const content = cpim(Buffer.from(text).toString('latin1'), { id, from: `<${ALICE}>`, to: `<${this.#uri}>` });
    const asked = content.replace(
      /^imdn\.Disposition-Notification: .*\r\n/m,
      wants === '' ? '' : `imdn.Disposition-Notification: ${wants}\r\n`,
    );
    return (await this.phone.say(asked, { messageId: `msrp${id}` })).status;
  }

  get texts(): string[] {
    return this.phone.arrived.filter(({ text }) => parseCpimHead(text)?.contentType === 'text/plain').map(contentOf);
  }

  get notifications(): string[] {
    return this.phone.arrived.flatMap((each) => {
      const told = readDelivery(contentOf(each));
      return told === undefined ? [] : [`${told.messageId} ${told.outcome}`];
    });
  }

  async notified(wanted: string): Promise<void> {
    await until(wanted, async () => this.notifications.includes(wanted), 30_000);
  }

  async heard(text: string): Promise<void> {
    await until(`Alice reads ${text}`, async () => this.texts.includes(text), 30_000);
  }

  async hangUp(): Promise<void> {
    await this.#stage.alice.bye(this.call);
  }
}

function contentOf({ text }: Arrived): string {
  return Buffer.from(text.slice(parseCpimHead(text)?.contentAt ?? 0), 'latin1').toString();
}
