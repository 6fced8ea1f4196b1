import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Headers } from '../support/client.js';
import {
  registerDevice,
  signUp,
  type DeviceBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { rawRequest, sendRaw, statusesIn } from '../support/rawHttp.js';
import { startServer, type RunningServer } from '../support/server.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const MEBIBYTE = 1_048_576;

describe('a hostile body', () => {
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

  async function post(path: string, body: string | Buffer, headers: Headers = JSON_TYPE) {
    const answer = await ann.api.request<ProblemBody>('POST', path, { body, headers });
    return [answer.status, answer.body.code];
  }
  const MALFORMED = [400, 'MALFORMED_BODY'];
  const INVALID = [400, 'VALIDATION_FAILED'];
  const UNSUPPORTED = [415, 'UNSUPPORTED_MEDIA_TYPE'];

  it.each([
    { email: { $ne: null }, password: { $ne: null } },
    { email: { $gt: '' }, password: 'a' },
    { email: ['admin@example.com'], password: 'a' },
    { email: 'admin@example.com', password: { $regex: '.*' } },
    { email: true, password: true },
  ])('of operators is no login: %j', async (body) => {
    expect(await post('/api/auth/login', JSON.stringify(body))).toEqual(INVALID);
  });

  it.each([10_000, 80_000])('nested %d deep is refused, wherever it nests', async (depth) => {
    const arrays = '['.repeat(depth) + ']'.repeat(depth);
    const objects = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
    for (const deep of [arrays, objects]) {
      expect(await post('/api/devices', deep)).toEqual(INVALID);
      expect(await post('/api/auth/login', `{"email":${deep},"password":"a"}`)).toEqual(INVALID);
      const metadata = `{"name":"a","type":"b","metadata":{"a":${deep}}}`;
      expect(await post('/api/devices', metadata)).toEqual(INVALID);
      const data = `{"event":"e","data":{"a":${deep}}}`;
      expect(await post(`/api/devices/${deviceId}/logs`, data)).toEqual(INVALID);
      const hidden = `{"metadata":{"a":${deep},"__proto__":{}}}`;
      expect(await post('/api/devices', hidden)).toEqual(MALFORMED);
    }
  });

  it('nested deep in a line of a batch spoils that line alone', async () => {
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    const good = JSON.stringify({ kind: 'heartbeat', deviceId });
    const bad = `{"kind":"log","deviceId":"${deviceId}","event":"e","data":{"a":${deep}}}`;
    const answer = await ann.api.request<{ results: { status: number }[] }>('POST', '/api/ingest', {
      body: [good, bad, deep, good].join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(answer.body.results.map(({ status }) => status)).toEqual([200, 400, 400, 200]);
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(64 * MEBIBYTE, 32))],
    ['br', brotliCompressSync(Buffer.alloc(64 * MEBIBYTE, 32))],
    ['deflate', Buffer.from('x')],
    ['gzip, gzip', Buffer.from('x')],
  ])('that is packed (%s) is not unpacked', async (encoding, body) => {
    const headers = { ...JSON_TYPE, 'content-encoding': encoding };
    expect(await post('/api/devices', body, headers)).toEqual(UNSUPPORTED);
    expect(await post('/api/ingest', body, headers)).toEqual(UNSUPPORTED);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonp',
    'text/json',
    'application/json, text/plain',
    ' ',
  ])('of the type %j is refused', async (type) => {
    const headers = { 'content-type': type };
    expect(await post('/api/devices', '{"name":"a","type":"b"}', headers)).toEqual(UNSUPPORTED);
    expect(await post('/api/ingest', '[]', headers)).toEqual(UNSUPPORTED);
  });

  it('without a type is refused', async () => {
    expect(await post('/api/devices', '{"name":"a","type":"b"}', {})).toEqual(UNSUPPORTED);
  });

  it.each([
    ['nothing', ''],
    ['a number', '7'],
    ['null', 'null'],
    ['a text', '"a"'],
    ['a list', '[]'],
  ])('that is %s is not a device', async (_, body) => {
    expect(await post('/api/devices', body)).toEqual(INVALID);
  });

  it.each([
    ['half an object', '{"name":"a","type":'],
    ['two objects', '{"name":"a","type":"b"}{}'],
    ['a comment', '{"name":"a",/* */"type":"b"}'],
    ['a comma too many', '{"name":"a","type":"b",}'],
    ['single quotes', "{'name':'a','type':'b'}"],
    ['NaN', '{"name":"a","type":"b","heartbeatInterval":NaN}'],
    ['a NUL', '{"name":"a\u0000","type":"b"}'],
    ['a line break in a text', '{"name":"a\n","type":"b"}'],
  ])('with %s is not JSON', async (_, body) => {
    expect(await post('/api/devices', body)).toEqual(MALFORMED);
  });

  it.each([
    ['a byte that never occurs', Buffer.from([0xff])],
    ['a character that is cut', Buffer.from([0xe2, 0x82])],
    ['an overlong slash', Buffer.from([0xc0, 0xaf])],
    ['half a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
  ])('with %s is not UTF-8, and so not JSON', async (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"type":"b","name":"'), bytes, Buffer.from('"}')]);
    expect(await post('/api/devices', body)).toEqual(MALFORMED);
    const lines = Buffer.concat([
      Buffer.from(`{"kind":"heartbeat","deviceId":"${deviceId}"}\n{"kind":"log","event":"`),
      bytes,
      Buffer.from(`"}\n{"kind":"heartbeat","deviceId":"${deviceId}"}`),
    ]);
    const batch = await ann.api.request<{ results: { status: number; code?: string }[] }>(
      'POST',
      '/api/ingest',
      { body: lines, headers: { 'content-type': 'application/x-ndjson' } },
    );
    expect(batch.body.results.map(({ status, code }) => [status, code])).toEqual([
      [200, undefined],
      MALFORMED,
      [200, undefined],
    ]);
  });

  it('may begin with a byte order mark', async () => {
    const answer = await ann.api.request<DeviceBody>('POST', '/api/devices', {
      body: '\ufeff{"name":"a","type":"b"}',
      headers: JSON_TYPE,
    });
    expect([answer.status, answer.body.name]).toEqual([201, 'a']);
  });

  it('with the same key twice has the last of them, and no more', async () => {
    const answer = await ann.api.request<DeviceBody>('POST', '/api/devices', {
      body: '{"name":"a","name":"b","type":"t"}',
      headers: JSON_TYPE,
    });
    expect(answer.body.name).toBe('b');
  });

  it('of more than the server takes is refused, and the answer arrives', async () => {
    const body = Buffer.alloc(2 * MEBIBYTE, 32);
    for (let time = 0; time < 20; time++) {
      expect(await post('/api/devices', body)).toEqual([413, 'BODY_TOO_LARGE']);
      expect(await post('/api/ingest', body)).toEqual([413, 'BODY_TOO_LARGE']);
    }
  });

  it('of a mebibyte and one byte is refused, of a mebibyte is not', async () => {
    const device = '{"name":"a","type":"b"}';
    expect(await post('/api/devices', device.padEnd(MEBIBYTE))).toEqual([201, undefined]);
    expect(await post('/api/devices', device.padEnd(MEBIBYTE + 1))).toEqual([
      413,
      'BODY_TOO_LARGE',
    ]);
  });

  it('that does not say how large it is, is refused as soon as it is too large', async () => {
    const chunk = Buffer.concat([
      Buffer.from('10000\r\n'),
      Buffer.alloc(0x10000, 32),
      Buffer.from('\r\n'),
    ]);
    const received = await sendRaw(server.port, [
      rawRequest('POST /api/devices', {
        Authorization: `Bearer ${ann.accessToken}`,
        'Content-Type': 'application/json',
        'Transfer-Encoding': 'chunked',
      }),
      ...Array.from({ length: 64 }, () => chunk),
    ]);
    expect(statusesIn(received)).toEqual([413]);
    expect(received).toContain('BODY_TOO_LARGE');
  });

  it('of a million lines is too many before they are looked at', async () => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const lines = '1\n'.repeat(MEBIBYTE / 2);
    expect(await post('/api/ingest', lines, headers)).toEqual([413, 'TOO_MANY_LINES']);
  });

  it('that never ends is cut off', async () => {
    const chunk = `100000\r\n${' '.repeat(MEBIBYTE)}\r\n`;
    const received = await sendRaw(
      server.port,
      [
        rawRequest('POST /api/devices', {
          Authorization: `Bearer ${ann.accessToken}`,
          'Content-Type': 'application/json',
          'Transfer-Encoding': 'chunked',
          Connection: 'keep-alive',
        }),
        ...Array.from({ length: 100 }, () => chunk),
      ],
      { pauseMs: 1 },
    );
    expect(statusesIn(received)).toEqual([413]);
  });

  it('of more than the server takes spoils no other on the same connection', async () => {
    const [path, type] = ['/api/devices', 'Content-Type: application/json'];
    const about = `Host: x\r\nAuthorization: Bearer ${ann.accessToken}\r\n${type}`;
    const large = `POST ${path} HTTP/1.1\r\n${about}\r\nContent-Length: ${2 * MEBIBYTE}\r\n\r\n`;
    const good = rawRequest(
      `POST ${path}`,
      {
        Authorization: `Bearer ${ann.accessToken}`,
        'Content-Type': 'application/json',
        'Content-Length': '23',
      },
      '{"name":"a","type":"b"}',
    );
    const received = await sendRaw(server.port, [large, ' '.repeat(2 * MEBIBYTE), good]);
    expect(statusesIn(received)).toEqual([413, 201]);
  });

  it('that says it is larger than it may be is refused before it is sent', async () => {
    const received = await sendRaw(server.port, [
      rawRequest('POST /api/devices', {
        Authorization: `Bearer ${ann.accessToken}`,
        'Content-Type': 'application/json',
        'Content-Length': '1000000000',
      }),
    ]);
    expect(statusesIn(received)).toEqual([413]);
  });

  it('that ends half way changes nothing', async () => {
    const list = () => ann.api.get<{ total: number }>('/api/devices?page=1');
    const before = (await list()).body.total;
    const headers = {
      Authorization: `Bearer ${ann.accessToken}`,
      'Content-Type': 'application/json',
      'Content-Length': '1000',
    };
    const request = rawRequest('POST /api/devices', headers, '{"name":"a","type":"b"}');
    await Promise.all(
      Array.from({ length: 20 }, () => sendRaw(server.port, [request], { end: true })),
    );
    expect((await list()).body.total).toBe(before);
  });

  it('that is longer than it says is cut there, and the rest is no request', async () => {
    const headers = {
      Authorization: `Bearer ${ann.accessToken}`,
      'Content-Type': 'application/json',
      'Content-Length': '10',
      Connection: 'keep-alive',
    };
    const request = rawRequest('POST /api/devices', headers, '{"name":"a","type":"b"}');
    const answered = await sendRaw(server.port, [request]);
    // One for the ten bytes, which are no JSON; one for what follows, with which the connection ends.
    expect(statusesIn(answered)).toEqual([400, 400]);
    expect(answered).toContain('"code":"MALFORMED_BODY"');
    expect(answered).toMatch(/Connection: close\r\n\r\n$/);
  });
});
