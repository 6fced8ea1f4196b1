import { rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { eventually } from '../support/eventually.js';
import { rawRequest, sendRaw } from '../support/rawHttp.js';
import { ADMIN, newDataDir } from '../support/server.js';
import { startProcess, type ServerProcess } from '../support/serverProcess.js';

const MEBIBYTE = 1_048_576;
const HEADERS = { 'content-type': 'application/json' };

describe('a flood of hostile requests', () => {
  const dataDir = newDataDir();
  const agent = new Agent({ connections: 16 });
  let server: ServerProcess;
  let authorization = '';
  beforeAll(async () => {
    server = await startProcess({ DATA_DIR: dataDir });
    authorization = await eventually(async () => {
      const { text } = await post('/api/auth/login', JSON.stringify(ADMIN));
      const { accessToken } = JSON.parse(text) as { accessToken?: string };
      return accessToken === undefined ? undefined : `Bearer ${accessToken}`;
    });
  });
  afterAll(async () => {
    await agent.close();
    server.signal('SIGTERM');
    await server.ended;
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function post(
    path: string,
    body: string | Buffer,
    more: Readonly<Record<string, string>> = {},
  ) {
    const headers = { ...HEADERS, ...(authorization !== '' && { authorization }), ...more };
    const answer = await request(server.url + path, {
      dispatcher: agent,
      method: 'POST',
      headers,
      body,
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  }

  /** Of the server's process, by its own account. */
  async function residentBytes(): Promise<number> {
    const { body } = await request(`${server.url}/metrics/prometheus`, { dispatcher: agent });
    return Number(/^process_resident_memory_bytes (\d+)/m.exec(await body.text())?.[1]);
  }

  async function flood(times: number) {
    const deep = `{"name":"a","type":"b","metadata":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`;
    const bomb = gzipSync(Buffer.alloc(16 * MEBIBYTE));
    const large = Buffer.alloc(2 * MEBIBYTE, 32);
    const statuses = new Set<number>();
    for (let time = 0; time < times; time++) {
      const answers = await Promise.all([
        post('/api/devices', deep),
        post('/api/devices', bomb, { 'content-encoding': 'gzip' }),
        post('/api/devices', large),
        post('/api/ingest', `[${'[],'.repeat(9_998)}[]]`),
        post('/api/devices', `{"name":"${'x'.repeat(500_000)}"}`),
        post(`/api/devices?x=${'y'.repeat(10_000)}`, '{}'),
        post('/api/auth/refresh', JSON.stringify({ refreshToken: `${time}`.repeat(900) })),
        post('/api/devices', '{}', { authorization: `Bearer ${'z'.repeat(5_000)}${time}` }),
        post('/api/devices', '{}', { 'idempotency-key': `k${time}`, 'x-request-id': `r${time}` }),
      ]);
      for (const { status } of answers) statuses.add(status);
      await sendRaw(
        server.port,
        [rawRequest('POST /api/devices', { 'Content-Length': '100' }, '{')],
        {
          end: true,
        },
      );
    }
    return statuses;
  }

  it('is answered, leaves the memory flat, and the server as it was', async () => {
    await flood(20);
    const before = await residentBytes();
    const statuses = await flood(60);
    const after = await residentBytes();
    expect([...statuses].filter((status) => status >= 500)).toEqual([]);
    expect(after - before).toBeLessThan(48 * MEBIBYTE);
    const { status } = await post('/api/devices', '{"name":"a","type":"b"}');
    expect(status).toBe(201);
  }, 90_000);
});
