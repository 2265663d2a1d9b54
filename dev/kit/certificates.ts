import { webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
// The library for certificates does not load without it.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/** The paths of a certificate and its key, both PEM. */
export interface CertificateFiles {
  certificate: string;
  key: string;
}

/** A certificate authority of a test. */
export interface TestAuthority {
  /** Path of its certificate. */
  path: string;
  /** Signs a certificate for `localhost` and 127.0.0.1, for servers and clients alike. */
  issue(name: string): Promise<CertificateFiles>;
}

/** Makes an authority, whose files are in `folder`. */
export async function createAuthority(folder: string, name: string): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    { ...validity(), name: `CN=${name}`, keys, signingAlgorithm: ALGORITHM, extensions: [authorityExtension()] },
    webcrypto,
  );
  const path = join(folder, `${name}.pem`);
  await writeFile(path, certificate.toString('pem'));
  return { path, issue: (subject) => issue({ folder, subject, issuer: certificate.subject, keys }) };
}

interface Issue {
  folder: string;
  subject: string;
  issuer: string;
  keys: webcrypto.CryptoKeyPair;
}

async function issue({ folder, subject, issuer, keys }: Issue): Promise<CertificateFiles> {
  const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      ...validity(),
      subject: `CN=${subject}`,
      issuer,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
        ]),
      ],
    },
    webcrypto,
  );
  const files = { certificate: join(folder, `${subject}.pem`), key: join(folder, `${subject}.key`) };
  await writeFile(files.certificate, certificate.toString('pem'));
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
  await writeFile(files.key, `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`, { mode: 0o600 });
  return files;
}

function authorityExtension(): x509.BasicConstraintsExtension {
  return new x509.BasicConstraintsExtension(true, 0, true);
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}
