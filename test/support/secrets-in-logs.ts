import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Every token has this shape, so that those are found too that nobody remembers. */
const TOKEN = /\brip[ho]?_[A-Za-z0-9_-]{43}/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** A line of a log that has a secret; the secret itself is not repeated. */
export interface Leak {
  file: string;
  line: number;
  /** What kind of secret. */
  secret: string;
}

/** Looks through all logs of a run below a folder, not those of the run before, for tokens, private keys, and the secrets of a run by their names. */
export async function findSecrets(folder: string, secrets: Record<string, string>): Promise<Leak[]> {
  const files = (await readdir(folder, { recursive: true }))
    .filter((file) => file.endsWith('.log') && !file.endsWith('.previous.log'))
    .sort();
  const leaks: Leak[] = [];
  for (const file of files) {
    const lines = (await readFile(join(folder, file), 'utf8')).split('\n');
    for (const [index, text] of lines.entries()) {
      for (const secret of secretsOf(text, secrets)) {
        leaks.push({ file: relative('.', join(folder, file)), line: index + 1, secret });
      }
    }
  }
  return leaks;
}

function secretsOf(text: string, secrets: Record<string, string>): string[] {
  const named = Object.entries(secrets).filter(([, value]) => text.includes(value));
  return [
    ...named.map(([name]) => name),
    ...(TOKEN.test(text) ? ['a token'] : []),
    ...(PRIVATE_KEY.test(text) ? ['a private key'] : []),
  ];
}
