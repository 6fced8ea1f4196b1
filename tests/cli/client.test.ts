import { connect, parseServerUrl, type Connection, type Send } from '../../src/cli/client.js';
import {
  ApiProblem,
  ServerUnreachable,
  UnexpectedAnswer,
  UsageError,
} from '../../src/cli/errors.js';
import { ingest } from '../../src/cli/ingest.js';
import { retrying } from '../../src/cli/retry.js';
import { authorized, logIn } from '../../src/cli/session.js';
import { startApiDouble, type ApiDouble } from '../support/apiDouble.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';

const REGISTER = { method: 'POST', path: '/api/devices', body: '{}', idempotencyKey: 'k' } as const;

describe('the client', () => {
  let server: ApiDouble;
  let connection: Connection;
  beforeEach(async () => {
    server = await startApiDouble();
    connection = connect(server.url);
  });
  afterEach(() => Promise.all([connection.close(), server.close()]));

  const patient = (runtime = hurriedRuntime(), giveUpAfterMs = 120_000) =>
    retrying(runtime, { giveUpAfterMs })(connection.send);

  it('tells a refusal by its code', async () => {
    const refused = connection.send({ method: 'GET', path: '/api/nowhere', token: 't' });
    await expect(refused).rejects.toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it('waits as long as the server asks', async () => {
    const runtime = hurriedRuntime();
    server.next('/api/devices', { kind: 'answer', status: 429, retryAfter: '7' });
    await expect(patient(runtime)(REGISTER)).resolves.toEqual({ id: 'device-1' });
    expect(runtime.slept).toEqual([7_000]);
  });

  it('waits longer each time for a server that is not ready, and then gives up', async () => {
    const runtime = hurriedRuntime();
    const busy = { kind: 'answer', status: 503 } as const;
    server.next('/api/devices', busy, busy, busy, busy, busy);
    await expect(patient(runtime, 2_000)(REGISTER)).rejects.toThrow(ApiProblem);
    expect(runtime.slept).toEqual([250, 500, 1_000]);
  });

  it('repeats what was cut off, under the same key', async () => {
    server.next('/api/devices', { kind: 'drop-before' }, { kind: 'drop-after' });
    await patient()(REGISTER);
    expect(server.idempotencyKeys).toEqual(['k', 'k', 'k']);
  });

  it('does not repeat a refusal', async () => {
    server.next('/api/devices', { kind: 'answer', status: 422 });
    await expect(patient()(REGISTER)).rejects.toMatchObject({ status: 422 });
    expect(server.requests).toHaveLength(1);
  });

  it('says when nobody is there', async () => {
    await server.close();
    await expect(connection.send(REGISTER)).rejects.toThrow(ServerUnreachable);
  });

  it('renews an expired token once, for all who noticed', async () => {
    const session = await logIn(
      { send: connection.send, runtime: hurriedRuntime() },
      { email: 'a@example.com', password: 'secret-password' },
    );
    server.next('/api/ingest', { kind: 'answer', status: 401 }, { kind: 'answer', status: 401 });
    const send = authorized(connection.send, session);
    await Promise.all([ingest(send, ['{"id":"1"}']), ingest(send, ['{"id":"2"}'])]);
    expect(session.current()).toBe('renewed');
    expect(server.requests.filter((request) => request.endsWith('/refresh'))).toHaveLength(1);
  });

  it('takes only an address that is one', () => {
    expect(parseServerUrl('http://127.0.0.1:5000/')).toBe('http://127.0.0.1:5000');
    expect(() => parseServerUrl('127.0.0.1:5000')).toThrow(UsageError);
    expect(() => parseServerUrl('ftp://a')).toThrow(UsageError);
    expect(() => parseServerUrl('http://me:secret@a')).toThrow(/^(?!.*secret)/);
  });
});

describe('a batch', () => {
  let server: ApiDouble;
  let connection: Connection;
  let send: Send;
  beforeEach(async () => {
    server = await startApiDouble();
    connection = connect(server.url);
    send = (request) => connection.send({ ...request, token: 'device-token' });
  });
  afterEach(() => Promise.all([connection.close(), server.close()]));

  const lines = (count: number) => Array.from({ length: count }, (_, i) => `{"id":"line-${i}"}`);

  it('is answered line by line', async () => {
    const bad = '{"id":"bad","message":"refuse me"}';
    const answers = await ingest(send, ['{"id":"a"}', bad, '{"id":"b"}']);
    expect(answers.map(({ status }) => status)).toEqual([200, 422, 200]);
  });

  it('is halved until it is small enough, and stays in order', async () => {
    server.maxBytes = 100;
    const answers = await ingest(send, lines(50));
    expect(answers).toHaveLength(50);
    expect(server.stored.map(({ id }) => id)).toEqual(lines(50).map((_, i) => `line-${i}`));
  });

  it('gives up only the one line that is too large', async () => {
    server.maxBytes = 100;
    const large = `{"id":"large","message":"${'x'.repeat(200)}"}`;
    const answers = await ingest(send, [...lines(3), large, ...lines(1)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 413, 200]);
  });

  it('with an answer that does not fit is nobody’s success', async () => {
    const other: Send = async () => ({ results: [{ line: 2, status: 200 }] });
    await expect(ingest(other, ['{}'])).rejects.toThrow(UnexpectedAnswer);
    await expect(ingest(async () => '<html>', ['{}'])).rejects.toThrow(UnexpectedAnswer);
  });
});
