import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RawOptions {
  /** Closes the sending side when all is sent. */
  readonly end?: boolean;
  /** Waits this long after each part. */
  readonly pauseMs?: number;
  readonly patienceMs?: number;
}

/**
 * Sends bytes as they are, and gives back all that comes until the server closes the connection;
 * what is cut off by a reset counts as far as it came. @throws Error when the server keeps it open
 */
export function sendRaw(
  port: number,
  parts: readonly (string | Buffer)[],
  { end = false, pauseMs = 0, patienceMs = 20_000 }: RawOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    let open = true;
    const socket = connect(port, '127.0.0.1');
    const patience = setTimeout(() => {
      reject(new Error(`the server keeps the connection open; so far ${received.slice(0, 500)}`));
      socket.destroy();
    }, patienceMs);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open = false;
      clearTimeout(patience);
      resolve(received);
    });
    socket.on('connect', () => {
      void write();
    });

    async function write() {
      for (const part of parts) {
        if (!open) return;
        socket.write(part);
        if (pauseMs > 0) await sleep(pauseMs);
      }
      if (end) socket.end();
    }
  });
}

/** The statuses of all the answers in what came. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** A request as text, with `Connection: close`. */
export function rawRequest(
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): string {
  const all = { Host: 'localhost', Connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
