import type { TSchema } from 'typebox';
import {
  issueToken,
  logInAdmin,
  registerDevice,
  signUp,
  PASSWORD,
  type DeviceBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { startServer, type RunningServer } from '../support/server.js';

/** What a caller can set, and what they are shown. Every answer is checked by answerCheck.ts as well. */

const FORBIDDEN: readonly (readonly [string, unknown])[] = [
  ['role', 'admin'],
  ['ownerId', '00000000-0000-4000-8000-000000000000'],
  ['_id', '1'],
  ['id', '00000000-0000-4000-8000-000000000000'],
  ['revision', 7],
  ['createdAt', '2020-01-01T00:00:00.000Z'],
  ['lastSeenAt', '2020-01-01T00:00:00.000Z'],
  ['connection', 'online'],
  ['deleted', true],
  ['tokens', []],
  ['constructor', { name: 'x' }],
  ['toString', 'x'],
  ['$set', { role: 'admin' }],
];

describe('the fields of requests', () => {
  let server: RunningServer;
  let ann: Person;
  let admin: Person;
  let deviceId: string;
  beforeAll(async () => {
    server = await startServer();
    ann = await signUp(server);
    admin = await logInAdmin(server);
    deviceId = (await registerDevice(ann)).id;
  });
  afterAll(() => server.stop());

  /** Requests that would succeed without what is added to them. */
  const requests = () =>
    [
      ['POST', '/api/devices', { name: 'a', type: 'b' }, ann],
      ['PATCH', `/api/devices/${deviceId}`, { name: 'a' }, ann],
      ['POST', `/api/devices/${deviceId}/heartbeat`, {}, ann],
      ['POST', `/api/devices/${deviceId}/logs`, { event: 'e' }, ann],
      ['POST', `/api/devices/${deviceId}/tokens`, { name: 'n' }, ann],
      ['POST', '/api/auth/signup', { name: 'n', email: 'n@example.com', password: PASSWORD }, ann],
      ['POST', '/api/auth/login', { email: ann.email, password: PASSWORD }, ann],
      ['POST', '/api/auth/refresh', { refreshToken: ann.refreshToken }, ann],
    ] as const;

  it.each(FORBIDDEN)('refuses %s wherever nobody may set it', async (field, value) => {
    for (const [method, path, body, person] of requests()) {
      const answer = await person.api.request<ProblemBody>(method, path, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, [field]: value }),
      });
      expect([path, answer.status, answer.body.code]).toEqual([path, 400, 'VALIDATION_FAILED']);
      expect(answer.body.errors?.[0]?.message).toContain(field);
    }
  });

  it('refuses an organization where it can’t be chosen', async () => {
    const { organizationId } = await signUp(server);
    const moved = await ann.api.patch(`/api/devices/${deviceId}`, { organizationId });
    expect(moved.status).toBe(400);
    const reported = await ann.api.post(`/api/devices/${deviceId}/heartbeat`, { organizationId });
    expect(reported.status).toBe(400);
  });

  it('refuses more than a role and being disabled when an administrator changes a user', async () => {
    for (const body of [
      { email: 'x@example.com' },
      { password: PASSWORD },
      { organizationId: '' },
    ]) {
      const answer = await admin.api.patch<ProblemBody>(`/api/users/${ann.id}`, body);
      expect(answer.body.code).toBe('VALIDATION_FAILED');
    }
  });

  it.each([
    ['__proto__', '{"name":"a","type":"b","__proto__":{"role":"admin"}}'],
    ['__proto__, escaped', '{"name":"a","type":"b","__pro\\u0074o__":{"role":"admin"}}'],
    ['__proto__ in metadata', '{"name":"a","type":"b","metadata":{"__proto__":{"x":1}}}'],
    ['__proto__ deep down', '{"name":"a","type":"b","metadata":{"a":[{"__proto__":{"x":1}}]}}'],
    [
      'constructor.prototype in metadata',
      '{"name":"a","type":"b","metadata":{"constructor":{"prototype":{"x":1}}}}',
    ],
  ])('refuses %s', async (_, text) => {
    const answer = await ann.api.request<ProblemBody>('POST', '/api/devices', {
      headers: { 'content-type': 'application/json' },
      body: text,
    });
    expect([answer.status, answer.body.code]).toEqual([400, 'MALFORMED_BODY']);
    expect(Reflect.has({}, 'role') || Reflect.has({}, 'x')).toBe(false);
  });

  it.each(['__proto__', '_other', '$gt', 'a b', 'a\u0000', ''])(
    'refuses %j as the name of a metric, an event or a type',
    async (name) => {
      const json = JSON.stringify(name);
      const bodies = [
        ['heartbeat', `{"metrics":{${json}:1}}`],
        ['logs', `{"event":${json}}`],
      ] as const;
      for (const [path, body] of bodies) {
        const answer = await ann.api.request('POST', `/api/devices/${deviceId}/${path}`, {
          headers: { 'content-type': 'application/json' },
          body,
        });
        expect(answer.status).toBe(400);
      }
      expect((await ann.api.post('/api/devices', { name: 'a', type: name })).status).toBe(400);
    },
  );

  it('counts metrics and events that are named like what every object has', async () => {
    const { id } = await registerDevice(ann);
    const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    const metrics = Object.fromEntries(names.map((name, index) => [name, index]));
    await ann.api.post(`/api/devices/${id}/heartbeat`, { metrics });
    await ann.api.post(`/api/devices/${id}/heartbeat`, { metrics });
    for (const event of names) await ann.api.post(`/api/devices/${id}/logs`, { event });
    const usage = await ann.api.get<{
      metrics: Record<string, { count: number; sum: number }>;
      events: Record<string, { count: number }>;
    }>(`/api/devices/${id}/usage`);
    expect(
      Object.entries(usage.body.metrics)
        .map(([name, { sum }]) => [name, sum])
        .sort(),
    ).toEqual(names.map((name, index) => [name, 2 * index]).sort());
    expect(Object.keys(usage.body.events).sort()).toEqual([...names].sort());
    const device = await ann.api.get<DeviceBody>(`/api/devices/${id}`);
    expect(device.body.metrics).toEqual(metrics);
  });

  it('refuses line breaks and control characters in what a person reads as one line', async () => {
    for (const name of ['a\r\nBcc: x', 'a\nb', 'a\u0000b', 'a\u001b[2Jb', 'a\u007fb']) {
      expect((await ann.api.post('/api/devices', { name, type: 'b' })).status).toBe(400);
      expect(
        (await ann.api.post('/api/devices', { name: 'a', type: 'b', tags: [name] })).status,
      ).toBe(400);
      expect((await ann.api.post(`/api/devices/${deviceId}/tokens`, { name })).status).toBe(400);
      const signUpBody = { name, email: 'line@example.com', password: PASSWORD };
      expect((await server.client.post('/api/auth/signup', signUpBody)).status).toBe(400);
    }
  });

  it('keeps text of every language, and half a character, as it was given', async () => {
    for (const name of ['Käse 🧀 ‮tset', '名前', 'e\u0301', '\ud83d half']) {
      const device = await registerDevice(ann, { name, metadata: { name } });
      const read = await ann.api.get<DeviceBody>(`/api/devices/${device.id}`);
      expect([read.status, read.body.name, read.body.metadata]).toEqual([200, name, { name }]);
    }
  });

  it.each([
    ['too many tags', { tags: Array.from({ length: 51 }, (_, n) => `t${n}`) }],
    ['a tag twice', { tags: ['a', 'a'] }],
    ['too long a name', { name: 'n'.repeat(101) }],
    ['an empty name', { name: '' }],
    ['metadata that is too large', { metadata: { a: 'x'.repeat(16_384) } }],
    [
      'metadata that is too deep',
      { metadata: { a: { b: { c: { d: { e: { f: { g: { h: { i: 1 } } } } } } } } } },
    ],
    ['metadata of too many values', { metadata: { a: Array.from({ length: 1_000 }, () => ({})) } }],
    ['metadata that is a list', { metadata: [] }],
    ['an interval of nothing', { heartbeatInterval: 0 }],
    ['an interval in parts of a second', { heartbeatInterval: 1.5 }],
    ['an unknown status', { status: 'broken' }],
    ['a number for a name', { name: 5 }],
    ['null for a name', { name: null }],
  ])('refuses %s', async (_, fields) => {
    const answer = await ann.api.post<ProblemBody>('/api/devices', {
      name: 'a',
      type: 'b',
      ...fields,
    });
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it.each([
    ['a password of seven characters', { password: 'short77' }, 400],
    ['a password of 129 characters', { password: 'x'.repeat(129) }, 400],
    ['a common password', { password: 'Password123' }, 422],
    ['no address', { email: 'nobody' }, 400],
    ['an address of two lines', { email: 'a@example.com\nBcc: b@example.com' }, 400],
  ])('refuses to sign somebody up with %s', async (_, fields, status) => {
    const body = { name: 'n', email: 'refused@example.com', password: PASSWORD, ...fields };
    expect((await server.client.post('/api/auth/signup', body)).status).toBe(status);
  });

  it('tells two long passwords apart by their last character', async () => {
    const email = 'long@example.com';
    const password = `${'x'.repeat(127)}1`;
    await server.client.post('/api/auth/signup', { name: 'n', email, password });
    const wrong = await server.client.post('/api/auth/login', {
      email,
      password: `${'x'.repeat(127)}2`,
    });
    expect(wrong.status).toBe(401);
    expect((await server.client.post('/api/auth/login', { email, password })).status).toBe(200);
  });
});

describe('the fields of answers', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it('are all named by the schemas: no object is open by oversight', () => {
    const open: string[] = [];
    for (const { method, path, answers } of server.fleetbook.routes) {
      for (const [status, schema] of Object.entries(answers)) {
        if (schema !== null) collectOpen(schema, `${method} ${path} ${status}`, open);
      }
    }
    expect(open).toEqual([]);
  });

  it('never hold a hash, not even a token’s own', async () => {
    const ann = await signUp(server);
    const device = await registerDevice(ann);
    await issueToken(ann, device.id);
    const admin = await logInAdmin(server);
    const texts = [
      (await ann.api.get(`/api/devices/${device.id}/tokens`)).text,
      (await ann.api.get(`/api/devices/${device.id}`)).text,
      (await ann.api.get('/api/users/profile')).text,
      (await admin.api.get('/api/users/users')).text,
    ];
    expect(texts.join()).not.toMatch(/hash|password|fbd_|\$2[aby]\$/i);
  });
});

/** Where a schema lets an object have fields that it does not name. A record says so of itself. */
function collectOpen(schema: TSchema, where: string, open: string[]): void {
  const node: Readonly<Record<string, unknown>> = { ...schema };
  if (node.properties !== undefined && node.additionalProperties !== false) open.push(where);
  for (const [name, value] of Object.entries(node)) {
    if (typeof value === 'object' && value !== null) collectOpen(value, `${where}/${name}`, open);
  }
}
