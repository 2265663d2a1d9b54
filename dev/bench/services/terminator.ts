import { print } from '../../../platform/text/print.ts';
import { terminateTls } from '../../kit/tls-terminator.ts';

/*
 * The balancer in front of the gateway, as a process of its own: ends the customers' TLS. It hands bytes on and knows no
 * HTTP, which is the least that such a balancer can cost.
 */

const { TERMINATOR_TARGET = '', TERMINATOR_PORT, TLS_CA = '', TLS_CERT = '', TLS_KEY = '' } = process.env;
const files = { certificateAuthority: TLS_CA, certificate: TLS_CERT, key: TLS_KEY };
const options = { clientCertificates: false, protocol: 'http/1.1', port: Number(TERMINATOR_PORT) } as const;
const terminator = await terminateTls(TERMINATOR_TARGET, files, options);
print(`listening on ${terminator.address}`);
process.once('SIGTERM', () => void terminator.close().then(() => process.exit()));
