/** Exim as the mail server of the world outside: unprivileged, on loopback, with spool and mailboxes in the test's folder. */
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { freePort, type Scene } from './processes.ts';
import { until } from './server.ts';

/** It keeps mails of this domain, and refuses those for `nobody` of it. */
export const MAIL_DOMAIN = 'mail.example';
/** By its whole path, since /usr/sbin is not in everybody's. */
export const EXIM = '/usr/sbin/exim4';

export interface EximOptions {
  /** Port to which mails for other domains go: the IWF's inbox. */
  readonly inbox: number;
}

export class Exim {
  readonly port: number;
  readonly #folder: string;
  readonly #transport;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    this.#transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, name: 'client.example' });
  }

  static async start(scene: Scene, { inbox }: EximOptions): Promise<Exim> {
    const port = await freePort();
    const folder = join(scene.folder, 'exim');
    const mayBecome = process.getuid?.() === 0;
    // Debian's nobody; whoever else runs the tests stays who that is.
    const [uid, gid] = mayBecome ? [65_534, 65_534] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    chmodSync(scene.folder, 0o711);
    for (const name of ['', 'spool', 'log', 'mail']) {
      mkdirSync(join(folder, name));
      chownSync(join(folder, name), uid, gid);
    }
    // The installed one is setuid root and gives up what it reads from elsewhere; a copy has no privilege to give up.
    const program = join(folder, 'exim');
    copyFileSync(EXIM, program);
    const file = scene.file('exim.conf', configuration({ folder, program, port, inbox, uid, gid }));
    scene.start(program, ['-C', file, '-bdf', '-q1s']);
    const exim = new Exim(port, folder);
    await until('exim answers', () => exim.#transport.verify().then(Boolean, () => false), 30_000);
    return exim;
  }

  /** Mails in a mailbox, whole, in the order they came. */
  mails(user: string): string[] {
    const folder = join(this.#folder, 'mail', 'new');
    if (!existsSync(folder)) return [];
    const texts = readdirSync(folder)
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    return texts.filter((text) => text.includes(`\nEnvelope-to: ${user}@${MAIL_DOMAIN}\n`));
  }

  async arrived(user: string, count: number): Promise<string[]> {
    await until(`${user} has ${count} mails`, async () => this.mails(user).length >= count, 30_000);
    return this.mails(user);
  }

  /** Somebody writes a mail with a program of their own. */
  async write(mail: SendMailOptions): Promise<void> {
    await this.#transport.sendMail(mail);
  }

  get log(): string {
    const file = join(this.#folder, 'log', 'mainlog');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}

interface Settings {
  readonly folder: string;
  readonly program: string;
  readonly port: number;
  readonly inbox: number;
  readonly uid: number;
  readonly gid: number;
}

function configuration({ folder, program, port, inbox, uid, gid }: Settings): string {
  return `
exim_path = ${program}
deliver_drop_privilege
exim_user = ${uid}
exim_group = ${gid}
primary_hostname = mx.${MAIL_DOMAIN}
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts =
dsn_advertise_hosts = *
host_lookup =
keep_environment =
check_spool_space = 0
check_log_space = 0
message_logs = false
acl_smtp_rcpt = rcpt
domainlist ours = ${MAIL_DOMAIN}

begin acl
rcpt:
  deny domains = +ours
       local_parts = nobody
       message = no such user here
  accept

begin routers
boxes:
  driver = accept
  domains = +ours
  transport = box
elsewhere:
  driver = manualroute
  route_list = * 127.0.0.1::${inbox} byname
  self = send
  transport = onward

begin transports
box:
  driver = appendfile
  directory = ${folder}/mail
  maildir_format
  create_directory
  envelope_to_add
  return_path_add
onward:
  driver = smtp
  allow_localhost
  hosts_avoid_tls = *
  hosts_try_dane =

begin retry
* * F,1h,1s
`;
}
