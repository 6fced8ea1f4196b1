import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentOf, type Agent, type AgentDeps } from '../../src/cli/agent/agent.js';
import { replaceFile } from '../../src/cli/agent/files.js';
import { rejectedIn } from '../../src/cli/agent/rejected.js';
import { replaceFromReserve } from '../../src/cli/agent/reserve.js';
import { openSpool, type Spool } from '../../src/cli/agent/spool.js';
import { connect, type Connection } from '../../src/cli/client.js';
import { startApiDouble, type ApiDouble } from '../support/apiDouble.js';
import { countedSource } from '../support/countedSource.js';
import { eachWithFolder } from '../support/folder.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';

const never = new AbortController().signal;

/** As the system says it. */
function noSpace(): never {
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

// An agent whose disk had filled up ended at the first answer that it could not note.
describe('the agent on a full disk', () => {
  const folder = eachWithFolder();
  let runtime: ReturnType<typeof hurriedRuntime>;
  let server: ApiDouble;
  let connection: Connection;
  let remarks: string[];
  beforeEach(async () => {
    runtime = hurriedRuntime();
    server = await startApiDouble();
    connection = connect(server.url, 1);
    remarks = [];
  });
  afterEach(() => Promise.all([connection.close(), server.close()]));

  const openedSpool = () => openSpool({ folder: join(folder.path, 'spool'), maxBytes: 1_048_576 });

  function start(messages: readonly string[], deps: Partial<AgentDeps> = {}): Agent {
    return agentOf({
      runtime,
      spool: openedSpool(),
      sources: [countedSource(messages)],
      vitals: () => ({ load1: 0.5 }),
      remark: (line) => remarks.push(line),
      version: '1.2.3',
      keepRejected: rejectedIn(folder.path),
      send: (request) => connection.send({ ...request, token: 'device-token' }),
      ...deps,
    });
  }

  const messages = () => server.stored.map(({ message }) => message);

  const SAID_ONCE = [expect.stringContaining('nothing can be kept: E'), 'disk: well again'];

  /** Stands where a new head of the spool is written first, so that none can be. */
  const inTheWay = () => join(folder.path, 'spool', 'head.json.new');

  it('notes an answer as soon as it can, and sends nothing before that', async () => {
    const agent = start(['one', 'two']);
    agent.observe();
    mkdirSync(inTheWay());
    expect(await agent.flush(never)).toBe(false);
    agent.beat();
    expect(await agent.flush(never)).toBe(false);
    expect(server.requests).toHaveLength(1);
    rmdirSync(inTheWay());
    expect(await agent.flush(never)).toBe(true);
    expect(messages()).toEqual(['one', 'two', undefined]);
    expect(server.requests).toHaveLength(2);
    expect(remarks).toEqual(SAID_ONCE);
  });

  it('is stored once when it ended before it could note the answer', async () => {
    const before = start(['one']);
    before.observe();
    mkdirSync(inTheWay());
    expect(await before.flush(never)).toBe(false);
    rmdirSync(inTheWay());
    const after = start(['one', 'two']);
    after.observe();
    expect(await after.flush(never)).toBe(true);
    expect(messages()).toEqual(['one', 'two']);
  });

  it('goes on running, and tries again after longer and longer', async () => {
    const stop = new AbortController();
    const spool = openedSpool();
    let refusals = 3;
    const agent = start(['one'], {
      spool: spoolWith(spool, {
        oldest: (...bounds) => {
          const batch = spool.oldest(...bounds);
          const settle = (count: number) => {
            if ((refusals -= 1) >= 0) noSpace();
            batch.settle(count);
            stop.abort();
          };
          return { ...batch, settle };
        },
      }),
    });
    await expect(agent.run(3_600_000, stop.signal)).resolves.toBeUndefined();
    expect(server.requests).toHaveLength(1);
    expect(runtime.slept).toEqual(expect.arrayContaining([250, 500, 1_000]));
    expect(remarks).toEqual(SAID_ONCE);
  });

  it('keeps each refused line aside once', async () => {
    const keep = rejectedIn(folder.path);
    let calls = 0;
    const agent = start(['refuse me', 'one', 'refuse me'], {
      keepRejected: (...rejected) => ((calls += 1) === 2 ? noSpace() : keep(...rejected)),
    });
    agent.observe();
    expect(await agent.flush(never)).toBe(false);
    expect(await agent.flush(never)).toBe(true);
    const aside = readFileSync(join(folder.path, 'rejected.ndjson'), 'utf8').trim().split('\n');
    const ids = aside.map((line) => (JSON.parse(line) as { line: { id: string } }).line.id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
    expect(messages()).toEqual(['one']);
  });

  // With each beat it was told anew, and half a second later, with no line to keep, taken back.
  it('says it once, however much it can’t keep', () => {
    let full = true;
    const spool = openedSpool();
    const agent = start([], {
      spool: spoolWith(spool, {
        append: (entries) => (full ? noSpace() : spool.append(entries)),
      }),
    });
    for (let times = 0; times < 3; times += 1) {
      agent.beat();
      agent.observe();
    }
    expect(remarks).toHaveLength(1);
    full = false;
    agent.beat();
    expect(remarks).toEqual(SAID_ONCE);
  });
});

describe('a file with a reserve', () => {
  const folder = eachWithFolder();
  const path = () => join(folder.path, 'head.json');
  const sizeOf = (name: string) => statSync(join(folder.path, name)).size;
  const used = () => readdirSync(folder.path).reduce((sum, name) => sum + sizeOf(name), 0);

  /** Replaces files on a disk of so many bytes. */
  const onDiskOf = (bytes: number) => (file: string, text: string) => {
    if (used() + text.length > bytes) noSpace();
    replaceFile(file, text);
  };

  // A spool that had filled the disk by itself could never be emptied again.
  it('can be replaced again and again when everything else has filled the disk', () => {
    const replace = replaceFromReserve(path(), onDiskOf(50_000));
    replace('first');
    writeFileSync(join(folder.path, 'everything-else'), 'x'.repeat(50_000 - used()));
    for (const text of ['second', 'third']) {
      replace(text);
      expect(readFileSync(path(), 'utf8')).toBe(text);
    }
  });

  it('is as it was when there is no reserve either', () => {
    const replace = replaceFromReserve(path(), onDiskOf(10));
    replace('first');
    expect(() => replace('second')).toThrow('ENOSPC');
    expect(readFileSync(path(), 'utf8')).toBe('first');
  });
});

/** The spool with something of it replaced, and its getters as they are. */
function spoolWith(spool: Spool, replaced: Partial<Spool>): Spool {
  return new Proxy(spool, {
    get: (target, name) => Reflect.get(name in replaced ? replaced : target, name) as unknown,
  });
}
