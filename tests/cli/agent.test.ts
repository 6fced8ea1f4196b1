import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentOf, type Agent } from '../../src/cli/agent/agent.js';
import { enrol, isEnrolled, keptEnrolment } from '../../src/cli/agent/enrol.js';
import { followFile } from '../../src/cli/agent/followFile.js';
import { rejectedIn } from '../../src/cli/agent/rejected.js';
import type { Observed, Source } from '../../src/cli/agent/source.js';
import { openSpool } from '../../src/cli/agent/spool.js';
import { vitalsOf } from '../../src/cli/agent/vitals.js';
import { connect, type Connection } from '../../src/cli/client.js';
import { ServerUnreachable, UsageError } from '../../src/cli/errors.js';
import { startApiDouble, type ApiDouble } from '../support/apiDouble.js';
import { countedSource } from '../support/countedSource.js';
import { eachWithFolder } from '../support/folder.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';

const never = new AbortController().signal;

describe('the agent', () => {
  const folder = eachWithFolder();
  const runtime = hurriedRuntime();
  let server: ApiDouble;
  let connection: Connection;
  let remarks: string[];
  beforeEach(async () => {
    server = await startApiDouble();
    connection = connect(server.url, 1);
    remarks = [];
  });
  afterEach(() => Promise.all([connection.close(), server.close()]));

  /** As after a start: what is on disk is all that it knows. */
  function start(
    messages: readonly string[] = [],
    maxBytes = 1_048_576,
    sources: readonly Source[] = [countedSource(messages)],
  ): Agent {
    return agentOf({
      runtime,
      spool: openSpool({ folder: join(folder.path, 'spool'), maxBytes }),
      sources,
      vitals: () => ({ load1: 0.5 }),
      remark: (line) => remarks.push(line),
      version: '1.2.3',
      keepRejected: rejectedIn(folder.path),
      send: (request) => connection.send({ ...request, token: 'device-token' }),
    });
  }

  const messages = () => server.stored.map(({ message }) => message);

  it('tells how the machine is, and what its logs say', async () => {
    const agent = start(['started', 'listening']);
    agent.beat();
    agent.observe();
    expect(await agent.flush(never)).toBe(true);
    expect(server.stored).toMatchObject([
      { kind: 'heartbeat', metrics: { load1: 0.5 }, firmware: '1.2.3' },
      { kind: 'log', event: 'log-line', message: 'started', data: { source: 'file:app.log' } },
      { kind: 'log', event: 'log-line', message: 'listening' },
    ]);
  });

  it('keeps what it can’t send, over a restart, and sends it later in order', async () => {
    server.next('/api/ingest', { kind: 'answer', status: 503 });
    const before = start(['one']);
    before.observe();
    expect(await before.flush(never)).toBe(false);
    expect(remarks.join()).toContain("can't be reached");
    const after = start(['one', 'two']);
    after.observe();
    expect(await after.flush(never)).toBe(true);
    expect(messages()).toEqual(['one', 'two']);
  });

  it('is stored once when the answer was lost, and once when it died before it could note it', async () => {
    server.next('/api/ingest', { kind: 'drop-after' });
    const before = start(['one', 'two']);
    before.observe();
    expect(await before.flush(never)).toBe(false);
    expect(messages()).toEqual(['one', 'two']);
    const after = start(['one', 'two', 'three']);
    after.observe();
    expect(await after.flush(never)).toBe(true);
    expect(messages()).toEqual(['one', 'two', 'three']);
  });

  it('lets go of a line that is refused for good, keeps it aside, and sends the others', async () => {
    const agent = start(['one', 'refuse me', 'three']);
    agent.observe();
    expect(await agent.flush(never)).toBe(true);
    expect(messages()).toEqual(['one', 'three']);
    const aside = readFileSync(join(folder.path, 'rejected.ndjson'), 'utf8');
    expect(JSON.parse(aside)).toMatchObject({
      status: 422,
      code: 'INVALID',
      line: { kind: 'log' },
    });
  });

  it('keeps everything when its token is revoked, and says so once', async () => {
    server.revoke();
    const agent = start(['one']);
    agent.observe();
    expect(await agent.flush(never)).toBe(false);
    expect(await agent.flush(never)).toBe(false);
    expect(remarks).toEqual([expect.stringContaining('no longer good')]);
    expect(openSpool({ folder: join(folder.path, 'spool'), maxBytes: 1e6 }).isEmpty).toBe(false);
  });

  it('tells later what it had to drop', async () => {
    const lines: string[] = [];
    const agent = start(lines, 65_536);
    for (let index = 0; index < 300; index += 1) {
      lines.push(`line ${index}`);
      agent.observe();
    }
    expect(await agent.flush(never)).toBe(true);
    const told = server.stored.filter(({ event }) => event === 'spool-dropped');
    const sent = server.stored.filter(({ event }) => event === 'log-line');
    expect(sent.length).toBeLessThan(300);
    expect(told).toEqual([expect.objectContaining({ value: 300 - sent.length, level: 'warn' })]);
    expect(sent.at(-1)?.message).toBe('line 299');
  });

  it('tells its user, too, of lines that a source has lost', () => {
    const lost: Observed = { event: 'lines-lost', level: 'warn', message: 'gone', cursor: '1' };
    const source = {
      ...countedSource([]),
      read: (after?: string) => (after === '1' ? [] : [lost]),
    };
    const agent = start([], 1e6, [source]);
    agent.observe();
    agent.observe();
    expect(remarks).toEqual(['file:app.log: gone']);
  });

  it('makes up for what it is behind with, but never pushes out for it what waits', async () => {
    const path = join(folder.path, 'app.log');
    const lines = Array.from({ length: 300 }, (_, index) => `${index} ${'x'.repeat(4_000)}`);
    writeFileSync(path, lines.join('\n') + '\n');
    const source = followFile(path);
    const agent = start([], 1_200_000, [source]);
    let atOnce = 0;
    while (agent.observe()) atOnce += 1;
    expect(atOnce).toBe(2);
    agent.observe();
    for (let rounds = 0; rounds < 10; rounds += 1) {
      expect(await agent.flush(never)).toBe(true);
      agent.observe();
    }
    source.close();
    expect(messages()).toEqual(lines);
  });

  // One piece of short lines takes ten times its size in the spool, and pushed out what was before it.
  it('leaves in their files what does not fit into a small spool', async () => {
    const names = ['a.log', 'b.log'];
    const lines = names.map((name) => Array.from({ length: 3_000 }, (_, n) => `${name} ${n}`));
    const sources = names.map((name, index) => {
      writeFileSync(join(folder.path, name), (lines[index] ?? []).join('\n') + '\n');
      return followFile(join(folder.path, name));
    });
    const agent = start([], 524_288, sources);
    for (let rounds = 0; rounds < 20; rounds += 1) {
      agent.observe();
      expect(await agent.flush(never)).toBe(true);
    }
    sources.forEach((source) => source.close());
    expect(messages().toSorted()).toEqual(lines.flat().toSorted());
    expect(messages().filter((message) => String(message).startsWith('a'))).toEqual(lines[0]);
  });

  it('beats at its interval until it is told to stop', async () => {
    const stop = new AbortController();
    const beats: number[] = [];
    const clock = hurriedRuntime();
    const agent = agentOf({
      runtime: clock,
      spool: openSpool({ folder: join(folder.path, 'spool'), maxBytes: 1e6 }),
      sources: [],
      vitals: () => {
        beats.push(clock.now());
        if (beats.length === 3) stop.abort();
        return {};
      },
      remark: () => undefined,
      version: '1.2.3',
      keepRejected: () => undefined,
      send: async () => Promise.reject(new ServerUnreachable('http://a', 'ECONNREFUSED')),
    });
    await expect(agent.run(10_000, stop.signal)).resolves.toBeUndefined();
    expect(beats).toHaveLength(3);
  });
});

describe('the enrolment', () => {
  const folder = eachWithFolder();
  const runtime = hurriedRuntime();
  const wanted = { url: 'http://a', name: 'machine', intervalMs: 10_000 };
  let server: ApiDouble;
  let connection: Connection;
  beforeEach(async () => {
    server = await startApiDouble();
    connection = connect(server.url);
  });
  afterEach(() => Promise.all([connection.close(), server.close()]));

  const begin = () =>
    enrol(
      { send: connection.send, runtime, folder: folder.path },
      keptEnrolment(folder.path, undefined),
      wanted,
    );

  it('is kept for its owner’s eyes only', async () => {
    await begin();
    expect(isEnrolled(keptEnrolment(folder.path, 'http://a'))).toBe(true);
    expect(statSync(join(folder.path, 'agent.json')).mode & 0o777).toBe(0o600);
  });

  it('goes on from where it broke off, and registers once', async () => {
    server.next('/api/devices', { kind: 'drop-after' });
    server.next('/api/devices/device-2/tokens', { kind: 'drop-before' });
    await expect(begin()).rejects.toThrow();
    await expect(begin()).rejects.toThrow();
    await expect(begin()).resolves.toMatchObject({ token: 'device-token' });
    const keys = server.idempotencyKeys.filter((_, index) =>
      server.requests[index]?.endsWith('/api/devices'),
    );
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it('never takes a token to another server', async () => {
    await begin();
    expect(() => keptEnrolment(folder.path, 'http://b')).toThrow(UsageError);
  });
});

describe('the vitals', () => {
  it('are finite numbers of this machine', () => {
    const vitals = vitalsOf()();
    expect(Object.keys(vitals)).toEqual(
      expect.arrayContaining(['load1', 'memoryUsedPercent', 'diskUsedPercent']),
    );
    expect(Object.values(vitals).every(Number.isFinite)).toBe(true);
  });
});
