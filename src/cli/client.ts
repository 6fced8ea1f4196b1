import { Pool } from 'undici';
import { ApiProblem, codeOf, ServerUnreachable, UsageError } from './errors.js';

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly token?: string;
  /** The same over all attempts of one command, so that a lost answer does no harm. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** Sends one request and gives the parsed body of its 2xx answer. */
export type Send = (request: ApiRequest) => Promise<unknown>;

export interface Connection {
  readonly url: string;
  readonly send: Send;
  close(): Promise<void>;
}

/** The server's address without path and trailing slash. */
export function parseServerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError('--url must look like http://127.0.0.1:5000');
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('--url must not carry a user or a password');
  }
  return url.origin;
}

/** Opens keep-alive connections to a server; each request is one attempt. */
export function connect(url: string, connections = 4): Connection {
  const pool = new Pool(url, {
    connections,
    connect: { timeout: 10_000 },
    headersTimeout: 30_000,
    bodyTimeout: 30_000,
  });
  return { url, send: sendThrough(pool, url), close: () => pool.destroy() };
}

function sendThrough(pool: Pool, url: string): Send {
  return async ({ method, path, body, contentType, token, idempotencyKey, signal }) => {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = contentType ?? 'application/json';
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
    const { status, retryAfter, text } = await exchange();
    if (status < 200 || status >= 300) throw problemOf(status, text, retryAfter);
    return text === '' ? undefined : parsed(text);

    async function exchange() {
      try {
        const request = { method, path, headers, ...(body !== undefined && { body }) };
        const answer = await pool.request(signal === undefined ? request : { ...request, signal });
        const text = await answer.body.text();
        return { status: answer.statusCode, retryAfter: answer.headers['retry-after'], text };
      } catch (error) {
        if (signal?.aborted === true) throw error;
        throw new ServerUnreachable(url, reasonOf(error), { cause: error });
      }
    }
  };
}

/** The code of a network error; of the first address tried when there were several. */
export function reasonOf(error: unknown): string {
  const tried = error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
  return tried ?? codeOf(error) ?? 'UNKNOWN';
}

/** Reads an answer that is not a success. */
export function problemOf(
  status: number,
  text: string,
  retryAfter?: string | string[],
): ApiProblem {
  const body = parsed(text);
  const member = (name: string): string | undefined => {
    const value: unknown =
      typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const seconds = typeof retryAfter === 'string' ? Number(retryAfter) : Number.NaN;
  return new ApiProblem(
    status,
    member('code') ?? `HTTP_${status}`,
    member('detail') ?? member('title'),
    seconds >= 0 ? seconds * 1_000 : undefined,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
