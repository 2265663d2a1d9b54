import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** How to speak TLS to a server. All of it is PEM. */
export interface TlsSettings {
  /** Who may have signed the server's certificate; the public authorities when null. */
  certificateAuthority: Buffer | null;
  /** Who we are, for servers that ask (mutual TLS); null when they are not told. */
  identity: TlsIdentity | null;
}

/** A certificate and the key that belongs to it. */
export interface TlsIdentity {
  certificate: Buffer;
  key: Buffer;
}

/** The settings of one server, as they are read. */
export interface TlsFields {
  enabled: boolean | undefined;
  certificateAuthority: Buffer | undefined;
  certificate: Buffer | undefined;
  key: Buffer | undefined;
}

/** A setting that is the path of a file; its value is what the file holds. */
export const fileSchema = z.string().transform((path, context) => {
  try {
    return readFileSync(path);
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: `${path} cannot be read (${error instanceof Error && 'code' in error ? error.code : error})`,
    });
    return z.NEVER;
  }
});

/**
 * Puts the settings of one server together; null means that it is spoken to in the clear. `report` is told of each
 * setting that does not go with the others, by the end of its name.
 */
export function readTls(fields: TlsFields, report: (setting: TlsSetting, message: string) => void): TlsSettings | null {
  const { enabled, certificateAuthority, certificate, key } = fields;
  const anyFile = certificateAuthority ?? certificate ?? key;
  if (enabled === false && anyFile) report('TLS', 'is false, but certificates are set');
  if (certificate && !key) report('TLS_CERT', 'needs the key that belongs to it, TLS_KEY');
  if (key && !certificate) report('TLS_KEY', 'needs the certificate that belongs to it, TLS_CERT');
  if (certificateAuthority && !parseCertificate(certificateAuthority)) report('TLS_CA', 'is not a PEM certificate');
  if (certificate && key) assertPair(certificate, key, report);
  if (!(enabled ?? anyFile)) return null;
  return {
    certificateAuthority: certificateAuthority ?? null,
    identity: certificate && key ? { certificate, key } : null,
  };
}

/** The settings in the words of Node, which the drivers of MySQL and Kafka use too. */
export function secureContextOptions({ certificateAuthority, identity }: TlsSettings): {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
} {
  return {
    ...(certificateAuthority && { ca: certificateAuthority }),
    ...(identity && { cert: identity.certificate, key: identity.key }),
  };
}

/** The end of a setting's name; before it comes the server's. */
export type TlsSetting = 'TLS' | 'TLS_CA' | 'TLS_CERT' | 'TLS_KEY';

function assertPair(certificate: Buffer, key: Buffer, report: (setting: TlsSetting, message: string) => void): void {
  const parsed = parseCertificate(certificate);
  if (!parsed) report('TLS_CERT', 'is not a PEM certificate');
  try {
    const privateKey = createPrivateKey(key);
    if (parsed && !parsed.checkPrivateKey(privateKey)) report('TLS_KEY', 'does not belong to TLS_CERT');
  } catch {
    report('TLS_KEY', 'is not a PEM key without a passphrase');
  }
}

function parseCertificate(pem: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}
