import { Ajv2020 } from 'ajv/dist/2020.js';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import type { Route } from '../../src/api/route.js';
import { eventually } from '../support/eventually.js';
import { registerDevice, signUp, type Person } from '../support/people.js';
import { rawRequest, sendRaw } from '../support/rawHttp.js';
import { withSchemaWords } from '../support/schemaWords.js';
import { ADMIN, newDataDir, startServer, type RunningServer } from '../support/server.js';
import { startProcess } from '../support/serverProcess.js';

const ORIGIN = 'https://app.example.com';

describe('the operator’s routes', () => {
  let server: RunningServer;
  let ann: Person;
  beforeAll(async () => {
    server = await startServer({ env: { ALLOWED_ORIGINS: `${ORIGIN},http://localhost:3000` } });
    ann = await signUp(server);
  });
  afterAll(() => server.stop());

  it('tell how the system and its parts are', async () => {
    const { headers } = await ann.api.post('/api/devices', { name: 'a', type: 'b' });
    await ann.api.get('/api/devices');
    const health = await eventually(async () => {
      const { status, body } = await server.client.get<HealthBody>('/health');
      const { log } = body.dependencies;
      return BigInt(log.position) >= BigInt(String(headers['x-position']))
        ? { status, body }
        : undefined;
    });
    expect(health.status).toBe(200);
    expect(health.body.status).toBe('ok');
    expect(Date.parse(health.body.timestamp)).toBeGreaterThan(0);
    expect(Object.keys(health.body.dependencies.readModels.projections).sort()).toEqual([
      'dashboard',
      'device-logs',
      'device-vitals',
      'devices',
      'usage-days',
      'usage-hours',
      'users',
    ]);
    for (const path of ['/livez', '/readyz']) {
      const answer = await server.client.get(path);
      expect([answer.status, answer.body]).toEqual([200, { status: 'ok' }]);
    }
  });

  it('count requests by route, not by what callers write into paths', async () => {
    const { id } = await registerDevice(ann);
    for (let n = 0; n < 3; n++) await ann.api.get(`/api/devices/${id}`);
    await ann.api.get('/api/secret-path-of-mine');
    const { text, headers } = await server.client.get<string>('/metrics/prometheus');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(
      /fleetbook_http_request_duration_seconds_count\{method="get",route="\/api\/devices\/:id",status="200"\} [3-9]/,
    );
    expect(text).toContain('route="nowhere",status="404"');
    expect(text).not.toContain(id);
    expect(text).not.toContain('secret-path-of-mine');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('give every answer a request id, and every problem the same in its body', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ann.api.get('/api/nothing')),
    );
    expect(new Set(answers.map(({ headers }) => headers['x-request-id'])).size).toBe(50);
  });

  it('log a line a request: route and caller, not path and query', async () => {
    const { id } = await registerDevice(ann);
    const answer = await ann.api.get(`/api/devices/${id}?text=private`);
    const text = server.logged.find((line) =>
      line.includes(String(answer.headers['x-request-id'])),
    );
    const line = JSON.parse(text ?? '') as Record<string, unknown>;
    expect(line).toMatchObject({
      method: 'GET',
      route: '/api/devices/:id',
      status: 400,
      ms: expect.any(Number) as number,
    });
    expect(text).not.toContain('private');
    const good = await ann.api.get('/api/devices');
    const goodText = server.logged.find((one) =>
      one.includes(String(good.headers['x-request-id'])),
    );
    expect(JSON.parse(goodText ?? '')).toMatchObject({ user: ann.id });
  });

  describe('headers', () => {
    it.each(['/livez', '/api/devices', '/nowhere', '/openapi.json'])(
      'of %s say what a browser may do with it: nothing',
      async (path) => {
        const { headers } = await server.client.get(path);
        expect(headers).toMatchObject({
          'content-security-policy': "default-src 'none';frame-ancestors 'none'",
          'x-content-type-options': 'nosniff',
          'x-frame-options': expect.stringMatching(/deny/i) as string,
          'referrer-policy': 'no-referrer',
          'cross-origin-resource-policy': 'same-origin',
          'cache-control': 'no-store',
        });
        expect(headers).not.toHaveProperty('x-powered-by');
        expect(headers).not.toHaveProperty('server');
        expect(headers).not.toHaveProperty('strict-transport-security');
      },
    );

    it('of the page at /docs let it run its own scripts, and nobody else’s', async () => {
      const page = await server.client.get<string>('/docs');
      const policy = String(page.headers['content-security-policy']);
      expect(page.status).toBe(200);
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toMatch(/script-src[^;]*unsafe/);
      expect(page.headers['x-content-type-options']).toBe('nosniff');
    });

    it('ask for HTTPS in production', async () => {
      const secret = 'a secret for production that is long';
      const production = await startServer({
        env: {
          NODE_ENV: 'production',
          JWT_SECRET: secret,
          JWT_REFRESH_SECRET: secret,
          HASH_SECRET: secret,
        },
      });
      const { headers } = await production.client.get('/livez');
      expect(headers['strict-transport-security']).toMatch(/max-age=\d{7,}/);
      await production.stop();
    });
  });

  describe('pages of other origins', () => {
    const from = (origin: string, method = 'GET', more = {}) =>
      server.client.request(method, '/api/devices', {
        headers: { origin, authorization: `Bearer ${ann.accessToken}`, ...more },
      });
    const preflight = (origin: string) =>
      from(origin, 'OPTIONS', {
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'authorization,content-type,if-match,idempotency-key',
      });

    it('that are allowed may call and read what they need', async () => {
      const answer = await from(ORIGIN);
      expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
      expect(String(answer.headers.vary)).toMatch(/origin/i);
      const exposed = String(answer.headers['access-control-expose-headers']);
      for (const name of ['etag', 'location', 'retry-after', 'x-position', 'x-request-id']) {
        expect(exposed).toContain(name);
      }
      const asked = await preflight(ORIGIN);
      expect(asked.status).toBe(204);
      expect(asked.headers['access-control-allow-methods']).toContain('PATCH');
      expect(asked.headers['access-control-allow-headers']).toContain('if-match');
    });

    it.each([
      'https://evil.example.com',
      'https://app.example.com.evil.com',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://sub.app.example.com',
      'null',
      '*',
    ])('such as %s are told nothing', async (origin) => {
      for (const answer of [await from(origin), await preflight(origin)]) {
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
    });

    it('are none when none is allowed, and all when all are', async () => {
      for (const [allowed, expected] of [
        ['', undefined],
        ['*', '*'],
      ] as const) {
        const other = await startServer({ env: { ALLOWED_ORIGINS: allowed } });
        const { headers } = await other.client.get('/livez', { origin: ORIGIN });
        expect(headers['access-control-allow-origin']).toBe(expected);
        await other.stop();
      }
    });
  });

  describe('the OpenAPI description', () => {
    let document: Document;
    beforeAll(async () => {
      document = (await server.client.get<Document>('/openapi.json')).body;
    });

    it('is of version 3.1 and names what it is', () => {
      expect(document.openapi).toMatch(/^3\.1\.\d+$/);
      expect(document.info).toMatchObject({ title: 'Fleetbook', license: { identifier: 'MIT' } });
      expect(document.info.version).toMatch(/^\d+\.\d+\.\d+/);
    });

    it('has every route and no other', () => {
      const described = Object.entries(document.paths).flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method} ${path}`),
      );
      const routes = server.fleetbook.routes.map(
        ({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
      );
      expect(described.sort()).toEqual(routes.sort());
    });

    it('describes each operation whole: id, parameters, body, answers', () => {
      const ids = new Set<string>();
      for (const [path, operations] of Object.entries(document.paths)) {
        for (const [method, operation] of Object.entries(operations)) {
          expect(operation.summary).toMatch(/\.$/);
          expect(operation.operationId).toMatch(/^[a-z][A-Za-z0-9]+$/);
          ids.add(operation.operationId);
          const inPath = operation.parameters.filter((one) => one.in === 'path');
          expect(inPath.map(({ name }) => name).sort()).toEqual(
            [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(),
          );
          expect(inPath.every(({ required }) => required)).toBe(true);
          const names = operation.parameters.map((one) => `${one.in} ${one.name}`);
          expect(new Set(names).size).toBe(names.length);
          expect(Object.keys(operation.responses)).toContain('default');
          for (const [status, response] of Object.entries(operation.responses)) {
            expect(status).toMatch(/^([1-5]\d\d|default)$/);
            if (!('$ref' in response)) expect(response.description).toEqual(expect.any(String));
          }
          if (method === 'get') expect(operation.requestBody).toBeUndefined();
        }
      }
      expect(ids.size).toBe(server.fleetbook.routes.length);
    });

    it('refers to nothing that it does not have, and has no schema that is none', () => {
      const ajv = withSchemaWords(new Ajv2020({ strict: true, allowUnionTypes: true }));
      const visit = (node: unknown) => {
        if (typeof node !== 'object' || node === null) return;
        for (const [name, value] of Object.entries(node)) {
          if (name === '$ref') expect(resolve(document, String(value))).toBeDefined();
          if (name === 'schema' && !('$ref' in (value as object))) ajv.compile(value as object);
          visit(value);
        }
      };
      visit(document);
    });

    it('names the media types that are really answered', async () => {
      const plain = server.fleetbook.routes.filter(
        ({ method, access, params }) => method === 'get' && access === 'anyone' && !params,
      );
      for (const { path } of plain) {
        const { headers } = await server.client.get(path);
        const responses = document.paths[path]?.get?.responses ?? {};
        const ok = responses['200'];
        const types = ok !== undefined && 'content' in ok ? Object.keys(ok.content ?? {}) : [];
        expect([path, types]).toEqual([path, [String(headers['content-type']).split(';')[0]]]);
      }
    });

    it('says who needs a token, and which', () => {
      const securityOf = ({ method, path }: Route) =>
        document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method]?.security;
      for (const route of server.fleetbook.routes) {
        const expected = {
          anyone: [],
          'device:report': [{ user: [] }, { device: [] }],
          'line:report': [{ user: [] }, { device: [] }],
        }[route.access as string] ?? [{ user: [] }];
        expect(securityOf(route)).toEqual(expected);
      }
    });
  });
});

interface HealthBody {
  readonly status: string;
  readonly timestamp: string;
  readonly dependencies: {
    readonly log: { readonly status: string; readonly position: string };
    readonly readModels: { readonly projections: Readonly<Record<string, unknown>> };
  };
}

interface Document {
  readonly openapi: string;
  readonly info: Readonly<Record<string, unknown>> & { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly object[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
  }[];
  readonly requestBody?: object;
  readonly responses: Readonly<
    Record<string, { $ref: string } | { description: string; content?: Record<string, object> }>
  >;
}

function resolve(document: object, reference: string): unknown {
  return reference
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], document);
}

describe('a stop under load', () => {
  it('says so at /readyz first, fails no request, and loses nothing', async () => {
    const dataDir = newDataDir();
    const running = await startProcess({ DATA_DIR: dataDir });
    const agent = new Agent({ connections: 32 });
    const call = async (method: 'GET' | 'POST', path: string, token = '', body?: object) => {
      const answer = await request(running.url + path, {
        dispatcher: agent,
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: answer.statusCode, body: (await answer.body.json()) as Answered };
    };
    const token = await eventually(
      async () => (await call('POST', '/api/auth/login', '', ADMIN)).body.accessToken,
    );
    const device = await call('POST', '/api/devices', token, { name: 'a', type: 'b' });
    const path = `/api/devices/${device.body.id ?? ''}/heartbeat`;

    const statuses: number[] = [];
    let drained = false;
    const clients = Array.from({ length: 16 }, async () => {
      // What a load balancer does: no more requests once /readyz says no.
      while (!drained) statuses.push((await call('POST', path, token, {})).status);
    });
    await eventually(() => statuses.length > 200 || undefined);
    // Half of a request that will be whole only when the server is stopping.
    const late = sendRaw(
      running.port,
      [
        rawRequest(`POST ${path}`, {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          'Content-Length': '2',
        }),
        '{',
        '}',
      ],
      { pauseMs: 150 },
    );
    const began = performance.now();
    running.signal('SIGTERM');
    await eventually(async () => (await call('GET', '/readyz')).status === 503 || undefined);
    drained = true;
    await Promise.all(clients);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await late).toMatch(/^HTTP\/1\.1 200 /);
    expect(await running.ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(30_000);
    await agent.close();

    const again = await startServer({ dataDir });
    const health = await again.client.get<HealthBody>('/health');
    const usage = await again.client
      .as(token)
      .get<{ total: number }>(`/api/devices/${device.body.id ?? ''}/usage?range=7d`, {
        'x-consistent-with': health.body.dependencies.log.position,
      });
    expect(usage.body.total).toBe(statuses.length + 1);
    await again.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }, 60_000);
});

interface Answered {
  readonly accessToken?: string;
  readonly id?: string;
}

describe('a server that is told to stop', () => {
  it('closes the connection of a request that came before', async () => {
    const server = await startServer();
    const ann = await signUp(server);
    const agent = new Agent();
    const begun = once(server.fleetbook.server, 'request');
    async function* body() {
      yield '{"name":"a",';
      await begun;
      server.fleetbook.beginStop();
      yield '"type":"b"}';
    }
    try {
      const { statusCode, headers } = await request(`${server.url}/api/devices`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${ann.accessToken}`,
          'content-type': 'application/json',
        },
        body: Readable.from(body()),
        dispatcher: agent,
      });
      expect([statusCode, headers.connection]).toEqual([201, 'close']);
    } finally {
      await agent.close();
      await server.stop();
    }
  });
});
