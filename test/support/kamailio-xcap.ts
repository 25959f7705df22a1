/** Kamailio as an XCAP server: its module xcap_server behind its HTTP module, its documents in text files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type Program, type Scene } from './processes.ts';
import { until } from './server.ts';

/** Kamailio knows no `org.openmobilealliance.access-rules`; any ruleset of RFC 4745 may stand in for it. */
export const RULES_DOCUMENT = 'org.openmobilealliance.pres-rules/users/{user}/pres-rules';

/** Name and password of whoever may read, where it asks for them. */
export interface Reader {
  readonly username: string;
  readonly password: string;
}

export class XcapServer {
  readonly program: Program;
  readonly root: string;

  constructor(program: Program, root: string) {
    this.program = program;
    this.root = root;
  }

  /** Writes `resource-lists/users/sip:bob@home.example/index`, a path below the root. */
  async put(path: string, body: string): Promise<void> {
    const { status } = await fetch(`${this.root}/${path}`, { method: 'PUT', body });
    if (status !== 200 && status !== 201) throw new Error(`PUT ${path}: ${status}\n${this.program.stderr}`);
  }

  /** On whose behalf it was asked, in order: values of X-3GPP-Asserted-Identity. */
  get askers(): string[] {
    return [...this.program.stderr.matchAll(/asked for ("\S+")/g)].map((match) => match[1] ?? '');
  }
}

/** Starts it and waits until it answers. With a reader it asks for digest authentication. */
export async function startXcapServer(scene: Scene, reader?: Reader): Promise<XcapServer> {
  const port = await freePort();
  const tables = join(scene.folder, 'xcap-tables');
  mkdirSync(tables, { recursive: true });
  writeFileSync(join(tables, 'version'), 'table_name(string) table_version(int) \nxcap:4\n');
  const columns = 'id(int,auto) username(string) domain(string) doc(string) doc_type(int) etag(string)';
  writeFileSync(join(tables, 'xcap'), `${columns} source(int) doc_uri(string) port(int) \n`);
  const file = scene.file('kamailio-xcap.cfg', configuration(port, tables, reader));
  const program = scene.start('kamailio', ['-DD', '-E', '-m', '64', '-M', '8', '-f', file, '-Y', scene.folder]);
  const root = `http://127.0.0.1:${port}/xcap-root`;
  await until('the XCAP server answers', () =>
    fetch(root).then(
      () => true,
      () => false,
    ),
  );
  return new XcapServer(program, root);
}

function configuration(port: number, tables: string, reader: Reader | undefined): string {
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
listen=tcp:127.0.0.1:${port}
tcp_accept_no_cl=yes
dns=no
rev_dns=no
dns_try_ipv6=no

loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "auth.so"
loadmodule "xlog.so"
loadmodule "xhttp.so"
loadmodule "db_text.so"
loadmodule "xcap_server.so"

modparam("db_text", "db_mode", 1)
modparam("xcap_server", "db_url", "text://${tables}")
modparam("xcap_server", "xcap_root", "/xcap-root")

request_route {
	exit;
}

event_route[xhttp:request] {
	if ($rm == "PUT") {
		$xcapuri(u=>data) = $hu;
		xcaps_put("$xcapuri(u=>xuid)", "$hu", "$rb");
		exit;
	}
${reader === undefined ? '' : authentication(reader)}
	xlog("L_ERR", "asked for $hdr(X-3GPP-Asserted-Identity)\\n");
	$xcapuri(u=>data) = $hu;
	xcaps_get("$xcapuri(u=>xuid)", "$hu");
}
`;
}

function authentication({ username, password }: Reader): string {
  return `	if ($au != "${username}" || !pv_www_authenticate("xcap", "${password}", "0")) {
		www_challenge("xcap", "1");
		exit;
	}
`;
}
