/** Kamailio as the SIP/IP core between the functions of two users: it record-routes, and calls each function by ISC. */
import { createSocket } from 'node:dgram';
import type { Program, Scene } from './processes.ts';

export interface ServedUser {
  /** User part of the address. */
  readonly name: string;
  /** Port of the user's Participating Function, UDP. */
  readonly functionPort: number;
  /** `host:port` of the user's client, TCP. */
  readonly client: string;
}

/** Starts Kamailio on a port, UDP and TCP, and waits until it answers. */
export async function startKamailio(scene: Scene, port: number, users: readonly ServedUser[]): Promise<Program> {
  const file = scene.file('kamailio.cfg', configuration(port, users));
  const program = scene.start('kamailio', ['-DD', '-E', '-m', '64', '-M', '8', '-f', file, '-Y', scene.folder]);
  await answersSip(`127.0.0.1:${port}`, program);
  return program;
}

/**
 * An INVITE goes to the caller's function, then to the callee's, then to the callee's client. Which of these is next
 * tells the Route the core gave it along to find back: an S-CSCF marks it so too (3GPP TS 24.229 5.4.3.2).
 */
function configuration(port: number, users: readonly ServedUser[]): string {
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=2
tcp_children=1
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
dns=no
rev_dns=no
dns_try_ipv6=no

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"

request_route {
	if (!mf_process_maxfwd_header("70")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if (is_method("OPTIONS") && !has_totag()) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (has_totag()) {
		if (loose_route()) {
			if (!t_relay()) sl_reply_error();
			exit;
		}
		if (is_method("ACK") && t_check_trans()) t_relay();
		if (!is_method("ACK")) sl_send_reply("404", "Not Here");
		exit;
	}
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	t_check_trans();
	record_route();
	if ($hdr(Route) =~ "odi=term") {
		remove_hf("Route");
		route(CLIENT);
	}
	if ($hdr(Route) =~ "odi=orig") {
		$var(user) = $rU;
		$var(case) = "term";
	} else {
		$var(user) = $fU;
		$var(case) = "orig";
		append_hf("P-Asserted-Identity: <sip:$fU@home.example>\r\n");
	}
	remove_hf("Route");
	route(FUNCTION);
}

route[FUNCTION] {
${users.map(({ name, functionPort }) => `	if ($var(user) == "${name}") $du = "sip:127.0.0.1:${functionPort}";`).join('\n')}
	append_hf("P-Served-User: <sip:$var(user)@home.example>;sescase=$var(case);regstate=reg\r\n");
	append_hf("Route: <$du;lr>, <sip:127.0.0.1:${port};lr;odi=$var(case)>\r\n");
	if (!t_relay()) sl_reply_error();
	exit;
}

route[CLIENT] {
${users.map(({ name, client }) => `	if ($rU == "${name}") $ru = "sip:${name}@${client};transport=tcp";`).join('\n')}
	if (!t_relay()) sl_reply_error();
	exit;
}
`;
}

/** Asks whoever listens there, `127.0.0.1:5060`, by OPTIONS until there is an answer. */
export function answersSip(address: string, program: Program): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    const end = (outcome: () => void): void => {
      clearInterval(asking);
      clearTimeout(limit);
      socket.close();
      outcome();
    };
    const ask = (): void => {
      const own = `127.0.0.1:${socket.address().port}`;
      const lines = [
        `OPTIONS sip:${address} SIP/2.0`,
        `Via: SIP/2.0/UDP ${own};branch=z9hG4bK-ready;rport`,
        `From: <sip:test@${own}>;tag=ready`,
        `To: <sip:${address}>`,
        `Call-ID: ready-${own}`,
        'CSeq: 1 OPTIONS',
        'Max-Forwards: 70',
        'Content-Length: 0',
      ];
      socket.send(`${lines.join('\r\n')}\r\n\r\n`, Number(port), host);
    };
    const limit = setTimeout(
      () => end(() => reject(new Error(`kamailio does not answer:\n${program.stderr}`))),
      15_000,
    );
    const asking = setInterval(ask, 100);
    socket.on('message', () => end(resolve));
    socket.bind(0, '127.0.0.1', ask);
  });
}
