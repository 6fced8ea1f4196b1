import { systemRuntime } from '../../src/adapters/system/runtime.js';
import {
  registerDevice,
  signUp,
  type ListBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { rawRequest, sendRaw, statusesIn } from '../support/rawHttp.js';
import { startServer, type RunningServer } from '../support/server.js';

describe('a hostile request', () => {
  let server: RunningServer;
  let ann: Person;
  let deviceId: string;
  beforeAll(async () => {
    server = await startServer();
    ann = await signUp(server);
    deviceId = (await registerDevice(ann)).id;
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    expect((await ann.api.get(`/api/devices/${deviceId}`)).status).toBe(200);
  });

  async function get(path: string, headers: Readonly<Record<string, string>> = {}) {
    const answer = await ann.api.get<ProblemBody>(path, headers);
    return [answer.status, answer.body.code];
  }
  const INVALID = [400, 'VALIDATION_FAILED'];
  const NOT_FOUND = [404, 'NOT_FOUND'];

  it.each([
    'status[$ne]=active',
    'status[]=active',
    'status=active&status=inactive',
    'limit=1&limit=200',
    '__proto__=x',
    '__proto__[role]=admin',
    'constructor=x',
    'limit=0',
    'limit=-1',
    'limit=201',
    'limit=1e9',
    'limit=1.5',
    'limit=all',
    'limit=',
    'page=0',
    'page=99999999999999999999',
    'sort=__proto__',
    'sort=passwordHash',
    'direction=sideways',
    'organizationId=*',
    'text=%00',
    'text=a%0d%0aSet-Cookie:%20a=b',
    `text=${'a'.repeat(101)}`,
    'nothing=known',
  ])('of the query %s is refused', async (query) => {
    expect(await get(`/api/devices?${query}`)).toEqual(INVALID);
  });

  it.each(['%', '*', '(a+)+$', '.*', "' OR 1=1 --", '"; DROP TABLE x', '_', '\\', '%25', 'ſ', 'İ'])(
    'that searches for %j finds nothing and harms nothing',
    async (text) => {
      const { status, body } = await ann.api.get<ListBody<object>>(
        `/api/devices?text=${encodeURIComponent(text)}`,
      );
      expect([status, body.items]).toEqual([200, []]);
    },
  );

  it.each([
    '%',
    '%zz',
    '%E0%A4%A',
    '%c0%af',
    '%00',
    '%0d%0aX-Evil:1',
    '%2e%2e%2f',
    '..%2f..%2fetc',
  ])('for the device %j finds nothing', async (id) => {
    const [status, code] = await get(`/api/devices/${id}`);
    expect([400, 404]).toContain(status);
    expect(code).toMatch(/^(NOT_FOUND|MALFORMED_PATH|VALIDATION_FAILED)$/);
  });

  it.each([
    '/',
    '/api',
    '/api/nothing',
    '/api/devices/a/b/c/d',
    '/api/devices/not-an-id',
    '/api/devices/../../../etc/passwd',
    '//api//devices',
    '/API/DEVICEZ',
    '/.env',
    '/.git/config',
    '/socket.io/',
    '/openapi.yaml',
  ])('for %s finds nothing', async (path) => {
    expect(await get(path)).toEqual(NOT_FOUND);
  });

  it.each(['/docs/../package.json', '/docs/..%2fpackage.json', '/docs/%2e%2e/%2e%2e/package.json'])(
    'for %s does not climb out of the page’s folder',
    async (path) => {
      const received = await sendRaw(server.port, [rawRequest(`GET ${path}`)]);
      expect(statusesIn(received)[0]).toBeGreaterThanOrEqual(400);
      expect(received).not.toMatch(/"name": ?"|node_modules|at \w+ \(/);
    },
  );

  it.each([
    ['PUT', '/api/devices', 'GET, POST'],
    ['DELETE', '/api/devices', 'GET, POST'],
    ['POST', '/livez', 'GET'],
    ['PATCH', '/api/auth/login', 'POST'],
    ['TRACE', '/health', 'GET'],
    ['PROPFIND', '/api/devices', 'GET, POST'],
    ['GET', '/api/ingest', 'POST'],
  ])('that would %s %s is told what is allowed', async (method, path, allow) => {
    const answer = await ann.api.request<ProblemBody>(method, path);
    expect([answer.status, answer.body.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(answer.headers.allow).toBe(allow);
  });

  it('that asks only for the head of an answer gets it, without a body', async () => {
    const answer = await ann.api.request('HEAD', `/api/devices/${deviceId}`);
    expect([answer.status, answer.headers.etag, answer.text]).toEqual([200, '"0"', '']);
    expect((await server.client.request('HEAD', `/api/devices/${deviceId}`)).status).toBe(401);
  });

  it('that asks for a tunnel gets none', async () => {
    const received = await sendRaw(server.port, [rawRequest('CONNECT example.com:443')]);
    expect(statusesIn(received).filter((status) => status < 400)).toEqual([]);
  });

  it.each([
    ['If-Match', 'abc'],
    ['If-Match', '"abc"'],
    ['If-Match', '0'],
    ['If-Match', '"-1"'],
    ['If-Match', '"0", "1"'],
    ['If-Match', '"9999999999999999"'],
    ['Idempotency-Key', 'with a space'],
    ['Idempotency-Key', 'k'.repeat(201)],
    ['Idempotency-Key', 'kéy'],
    ['Idempotency-Key', ' '],
  ])('of the %s %s is refused', async (name, value) => {
    const answer = await ann.api.patch<ProblemBody>(
      `/api/devices/${deviceId}`,
      { name: 'other' },
      { [name]: value },
    );
    expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_HEADER']);
  });

  it.each(['abc', '-1', '1.5', '0x1', '1e3', '007', '99999999999999999999', ' '])(
    'of the X-Consistent-With %j is refused',
    async (position) => {
      const headers = { 'x-consistent-with': position };
      expect(await get(`/api/devices/${deviceId}`, headers)).toEqual([400, 'INVALID_HEADER']);
    },
  );

  it.each(['', 'x', 'A'.repeat(1_000), 'A'.repeat(1_001), '%00', '{}', 'eyJhIjoxfQ'])(
    'of the cursor %j is refused',
    async (cursor) => {
      for (const path of ['/api/devices', `/api/devices/${deviceId}/logs`]) {
        const [status, code] = await get(`${path}?cursor=${cursor}`);
        expect([status, String(code)]).toEqual([
          400,
          expect.stringMatching(/^(INVALID_CURSOR|VALIDATION_FAILED)$/),
        ]);
      }
    },
  );

  it.each([
    'with space',
    '"},{"level":60',
    'a'.repeat(101),
    '$(reboot)',
    '<script>',
    '\u001b[31mred',
    'ünïcode',
  ])('of the request id %j gets another, and the log never sees it', async (id) => {
    const bytes = Buffer.from(rawRequest('GET /livez', { 'X-Request-Id': id }), 'latin1');
    const received = await sendRaw(server.port, [bytes]);
    if (statusesIn(received)[0] !== 400) {
      expect(received.toLowerCase()).toMatch(/x-request-id: [0-9a-f]{8}-[0-9a-f]{4}-7/);
    }
    expect(server.logged.some((line) => line.includes(JSON.stringify(id).slice(1, -1)))).toBe(
      false,
    );
  });

  it('keeps its own request id when that can stand in a log', async () => {
    const answer = await ann.api.get('/api/nothing', { 'x-request-id': 'trace/7:a=b' });
    expect(answer.headers['x-request-id']).toBe('trace/7:a=b');
    expect(server.logged.at(-1)).toContain('"requestId":"trace/7:a=b"');
  });

  it.each([
    ['a header that is too large', { 'X-Large': 'x'.repeat(20_000) }],
    [
      'too many headers',
      Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`X-${n}`, 'x'])),
    ],
    ['an Authorization that is too large', { Authorization: `Bearer ${'x'.repeat(100_000)}` }],
  ])('with %s is refused', async (_, headers) => {
    const received = await sendRaw(server.port, [rawRequest('GET /livez', headers)]);
    expect(statusesIn(received)).toEqual([431]);
  });

  it('of ten megabytes of URL is refused', async () => {
    const received = await sendRaw(server.port, [rawRequest(`GET /${'a'.repeat(10_000_000)}`)]);
    expect(statusesIn(received)).toEqual([431]);
  });

  const inner = rawRequest('GET /api/smuggled');
  it.each([
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${inner}`],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5', `0\r\n\r\n${inner}`],
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 44', inner],
    ['a list of lengths', 'Content-Length: 0, 44', inner],
    ['a length below nothing', 'Content-Length: -1', inner],
    ['a length with a sign', 'Content-Length: +0', inner],
    ['a length in hexadecimal', 'Content-Length: 0x0', inner],
    ['a space before the colon', 'Content-Length : 0', inner],
    ['chunks of another kind', 'Transfer-Encoding: xchunked', `0\r\n\r\n${inner}`],
    ['chunks twice', 'Transfer-Encoding: chunked, identity', `0\r\n\r\n${inner}`],
    ['a tab in the name', 'Transfer-\tEncoding: chunked', `0\r\n\r\n${inner}`],
    ['a folded header', 'X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: x', inner],
    ['a chunk of a huge size', 'Transfer-Encoding: chunked', `FFFFFFFFFFFFFFFFF\r\n${inner}`],
    ['a chunk of no size', 'Transfer-Encoding: chunked', `x\r\n\r\n${inner}`],
  ])('with %s hides no other request', async (_, headers, body) => {
    const before = server.logged.length;
    const request = `POST /api/devices HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n${body}`;
    const received = await sendRaw(server.port, [request], { end: true });
    expect(statusesIn(received).filter((status) => status < 400)).toEqual([]);
    expect(received).not.toContain('/api/smuggled');
    // 404 would be the hidden request's answer; one 401 is the outer one's, refused before its body.
    expect(statusesIn(received)).not.toContain(404);
    expect(server.logged.slice(before).join()).not.toContain('"route":"nowhere"');
  });

  it.each([
    ['without a host', 'GET /livez HTTP/1.1\r\n\r\n'],
    ['of another protocol', 'GET /livez HTTP/9.9\r\n\r\n'],
    ['that is a TLS greeting', Buffer.from('16030100a5010000a10303', 'hex')],
    ['that is noise', Buffer.from([0, 255, 13, 10, 13, 10, 1, 2, 3])],
  ])('%s is refused', async (_, bytes) => {
    const received = await sendRaw(server.port, [bytes], { end: true });
    expect(statusesIn(received).filter((status) => status < 400)).toEqual([]);
  });
});

describe('a slow request', () => {
  it('is cut off, while its headers as while its body come', async () => {
    const server = await startServer();
    // What takes 10 and 30 seconds in earnest; Node looks every 5.
    server.fleetbook.server.headersTimeout = 500;
    server.fleetbook.server.requestTimeout = 1_000;
    try {
      const ann = await signUp(server);
      const dribble = Array.from({ length: 150 }, () => 'x');
      const [headers, body] = await Promise.all([
        sendRaw(server.port, ['GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ', ...dribble], {
          pauseMs: 100,
        }),
        sendRaw(
          server.port,
          [
            rawRequest('POST /api/devices', {
              Authorization: `Bearer ${ann.accessToken}`,
              'Content-Type': 'application/json',
              'Content-Length': '10000',
            }),
            ...dribble,
          ],
          { pauseMs: 100 },
        ),
      ]);
      expect(statusesIn(headers)).toEqual([408]);
      expect(statusesIn(body)).toEqual([408]);
      expect((await ann.api.get('/api/users/profile')).status).toBe(200);
    } finally {
      await server.stop();
    }
  });
});

describe('a fault inside', () => {
  it('says nothing of the inside but a request id, which finds it in the log', async () => {
    const inside = 'SQLITE_CORRUPT: /var/lib/fleetbook/log.db at Statement.run (store.js:12:34)';
    const server = await startServer({
      passwords: {
        hash: async () => 'hash',
        verify: () => Promise.reject(new Error(inside)),
      },
    });
    try {
      const answer = await server.client.post<ProblemBody>('/api/auth/login', {
        email: 'a@example.com',
        password: 'whatever',
      });
      expect([answer.status, answer.body.code]).toEqual([500, 'INTERNAL']);
      expect(answer.text).not.toMatch(/SQLITE|Statement|store\.js/);
      const line = server.logged.find((one) => one.includes(answer.body.requestId)) ?? '';
      expect(line).toContain('SQLITE_CORRUPT');
    } finally {
      await server.stop();
    }
  });

  it('of the clock or the ids is no exception to that', async () => {
    let broken = false;
    const server = await startServer({
      runtime: {
        ...systemRuntime,
        now() {
          if (broken) throw new Error('the clock at /dev/rtc0 has stopped');
          return systemRuntime.now();
        },
      },
    });
    try {
      const ann = await signUp(server);
      broken = true;
      const answer = await ann.api.get<ProblemBody>('/api/users/profile');
      expect([answer.status, answer.body.code]).toEqual([500, 'INTERNAL']);
      expect(answer.text).not.toContain('rtc0');
    } finally {
      broken = false;
      await server.stop();
    }
  });
});
