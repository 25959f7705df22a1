/** SIPp scenarios written as steps, and SIPp itself. Each line of a message is a SIPp line, keywords included. */
import type { Program, Scene } from './processes.ts';

const CPM = 'urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session';
const ICSI = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session"';

export type Step = string;

function sdp(path: string): string[] {
  return [
    'v=0',
    'o=- 1 1 IN IP4 [local_ip]',
    's=-',
    'c=IN IP4 [local_ip]',
    't=0 0',
    'm=message 2855 TCP/MSRP *',
    'a=accept-types:message/cpim',
    `a=path:msrp://[local_ip]:2855/${path}[pid]s[call_number];tcp`,
  ];
}

function message(lines: readonly string[], body: readonly string[] = []): string {
  const head =
    body.length === 0
      ? [...lines, 'Content-Length: 0']
      : [...lines, 'Content-Type: application/sdp', 'Content-Length: [len]'];
  return [...head, '', ...body].join('\n');
}

export function send(text: string, attributes = ''): Step {
  return `<send ${attributes}><![CDATA[\n${text}\n]]></send>`;
}

export function recv(what: number | string, attributes = ''): Step {
  return `<recv ${typeof what === 'number' ? `response="${what}"` : `request="${what}"`} ${attributes}/>`;
}

export function pause(ms: number): Step {
  return `<pause milliseconds="${ms}"/>`;
}

/** Steps of the caller. `role` says whose function is called. */
export function caller(role: 'orig' | 'term') {
  const served = role === 'orig' ? '<sip:alice@home.example>;sescase=orig' : '<sip:bob@home.example>;sescase=term';
  const dialog = (method: string, cseq: number, uri = '[next_url]'): string[] => [
    `${method} ${uri} SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport',
    ...(uri === '[next_url]' ? ['[routes]'] : []),
    'Max-Forwards: 70',
    'From: <sip:alice@home.example>;tag=uac-[pid]-[call_number]',
    `To: <sip:bob@home.example>${uri === '[next_url]' ? '[peer_tag_param]' : ''}`,
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:alice@[local_ip]:[local_port]>',
  ];
  return {
    invite: (extra: readonly string[] = []): Step =>
      send(
        message(
          [
            ...dialog('INVITE', 1, 'sip:bob@home.example'),
            'P-Asserted-Identity: <sip:alice@home.example>',
            `P-Served-User: ${served}`,
            `P-Asserted-Service: ${CPM}`,
            `Accept-Contact: *;${ICSI}`,
            'Contribution-ID: c-[pid]-[call_number]',
            'Conversation-ID: v-[pid]-[call_number]',
            'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS',
            'Supported: timer',
            ...extra,
          ],
          sdp('uac'),
        ),
        'retrans="500" start_txn="invite"',
      ),
    ack: (cseq = 1): Step => send(message(dialog('ACK', cseq)), cseq === 1 ? 'ack_txn="invite"' : 'ack_txn="reinvite"'),
    refusalAck: (): Step =>
      send(
        message([
          ...dialog('ACK', 1, 'sip:bob@home.example').map((line) =>
            line.startsWith('To:') ? `${line}[peer_tag_param]` : line.replace('[branch]', '[branch-3]'),
          ),
        ]),
      ),
    bye: (cseq = 2, attributes = 'retrans="500" start_txn="bye"'): Step =>
      send(message(dialog('BYE', cseq)), attributes),
    reinvite: (cseq = 2): Step =>
      send(message(dialog('INVITE', cseq), sdp('uac2')), 'retrans="500" start_txn="reinvite"'),
    answer: (extra: readonly string[] = []): Step =>
      send(
        message([
          'SIP/2.0 200 OK',
          '[last_Via:]',
          '[last_From:]',
          '[last_To:]',
          '[last_Call-ID:]',
          '[last_CSeq:]',
          ...extra,
        ]),
      ),
    dialog,
    message,
  };
}

/** Steps of the callee. */
export const callee = {
  invite: (): Step => recv('INVITE', 'rrs="true"'),
  respond: (status: number, reason: string, tag = 'uas-[pid]-[call_number]', body = false, attributes = ''): Step =>
    send(
      message(
        [
          `SIP/2.0 ${status} ${reason}`,
          '[last_Via:]',
          '[last_Record-Route:]',
          '[last_From:]',
          `[last_To:];tag=${tag}`,
          '[last_Call-ID:]',
          '[last_CSeq:]',
          'Contact: <sip:bob@[local_ip]:[local_port]>',
          'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS',
        ],
        body ? sdp('uas') : [],
      ),
      attributes,
    ),
  ok: (tag?: string, attributes = 'retrans="500"'): Step => callee.respond(200, 'OK', tag, true, attributes),
  /** Answers a request inside the dialog. */
  answer: (status = 200, reason = 'OK'): Step =>
    send(
      message([
        `SIP/2.0 ${status} ${reason}`,
        '[last_Via:]',
        '[last_From:]',
        '[last_To:]',
        '[last_Call-ID:]',
        '[last_CSeq:]',
      ]),
    ),
  /** A request of the callee's own: From and To change places. */
  request: (method: string, cseq: number, attributes = ''): Step =>
    send(
      message([
        `${method} [next_url] SIP/2.0`,
        'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport',
        '[routes]',
        'Max-Forwards: 70',
        'From: <sip:bob@home.example>;tag=uas-[pid]-[call_number]',
        'To: <sip:alice@home.example>[peer_tag_param]',
        'Call-ID: [call_id]',
        `CSeq: ${cseq} ${method}`,
      ]),
      attributes,
    ),
};

function scenario(name: string, steps: readonly Step[]): string {
  return `<?xml version="1.0"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`;
}

export interface SippRun {
  readonly program: Program;
  /** `local:port` of this SIPp. */
  readonly port: number;
}

/** Starts a SIPp with these steps. `target` is where a caller calls. */
export function startSipp(
  scene: Scene,
  name: string,
  steps: readonly Step[],
  port: number,
  options: {
    readonly target?: number;
    readonly calls?: number;
    readonly rate?: number;
    readonly seconds?: number;
  } = {},
): Program {
  const file = scene.file(`${name}.xml`, scenario(name, steps));
  const args = [
    '-sf',
    file,
    '-i',
    '127.0.0.1',
    '-p',
    String(port),
    '-nostdin',
    '-trace_err',
    '-error_file',
    `${name}.err`,
  ];
  args.push(
    '-m',
    String(options.calls ?? 1),
    '-timeout',
    String(options.seconds ?? 60),
    '-timeout_error',
    '-cp',
    String(port + 1),
  );
  if (options.target !== undefined)
    args.push('-r', String(options.rate ?? 50), '-l', '5000', `127.0.0.1:${options.target}`);
  return scene.start('sipp', args);
}
