/** Certificates made for one test run. Node can't make them, so the openssl command must be there. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** A certificate of this authority for these alternative names, `DNS:pf.example,IP:127.0.0.1`. */
  issue(names: string): Certificate;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function authority(name: string): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'cpm-tls-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = (file: string): string => join(folder, file);
  const read = (file: string): string => readFileSync(path(file), 'utf8');
  openssl([
    'req',
    '-x509',
    ...CURVE,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
  ]);
  let issued = 0;
  return {
    cert: read('ca.pem'),
    key: read('ca.key'),
    issue(names) {
      issued++;
      const base = `${issued}`;
      openssl(['req', ...CURVE, '-subj', '/CN=unused', '-keyout', path(`${base}.key`), '-out', path(`${base}.csr`)]);
      writeFileSync(path(`${base}.ext`), `subjectAltName=${names}\n`);
      openssl([
        ...['x509', '-req', '-in', path(`${base}.csr`), '-CA', path('ca.pem'), '-CAkey', path('ca.key')],
        ...['-CAcreateserial', '-days', '2', '-extfile', path(`${base}.ext`), '-out', path(`${base}.pem`)],
      ]);
      return { cert: read(`${base}.pem`), key: read(`${base}.key`) };
    },
  };
}

function openssl(args: readonly string[]): void {
  try {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error(
      `the openssl command is needed to make certificates for the TLS tests: ${(error as Error).message}`,
    );
  }
}
