/** Dovecot as the operator's message store: on loopback, with its mail in the test's folder, ended by its own id. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort, type Program, type Scene } from './processes.ts';

export interface DovecotOptions {
  /** Quota of each user, as Dovecot writes it: `*:storage=64K`. */
  readonly quota?: string;
  /** TLS: a certificate for 127.0.0.1 is made, imaps gets a port, and imap offers STARTTLS. */
  readonly tls?: boolean;
  /** How mail lies on the disk. Maildir++ refuses dots in names, the others do not (A-18). */
  readonly layout?: 'sdbox:~/mail' | 'maildir:~/Maildir';
  readonly separator?: '/' | '.';
  /** Capabilities to offer instead of all: a server that can do less. */
  readonly capability?: string;
}

/** The password of every user and of the master user. */
export const PASSWORD = 'correct-horse';
export const MASTER = 'cpm';

export class Dovecot {
  readonly port: number;
  /** Port of imaps; 0 without TLS. */
  readonly tlsPort: number;
  readonly #scene: Scene;
  readonly #configuration: string;
  #program: Program | undefined;

  private constructor(scene: Scene, port: number, tlsPort: number, configuration: string) {
    this.#scene = scene;
    this.port = port;
    this.tlsPort = tlsPort;
    this.#configuration = configuration;
  }

  static async start(scene: Scene, options: DovecotOptions = {}): Promise<Dovecot> {
    const [port, tlsPort] = [await freePort(), options.tls ? await freePort() : 0];
    prepare(scene, options);
    const file = scene.file('dovecot.conf', configuration(scene.folder, port, tlsPort, options));
    const dovecot = new Dovecot(scene, port, tlsPort, file);
    await dovecot.start();
    return dovecot;
  }

  get url(): string {
    return `imap://127.0.0.1:${this.port}`;
  }

  /** PEM file of the certificate, which is its own authority. */
  get certificate(): string {
    return join(this.#scene.folder, 'dovecot.crt');
  }

  /** What it logged, for a test that fails. */
  get log(): string {
    const file = join(this.#scene.folder, 'dovecot.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async start(): Promise<void> {
    this.#program = this.#scene.start('dovecot', ['-F', '-c', this.#configuration]);
    const end = Date.now() + 15_000;
    while (!(await greets(this.port))) {
      if (Date.now() > end) throw new Error(`dovecot does not answer:\n${this.#program.stderr}\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it, with every connection; its port refuses from then on. */
  async stop(): Promise<void> {
    const processes = childrenOf(this.#program?.child.pid);
    await this.#program?.end();
    // A mail process serves its client to the end, even when nobody can come any more.
    for (const pid of processes) {
      if (nameOf(pid).startsWith('imap')) process.kill(pid, 'SIGKILL');
    }
  }
}

function childrenOf(parent: number | undefined): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => statusOf(pid, 'PPid') === String(parent));
}

function nameOf(pid: number): string {
  return statusOf(pid, 'Name');
}

/** Empty where the process is gone. */
function statusOf(pid: number, field: string): string {
  try {
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

/** Mail is never touched as root: where the test runs as root, the mail belongs to nobody. */
export function owner(): { readonly uid: number; readonly gid: number } {
  const { uid, gid } = userInfo();
  return uid === 0 ? { uid: 65_534, gid: 65_534 } : { uid, gid };
}

function prepare(scene: Scene, { tls }: DovecotOptions): void {
  const { uid, gid } = owner();
  // A folder of the test is its owner's alone; mail processes must pass through it.
  chmodSync(scene.folder, 0o711);
  const mail = join(scene.folder, 'mail');
  mkdirSync(mail);
  chownSync(mail, uid, gid);
  scene.file('masters', `${MASTER}:{PLAIN}${PASSWORD}\n`);
  chmodSync(join(scene.folder, 'masters'), 0o644);
  if (tls !== true) return;
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', 'dovecot.key', '-out', 'dovecot.crt'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', ...kind, ...files, ...subject], { cwd: scene.folder, stdio: 'ignore' });
}

/** Started as root it changes to the users its package made; else everything runs as whoever started it. */
export function runners(): string {
  const { username } = userInfo();
  if (username === 'root') return '';
  const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  return [
    `default_internal_user = ${username}`,
    `default_login_user = ${username}`,
    `default_internal_group = ${group}`,
  ].join('\n');
}

function configuration(folder: string, port: number, tlsPort: number, options: DovecotOptions): string {
  const { quota, tls = false, layout = 'sdbox:~/mail', separator = '/', capability } = options;
  const { uid, gid } = owner();
  return `
protocols = imap
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
${runners()}
first_valid_uid = 1
disable_plaintext_auth = no
auth_mechanisms = plain
auth_master_user_separator = *
auth_failure_delay = 0
mail_fsync = never
mail_max_userip_connections = 100
mail_home = ${folder}/mail/%Lu
mail_location = ${layout}
mail_attribute_dict = file:%h/dovecot-attributes
${capability === undefined ? '' : `imap_capability = ${capability}`}
namespace inbox {
  inbox = yes
  separator = ${separator}
}
passdb {
  driver = passwd-file
  args = ${folder}/masters
  master = yes
}
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} allow_all_users=yes
}
ssl = ${tls ? 'yes' : 'no'}
${tls ? `ssl_cert = <${folder}/dovecot.crt\nssl_key = <${folder}/dovecot.key` : ''}
service imap-login {
  chroot =
  service_count = 0
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
  }
}
service imap {
  service_count = 1000
  process_limit = 100
}
service auth {
  client_limit = 2000
}
service anvil {
  chroot =
}
protocol imap {
  imap_metadata = yes
  ${quota === undefined ? '' : 'mail_plugins = quota imap_quota'}
}
${quota === undefined ? '' : `plugin {\n  quota = count:User quota\n  quota_vsizes = yes\n  quota_rule = ${quota}\n  quota_grace = 0\n}`}
`;
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', end(true));
    socket.once('error', end(false));
    socket.once('close', end(false));
  });
}
