import {
  appendFileSync,
  copyFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { followFile } from '../../src/cli/agent/followFile.js';
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

  it('is read from its start when the file that the cursor knew is gone', () => {
    writeFileSync(path(), 'one\n');
    const before = reader(follow());
    before.read();
    copyFileSync(path(), join(folder.path, 'kept-elsewhere'));
    rmSync(path());
    writeFileSync(path(), 'brand-new\n');
    expect(reader(follow(), before.cursor()).read()).toEqual(['brand-new']);
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
});
