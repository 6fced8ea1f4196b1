import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as send } from 'undici';
import type { AnswerCheck } from './answerCheck.js';

/** An answer whose body has passed the route table's schema. */
export interface Reply<Body = unknown> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Body;
  readonly text: string;
}

export type Headers = Readonly<Record<string, string>>;

/** A plain client of the API. Every answer is checked by the route table. */
export interface Client {
  request<Body = unknown>(
    method: string,
    path: string,
    options?: { readonly body?: string | Buffer; readonly headers?: Headers },
  ): Promise<Reply<Body>>;
  get<Body = unknown>(path: string, headers?: Headers): Promise<Reply<Body>>;
  post<Body = unknown>(path: string, body?: unknown, headers?: Headers): Promise<Reply<Body>>;
  patch<Body = unknown>(path: string, body?: unknown, headers?: Headers): Promise<Reply<Body>>;
  delete<Body = unknown>(path: string, headers?: Headers): Promise<Reply<Body>>;
  /** The same client with a token, or without one. */
  as(token: string | undefined): Client;
  close(): Promise<void>;
}

export interface ClientOptions {
  /**
   * How often a read that is not consistent yet is asked for again, as its Retry-After says: 0 unless
   * given. One that names a position of its own wants to know at once.
   */
  readonly patience?: number;
}

/** @param check called with every answer; see answerCheck.ts */
export function clientOf(
  url: string,
  check: AnswerCheck,
  { patience = 0 }: ClientOptions = {},
): Client {
  const agent = new Agent({ connections: 64 });
  return withToken(undefined);

  function withToken(token: string | undefined): Client {
    const authorization: Headers = token === undefined ? {} : { authorization: `Bearer ${token}` };

    async function request<Body>(
      method: string,
      path: string,
      options: { readonly body?: string | Buffer; readonly headers?: Headers } = {},
    ): Promise<Reply<Body>> {
      const { statusCode, headers, body } = await send(url + path, {
        dispatcher: agent,
        // Undici's own list of methods is shorter than what a caller may send.
        method: method as 'GET',
        headers: { ...authorization, ...options.headers },
        ...(options.body !== undefined && { body: options.body }),
      });
      const text = await body.text();
      const answer = { status: statusCode, headers, text };
      if (method !== 'HEAD' && method !== 'OPTIONS' && !path.startsWith('/docs')) {
        check(method, path, answer);
      }
      // What the check has just compared with the route's schema.
      return { ...answer, body: parsed(headers, text) as Body };
    }

    /** A read waits for two seconds before it is refused: there is no need to wait between two. */
    async function patiently<Body>(path: string, headers: Headers): Promise<Reply<Body>> {
      let reply = await request<Body>('GET', path, { headers });
      const retries = headers['x-consistent-with'] === undefined ? patience : 0;
      for (let retry = 0; retry < retries && isTooEarly(reply); retry += 1) {
        reply = await request<Body>('GET', path, { headers });
      }
      return reply;
    }

    function withBody<Body>(method: string, path: string, body: unknown, headers: Headers = {}) {
      if (body === undefined) return request<Body>(method, path, { headers });
      const type = { 'content-type': 'application/json', ...headers };
      return request<Body>(method, path, { headers: type, body: JSON.stringify(body) });
    }

    return {
      request,
      get: (path, headers = {}) => patiently(path, headers),
      post: (path, body, headers) => withBody('POST', path, body, headers),
      patch: (path, body, headers) => withBody('PATCH', path, body, headers),
      delete: (path, headers = {}) => request('DELETE', path, { headers }),
      as: withToken,
      close: () => agent.destroy(),
    };
  }
}

function isTooEarly({ status, text }: Reply): boolean {
  return status === 503 && text.includes('"NOT_CONSISTENT_YET"');
}

function parsed(headers: IncomingHttpHeaders, text: string): unknown {
  const json = /[/+]json/.test(headers['content-type'] ?? '');
  return json && text !== '' ? JSON.parse(text) : text;
}
