import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the double does to one request instead of answering it well. */
export type Mishap =
  /** The connection breaks after the request has been done: the worst moment. */
  | { readonly kind: 'drop-after' }
  /** The connection breaks before anything has been done. */
  | { readonly kind: 'drop-before' }
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfter?: string };

export interface StoredLine {
  readonly id: string;
  readonly [field: string]: unknown;
}

export interface ApiDouble {
  readonly url: string;
  /** What has been stored, in order, each id once. */
  readonly stored: StoredLine[];
  /** `POST /api/ingest` and so on, as they came in. */
  readonly requests: string[];
  readonly idempotencyKeys: (string | undefined)[];
  /** What happens to the next requests to a path, in turn. */
  next(path: string, ...mishaps: readonly Mishap[]): void;
  /** Every device token is refused from now on. */
  revoke(): void;
  /** Bodies above this many bytes are refused with 413. */
  maxBytes: number;
  close(): Promise<void>;
}

/**
 * The few routes that the command line uses, on a real socket, with mishaps to order. It stands in
 * for the server only where that can't be made to fail at the right moment.
 */
export async function startApiDouble(): Promise<ApiDouble> {
  const mishaps = new Map<string, Mishap[]>();
  const seen = new Set<string>();
  let revoked = false;
  let devices = 0;

  const double = {
    url: '',
    stored: [] as StoredLine[],
    requests: [] as string[],
    idempotencyKeys: [] as (string | undefined)[],
    maxBytes: 1_048_576,
    next: (path: string, ...more: readonly Mishap[]) => {
      mishaps.set(path, [...(mishaps.get(path) ?? []), ...more]);
    },
    revoke: () => {
      revoked = true;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  const server = createServer((request, response) => {
    void textOf(request).then((body) => handle(request, response, body));
  });

  function handle(request: IncomingMessage, response: ServerResponse, body: string): void {
    const path = (request.url ?? '').split('?')[0] ?? '';
    double.requests.push(`${request.method ?? ''} ${path}`);
    const key = request.headers['idempotency-key'];
    double.idempotencyKeys.push(typeof key === 'string' ? key : undefined);
    const mishap = mishaps.get(path)?.shift();
    if (mishap?.kind === 'drop-before') {
      request.socket.destroy();
      return;
    }
    if (mishap?.kind === 'answer') {
      if (mishap.retryAfter !== undefined) response.setHeader('retry-after', mishap.retryAfter);
      answer(response, mishap.status, { code: 'ORDERED' });
      return;
    }
    const [status, done] = perform(path, body, request.headers.authorization ?? '');
    if (mishap?.kind === 'drop-after') request.socket.destroy();
    else answer(response, status, done);
  }

  function perform(path: string, body: string, authorization: string): [number, unknown] {
    if (Buffer.byteLength(body) > double.maxBytes) return [413, { code: 'BODY_TOO_LARGE' }];
    if (path === '/api/auth/signup') return [201, { user: { id: 'user' } }];
    if (path === '/api/auth/login') return [200, tokens('access')];
    if (path === '/api/auth/refresh') return [200, tokens('renewed')];
    if (path.endsWith('/tokens')) return [201, { token: 'device-token', id: 'token', name: 'n' }];
    if (path === '/api/devices') return [201, { id: `device-${(devices += 1)}` }];
    if (revoked) return [401, { code: 'TOKEN_REVOKED' }];
    if (authorization === '') return [401, { code: 'UNAUTHENTICATED' }];
    if (path === '/api/ingest') return [200, ingest(body.split('\n'))];
    return [404, { code: 'NOT_FOUND' }];
  }

  function ingest(lines: readonly string[]) {
    const results = lines.map((text, index) => {
      const line = JSON.parse(text) as StoredLine;
      if (line.message === 'refuse me') return { line: index + 1, status: 422, code: 'INVALID' };
      if (!seen.has(line.id)) double.stored.push(line);
      seen.add(line.id);
      return { line: index + 1, status: 200, eventId: line.id };
    });
    const accepted = results.filter(({ status }) => status === 200).length;
    return { accepted, rejected: results.length - accepted, position: '1', results };
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  double.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return double;
}

function tokens(accessToken: string) {
  return { accessToken, refreshToken: 'refresh', tokenType: 'Bearer', expiresIn: 900 };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const type = status < 300 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
