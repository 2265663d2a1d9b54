import { createServer } from 'node:http';

/*
 * What runs in a droplet of the test bed: answers every request with the droplet's name and the address that the request
 * came from.
 *
 *     node dev/testbed/name-server.ts <name>
 */

const PORT = 80;

const [name = 'unnamed'] = process.argv.slice(2);
const server = createServer((request, response) => {
  const client = request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify({ name, client })}\n`);
});
server.listen(PORT, '::');
