import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseCursor } from '../../src/cli/agent/fileCursor.js';
import { lastWords, linesAfter, startOf } from '../../src/cli/agent/fileLines.js';
import { followFile } from '../../src/cli/agent/followFile.js';
import { open as openFile } from '../../src/cli/agent/openFile.js';
import type { Source } from '../../src/cli/agent/source.js';
import { eachWithFolder } from '../support/folder.js';

/** Reads as the agent does: the cursor of the last line is kept. */
function reader(source: Source, start?: string) {
  let cursor = start;
  return {
    read: (): string[] => {
      const observed = source.read(cursor);
      cursor = observed.at(-1)?.cursor ?? cursor;
      return observed.map(({ message }) => message);
    },
    cursor: () => cursor,
  };
}

describe('a followed file', () => {
  const folder = eachWithFolder();
  const open: Source[] = [];
  const path = () => join(folder.path, 'app.log');
  const follow = () => {
    const source = followFile(path());
    open.push(source);
    return source;
  };
  afterEach(() => open.splice(0).forEach((source) => source.close()));

  it('gives its lines as they come', () => {
    writeFileSync(path(), 'one\ntwo\r\n\n');
    const log = reader(follow());
    expect(log.read()).toEqual(['one', 'two']);
    expect(log.read()).toEqual([]);
    appendFileSync(path(), 'three\n');
    expect(log.read()).toEqual(['three']);
  });

  it('begins at its end when it is told to', () => {
    writeFileSync(path(), 'old\n');
    const source = follow();
    const log = reader(source, source.now());
    expect(log.read()).toEqual([]);
    appendFileSync(path(), 'new\n');
    expect(log.read()).toEqual(['new']);
  });

  it('is read from its start when it comes into being later', () => {
    const source = follow();
    const log = reader(source, source.now());
    expect(log.read()).toEqual([]);
    writeFileSync(path(), 'first\n');
    expect(log.read()).toEqual(['first']);
  });

  it('holds back a line until it is whole', () => {
    writeFileSync(path(), 'one\nhal');
    const log = reader(follow());
    expect(log.read()).toEqual(['one']);
    appendFileSync(path(), 'f\n');
    expect(log.read()).toEqual(['half']);
  });

  it('is read from its start after it was truncated', () => {
    writeFileSync(path(), 'one\ntwo\n');
    const log = reader(follow());
    log.read();
    truncateSync(path(), 0);
    expect(log.read()).toEqual([]);
    appendFileSync(path(), 'three\n');
    expect(log.read()).toEqual(['three']);
  });

  it('is read from its start after it was truncated and has outgrown its old length', () => {
    writeFileSync(path(), 'one\n');
    const log = reader(follow());
    log.read();
    writeFileSync(path(), 'another beginning\nand more\n');
    expect(log.read()).toEqual(['another beginning', 'and more']);
  });

  it('is read to its end after it was rotated, and then the new file', () => {
    writeFileSync(path(), 'one\n');
    const log = reader(follow());
    log.read();
    appendFileSync(path(), 'two\n');
    renameSync(path(), `${path()}.1`);
    appendFileSync(`${path()}.1`, 'three\nunfinished');
    writeFileSync(path(), 'four\n');
    expect(log.read()).toEqual(['two', 'three']);
    expect(log.read()).toEqual(['unfinished']);
    expect(log.read()).toEqual(['four']);
    expect(log.read()).toEqual([]);
  });

  it('ends with the lines that came after it was read last, and not with all of them as one', () => {
    writeFileSync(path(), 'l1\n');
    const file = openFile(path());
    if (file === null) throw new Error('no file');
    const [l1] = linesAfter(file, startOf(file));
    const words = (cursor?: string) => lastWords(file, parseCursor(cursor) ?? startOf(file));
    appendFileSync(path(), 'l2 ERROR\nl3\n\nrest');
    const late = words(l1?.cursor);
    expect(late.map(({ message }) => message)).toEqual(['l2 ERROR', 'l3']);
    const rest = words(late.at(-1)?.cursor);
    expect(rest.map(({ message }) => message)).toEqual(['rest']);
    expect(words(rest.at(-1)?.cursor)).toEqual([]);
    closeSync(file.descriptor);
  });

  it('waits for the new file while there is none', () => {
    writeFileSync(path(), 'one\n');
    const log = reader(follow());
    log.read();
    renameSync(path(), `${path()}.1`);
    expect(log.read()).toEqual([]);
    writeFileSync(path(), 'two\n');
    expect(log.read()).toEqual(['two']);
  });

  it('goes on after a restart', () => {
    writeFileSync(path(), 'one\n');
    const before = reader(follow());
    before.read();
    appendFileSync(path(), 'two\n');
    expect(reader(follow(), before.cursor()).read()).toEqual(['two']);
  });

  it('loses nothing when it was rotated between two runs', () => {
    writeFileSync(path(), 'one\n');
    const before = reader(follow());
    before.read();
    appendFileSync(path(), 'two\n');
    renameSync(path(), `${path()}.1`);
    writeFileSync(path(), 'three\n');
    const after = reader(follow(), before.cursor());
    expect(after.read()).toEqual(['two']);
    expect(after.read()).toEqual(['three']);
  });

  it('is read from its start when the file that the cursor knew is gone, and that is told', () => {
    writeFileSync(path(), 'one\n');
    const before = reader(follow());
    before.read();
    writeFileSync(join(folder.path, 'new'), 'brand-new\n');
    renameSync(join(folder.path, 'new'), path());
    expect(reader(follow(), before.cursor()).read()).toEqual([
      'lines of app.log may be lost: the file that was read last is gone',
      'brand-new',
    ]);
  });

  it('gives again what was not kept', () => {
    writeFileSync(path(), 'one\ntwo\n');
    const source = follow();
    const [first] = source.read(undefined);
    expect(source.read(undefined)).toHaveLength(2);
    expect(source.read(first?.cursor).map(({ message }) => message)).toEqual(['two']);
  });

  it('keeps the head of a line without end, and finds the next line', () => {
    writeFileSync(path(), `before\n${'x'.repeat(1_000_000)}\nafter\n`);
    const log = reader(follow());
    expect(log.read()).toEqual(['before']);
    const [long = ''] = log.read();
    expect(long).toHaveLength(4_096);
    expect(log.read()).toEqual(['after']);
  });

  it('is not held up by a heap of empty lines', () => {
    writeFileSync(path(), `${'\n'.repeat(600_000)}after\n`);
    expect(reader(follow()).read()).toEqual(['after']);
  });

  it('survives bytes that are no text', () => {
    writeFileSync(path(), Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x6f, 0x6b, 0x0a]));
    expect(reader(follow()).read()).toHaveLength(2);
  });

  it('starts anew from a cursor that is none', () => {
    writeFileSync(path(), 'one\n');
    expect(reader(follow(), 'garbage').read()).toEqual(['one']);
  });

  it('is behind while there is more than the next read takes', () => {
    writeFileSync(path(), `${'x'.repeat(99)}\n`.repeat(6_000));
    const source = follow();
    const log = reader(source);
    const behind = [0, 1, 2].map(() => log.read().length > 0 && source.isBehind);
    expect(behind).toEqual([true, true, false]);
  });
});

describe('a file that was rotated more than once between two reads', () => {
  const folder = eachWithFolder();
  const open: Source[] = [];
  const path = (suffix = '') => join(folder.path, `app.log${suffix}`);
  const follow = () => {
    const source = followFile(path());
    open.push(source);
    return source;
  };
  afterEach(() => open.splice(0).forEach((source) => source.close()));

  /** Reads until nothing more comes. */
  function allOf(log: { readonly read: () => string[] }): string[] {
    const all: string[] = [];
    for (let lines = log.read(); lines.length > 0; lines = log.read()) all.push(...lines);
    return all;
  }

  /** A reader that has read `A1` and then, at its next read or after a restart, finds more. */
  function readerOfA1() {
    writeFileSync(path(), 'A1\n');
    const log = reader(follow());
    log.read();
    appendFileSync(path(), 'A2\n');
    return log;
  }

  function rotateByNumber(...lines: readonly string[]): void {
    for (const number of [3, 2, 1]) {
      if (existsSync(path(`.${number}`))) renameSync(path(`.${number}`), path(`.${number + 1}`));
    }
    renameSync(path(), path('.1'));
    writeFileSync(path(), lines.map((line) => `${line}\n`).join(''));
  }

  // The file in the middle was passed over: after A2 came C1.
  it('gives each line of each file once, in order, after a restart and without one', () => {
    const before = readerOfA1();
    rotateByNumber('B1', 'B2');
    rotateByNumber('C1');
    const after = reader(follow(), before.cursor());
    expect(allOf(after)).toEqual(['A2', 'B1', 'B2', 'C1']);
    expect(allOf(before)).toEqual(['A2', 'B1', 'B2', 'C1']);
  });

  it('passes through a file that nothing was written to', () => {
    const log = readerOfA1();
    rotateByNumber();
    rotateByNumber('C1');
    expect(log.read()).toEqual(['A2']);
    expect(log.read()).toEqual([]);
    expect(log.read()).toEqual(['C1']);
  });

  it('goes on from the file in the middle after another restart', () => {
    const before = readerOfA1();
    rotateByNumber('B1', 'B2');
    rotateByNumber('C1');
    const source = follow();
    const [a2] = source.read(before.cursor());
    const [b1] = source.read(a2?.cursor);
    expect(allOf(reader(follow(), b1?.cursor))).toEqual(['B2', 'C1']);
  });

  it('gives the file in the middle again when that was not kept', () => {
    const before = readerOfA1();
    rotateByNumber('B1', 'B2');
    rotateByNumber('C1');
    const source = follow();
    const [a2] = source.read(before.cursor());
    expect(source.read(a2?.cursor)).toHaveLength(2);
    expect(allOf(reader(source, a2?.cursor))).toEqual(['B1', 'B2', 'C1']);
  });

  it('is followed through files that are named by date, and by no others', () => {
    const before = readerOfA1();
    renameSync(path(), path('-20240131'));
    writeFileSync(path('-20240201'), 'B1\n');
    writeFileSync(path('-20240201.1'), 'B2\n');
    writeFileSync(path('.bak'), 'no part of it\n');
    writeFileSync(path('-20240130'), 'long read\n');
    writeFileSync(path(), 'C1\n');
    for (const suffix of ['-20240130', '-20240131', '-20240201', '-20240201.1', '.bak', '']) {
      utimesSync(path(suffix), 1_706_000_000, 1_706_000_000);
    }
    expect(allOf(reader(follow(), before.cursor()))).toEqual(['A2', 'B1', 'B2', 'C1']);
  });

  it('is followed by the times of the files where their numbers grow', () => {
    const before = readerOfA1();
    renameSync(path(), path('.2'));
    writeFileSync(path('.3'), 'B1\n');
    writeFileSync(path('.1'), 'long read\n');
    writeFileSync(path(), 'C1\n');
    ['.1', '.2', '.3'].forEach((suffix, day) => utimesSync(path(suffix), day, day));
    expect(allOf(reader(follow(), before.cursor()))).toEqual(['A2', 'B1', 'C1']);
  });

  // `.2`, once more written to, was taken for what came after `.1`, and read whole again.
  it('is followed by its numbers where a process still writes to an older file', () => {
    const before = readerOfA1();
    rotateByNumber('B1', 'B2');
    rotateByNumber('C1');
    expect(before.read()).toEqual(['A2']);
    expect(before.read()).toEqual(['B1', 'B2']);
    appendFileSync(path('.2'), 'late\n');
    utimesSync(path('.2'), 2_000_000_000, 2_000_000_000);
    expect(allOf(reader(follow(), before.cursor()))).toEqual(['C1']);
    expect(allOf(before)).toEqual(['C1']);
  });

  it('tells of a file that was compressed before it could be read, until that is kept', () => {
    const before = readerOfA1();
    rotateByNumber('B1');
    rotateByNumber('C1');
    renameSync(path('.1'), path('.1.gz'));
    const source = follow();
    const [a2] = source.read(before.cursor());
    const told = "lines of app.log may be lost: app.log.1.gz is compressed and can't be read";
    expect(source.read(a2?.cursor)).toMatchObject([{ level: 'warn', message: told }, {}]);
    const [lost] = source.read(a2?.cursor);
    expect(lost?.message).toBe(told);
    expect(allOf(reader(source, lost?.cursor))).toEqual(['C1']);
  });

  it('tells of a file that was deleted before it could be read', () => {
    const before = readerOfA1();
    rotateByNumber('B1');
    rotateByNumber('C1');
    rotateByNumber('D1');
    rmSync(path('.2'));
    expect(allOf(reader(follow(), before.cursor()))).toEqual([
      'A2',
      'lines of app.log may be lost: the file that came after app.log.3 is gone',
      'C1',
      'D1',
    ]);
  });

  it('goes on with what was written later where the file that was read last is compressed', () => {
    writeFileSync(path('.1'), 'long read\n');
    utimesSync(path('.1'), 1_700_000_000, 1_700_000_000);
    const before = readerOfA1();
    rotateByNumber('B1');
    rotateByNumber('C1');
    // Compressing makes another file of it.
    rmSync(path('.2'));
    writeFileSync(path('.2.gz'), 'A');
    const [later, now] = [2_000_000_000, 2_000_000_100];
    utimesSync(path('.2.gz'), 1_800_000_000, 1_800_000_000);
    utimesSync(path('.1'), later, later);
    utimesSync(path(), now, now);
    expect(allOf(reader(follow(), before.cursor()))).toEqual([
      expect.stringContaining('lines of app.log may be lost: '),
      'B1',
      'C1',
    ]);
  });

  it('is read to its end in the copy when it was copied and truncated', () => {
    const before = readerOfA1();
    copyFileSync(path(), path('.1'));
    utimesSync(path('.1'), 2_000_000_000, 2_000_000_000);
    truncateSync(path(), 0);
    appendFileSync(path(), 'B1\n');
    expect(allOf(reader(follow(), before.cursor()))).toEqual(['A2', 'B1']);
    expect(allOf(before)).toEqual(['A2', 'B1']);
  });

  it('is given whole when there was no file yet at the start', () => {
    writeFileSync(path('.1'), 'from before\n');
    utimesSync(path('.1'), 1_700_000_000, 1_700_000_000);
    const source = follow();
    const log = reader(source, source.now());
    writeFileSync(path(), 'A1\n');
    rotateByNumber('B1');
    expect(allOf(log)).toEqual(['A1', 'B1']);
  });

  it('is not left while the new file is empty: the old one may still be written', () => {
    const log = readerOfA1();
    rotateByNumber();
    expect(allOf(log)).toEqual(['A2']);
    appendFileSync(path('.1'), 'A3\n');
    expect(allOf(log)).toEqual(['A3']);
    appendFileSync(path(), 'B1\n');
    expect(allOf(log)).toEqual(['B1']);
  });
});
