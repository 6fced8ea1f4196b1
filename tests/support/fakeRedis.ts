import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Something that listens where a Redis should be. */
export interface FakeRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param answer what it says to whatever comes; undefined for nothing, ever */
export async function fakeRedis(answer: string | undefined): Promise<FakeRedis> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      if (answer === undefined) return;
      // Each command is an array, which begins with a star at the beginning of a line.
      const commands = data.toString('latin1').match(/^\*/gm)?.length ?? 0;
      socket.write(answer.repeat(commands));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
