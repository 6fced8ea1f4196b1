import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { connect, type Connection } from '../../src/cli/client.js';
import { CommandFailed } from '../../src/cli/errors.js';
import { openCsvFile } from '../../src/cli/import/csvFile.js';
import { importRows, type ImportPlan } from '../../src/cli/import/importRows.js';
import { retrying } from '../../src/cli/retry.js';
import { startApiDouble, type ApiDouble } from '../support/apiDouble.js';
import { eachWithFolder } from '../support/folder.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';

const never = new AbortController().signal;

const PLAN: ImportPlan = {
  deviceId: 'device',
  time: 'time',
  metrics: [{ column: 'value', metric: 'value' }],
  log: undefined,
  timeFormat: 'unix',
  missing: new Set(),
  delimiter: ',',
  batchLines: 100,
  fromLine: 1,
};

describe('an import', () => {
  const folder = eachWithFolder();
  let server: ApiDouble;
  let connection: Connection;
  beforeEach(async () => {
    server = await startApiDouble();
    connection = connect(server.url);
  });
  afterEach(() => Promise.all([connection.close(), server.close()]));

  async function run(content: string | Buffer, plan: Partial<ImportPlan> = {}) {
    const path = join(folder.path, 'series.csv');
    writeFileSync(path, content);
    const counts = { rows: 0, accepted: 0, rejected: 0, empty: 0, nextLine: 1 };
    const rejected: string[] = [];
    const patient = retrying(hurriedRuntime(), { giveUpAfterMs: 60_000 });
    await importRows(
      {
        send: patient((request) => connection.send({ ...request, token: 't' })),
        counts,
        onRejected: (line, reason) => rejected.push(`${line}: ${reason}`),
      },
      { ...PLAN, ...plan },
      (await openCsvFile(path)).lines(),
      never,
    );
    return { counts, rejected };
  }

  const series = (rows: number) =>
    `time,value\n${Array.from({ length: rows }, (_, i) => `${1_700_000_000 + i},${i}`).join('\n')}\n`;

  it('sends every row once, in order and in batches', async () => {
    const { counts } = await run(series(1_050));
    expect(counts).toEqual({
      rows: 1_050,
      accepted: 1_050,
      rejected: 0,
      empty: 0,
      nextLine: 1_051,
    });
    expect(server.requests).toHaveLength(11);
    expect(server.stored[1_049]).toMatchObject({ metrics: { value: 1_049 }, deviceId: 'device' });
  });

  it('takes a file with a byte order mark, CRLF and no last newline', async () => {
    const { counts } = await run('\ufefftime,value\r\n1700000000,1\r\n1700000001,2');
    expect(counts.accepted).toBe(2);
  });

  it('takes a gzipped file, whatever its name', async () => {
    const { counts } = await run(gzipSync(series(10)));
    expect(counts.accepted).toBe(10);
  });

  it('tells a gzipped file that is cut off', async () => {
    const cut = gzipSync(series(10_000)).subarray(0, 8_000);
    await expect(run(cut)).rejects.toThrow(CommandFailed);
  });

  it('tells bad rows by their line, and goes on', async () => {
    const { counts, rejected } = await run(
      'time,value\n1700000000,1\n,2\n1700000002,NaN\n1700000003,"oops\n1700000004,\n1700000005,6\n',
    );
    expect(rejected).toEqual([
      '3: no time',
      '4: value: "NaN" is no number',
      '5: a quote is never closed',
    ]);
    expect(counts).toMatchObject({ rows: 6, accepted: 2, rejected: 3, empty: 1 });
  });

  it('does not store twice what was sent twice', async () => {
    server.next('/api/ingest', { kind: 'drop-after' }, { kind: 'answer', status: 503 });
    await run(series(150));
    expect(server.stored).toHaveLength(150);
    await run(series(150));
    expect(server.stored).toHaveLength(150);
  });

  it('goes on from a line', async () => {
    const { counts } = await run(series(10), { fromLine: 9 });
    expect(counts).toMatchObject({ rows: 3, accepted: 3 });
  });

  it('goes on from a line among equal ones without losing any', async () => {
    const three = `time,value\n${'1700000000,1\n'.repeat(3)}`;
    await run(three.slice(0, -'1700000000,1\n'.length));
    await run(three, { fromLine: 4 });
    expect(server.stored).toHaveLength(3);
    await run(three);
    expect(server.stored).toHaveLength(3);
  });

  it('says which column is not there', async () => {
    await expect(run('when,value\n')).rejects.toThrow('no column "time"; it has: when, value');
    await expect(run('')).rejects.toThrow('the file is empty');
  });

  it('stops at a refusal that no waiting heals', async () => {
    server.revoke();
    await expect(run(series(10))).rejects.toMatchObject({ code: 'TOKEN_REVOKED' });
  });
});
