import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A TCP proxy that can fall silent: connections stay open, and what is sent into them is swallowed, as
 * after a cable was pulled or a firewall forgot the connection. No error tells anybody.
 */
export interface HalfOpenProxy {
  readonly port: number;
  /** From now on nothing gets through, in either direction, on old and new connections. */
  swallow(): void;
  /** New connections get through again. Those that were swallowed stay silent, as real ones do. */
  pass(): void;
  /** Ends all connections, so that whoever uses them sees it at once. */
  cut(): void;
  stop(): Promise<void>;
}

export async function halfOpenProxy(targetPort: number): Promise<HalfOpenProxy> {
  let isOpen = true;
  const pairs = new Set<Pair>();

  const server = createServer((near) => {
    const pair = joined(near, connect(targetPort, '127.0.0.1'));
    if (!isOpen) pair.silence();
    pairs.add(pair);
    near.on('close', () => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = () => {
    for (const pair of pairs) pair.cut();
  };
  return {
    port: (server.address() as AddressInfo).port,
    swallow() {
      isOpen = false;
      for (const pair of pairs) pair.silence();
    },
    pass() {
      isOpen = true;
    },
    cut,
    async stop() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Pair {
  silence(): void;
  cut(): void;
}

function joined(near: Socket, far: Socket): Pair {
  let isSilent = false;
  const forward = (from: Socket, to: Socket) => {
    from.on('data', (bytes) => {
      if (!isSilent) to.write(bytes);
    });
    // A silent connection is not closed either, whatever becomes of the other end.
    from.on('close', () => {
      if (!isSilent) to.destroy();
    });
    from.on('error', () => from.destroy());
  };
  forward(near, far);
  forward(far, near);
  return {
    silence() {
      isSilent = true;
    },
    cut() {
      near.destroy();
      far.destroy();
    },
  };
}
