import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openSpool, type Spool, type SpoolEntry } from '../../src/cli/agent/spool.js';
import { eachWithFolder } from '../support/folder.js';

const MAX = 1_048_576;

function entry(id: number, at?: string): SpoolEntry {
  const line = JSON.stringify({ id: `id-${id}`, message: 'x'.repeat(20) });
  return at === undefined ? { line } : { line, cursor: { source: 'file', at } };
}

const idsIn = (lines: readonly string[]) =>
  lines.map((line) => (JSON.parse(line) as { id: string }).id);

const waiting = (spool: Spool) => idsIn(spool.oldest(10_000, MAX).lines);

describe('the spool', () => {
  const folder = eachWithFolder();
  const open = (maxBytes = MAX) => openSpool({ folder: folder.path, maxBytes });
  const segments = () => readdirSync(folder.path).filter((name) => name.endsWith('.ndjson'));

  it('gives back what was put in, in order', () => {
    const spool = open();
    expect(spool.isEmpty).toBe(true);
    spool.append([entry(1), entry(2)]);
    spool.append([entry(3)]);
    expect(spool.isEmpty).toBe(false);
    expect(waiting(spool)).toEqual(['id-1', 'id-2', 'id-3']);
  });

  it('lets go of what is settled, and of nothing else', () => {
    const spool = open();
    spool.append([entry(1), entry(2), entry(3)]);
    spool.oldest(2, MAX).settle(1);
    expect(waiting(spool)).toEqual(['id-2', 'id-3']);
    spool.oldest(2, MAX).settle(2);
    expect(spool.isEmpty).toBe(true);
  });

  it('bounds a batch in lines and bytes, but gives at least one', () => {
    const spool = open();
    spool.append([entry(1), entry(2), entry(3)]);
    expect(spool.oldest(2, MAX).lines).toHaveLength(2);
    expect(spool.oldest(10, 110).lines).toHaveLength(2);
    expect(spool.oldest(10, 1).lines).toHaveLength(1);
  });

  it('offers the same ids again after a crash between sending and settling', () => {
    const before = open();
    before.append([entry(1), entry(2)]);
    const sent = idsIn(before.oldest(10, MAX).lines);
    expect(waiting(open())).toEqual(sent);
  });

  it('goes on after a restart where it had settled', () => {
    const before = open();
    before.append([entry(1), entry(2), entry(3)]);
    before.oldest(1, MAX).settle(1);
    const after = open();
    after.append([entry(4)]);
    expect(waiting(after)).toEqual(['id-2', 'id-3', 'id-4']);
  });

  it('tolerates half a line at the end of a segment, and lines that are none', () => {
    const before = open();
    before.append([entry(1)]);
    const [segment = ''] = segments();
    appendFileSync(join(folder.path, segment), 'no json\n{"line":{"id":"half');
    const after = open();
    after.append([entry(2)]);
    expect(waiting(after)).toEqual(['id-1', 'id-2']);
    after.oldest(10, MAX).settle(2);
    expect(open().isEmpty).toBe(true);
  });

  it('starts from its oldest segment when its head is unreadable', () => {
    const before = open();
    before.append([entry(1), entry(2)]);
    before.oldest(1, MAX).settle(1);
    writeFileSync(join(folder.path, 'head.json'), '{"segm');
    expect(waiting(open())).toEqual(['id-1', 'id-2']);
  });

  it('drops the oldest when it is full, and counts what it dropped', () => {
    const spool = open(2_000);
    for (let id = 1; id <= 100; id += 1) spool.append([entry(id)]);
    const left = waiting(spool);
    expect(spool.bytes).toBeLessThanOrEqual(2_000);
    expect(left.at(-1)).toBe('id-100');
    expect(spool.dropped).toBe(100 - left.length);
    expect(left).toEqual(Array.from(left, (_, index) => `id-${100 - left.length + index + 1}`));
    expect(open(2_000).dropped).toBe(spool.dropped);
  });

  it('keeps its bound for a group that is larger than the bound', () => {
    const spool = open(2_000);
    spool.append(Array.from({ length: 200 }, (_, index) => entry(index)));
    expect(spool.bytes).toBeLessThanOrEqual(2_000);
    expect(waiting(spool).at(-1)).toBe('id-199');
  });

  it('can settle a batch that was dropped while it was under way', () => {
    const spool = open(2_000);
    for (let id = 1; id <= 10; id += 1) spool.append([entry(id)]);
    const batch = spool.oldest(3, MAX);
    for (let id = 11; id <= 100; id += 1) spool.append([entry(id)]);
    const left = waiting(spool);
    batch.settle(3);
    expect(waiting(spool)).toEqual(left);
  });

  it('can settle again what the disk refused, and has sent nothing twice then', () => {
    const spool = open();
    spool.append([entry(1, 'a'), entry(2, 'b'), entry(3)]);
    const batch = spool.oldest(2, MAX);
    // Where the new head is written first there is a folder now: as good as a full disk.
    const inTheWay = join(folder.path, 'head.json.new');
    mkdirSync(inTheWay);
    expect(() => batch.settle(2)).toThrow('EISDIR');
    expect(waiting(spool)).toEqual(['id-1', 'id-2', 'id-3']);
    rmdirSync(inTheWay);
    batch.settle(2);
    expect(waiting(spool)).toEqual(['id-3']);
    expect(waiting(open())).toEqual(['id-3']);
    spool.oldest(1, MAX).settle(1);
    expect(spool.isEmpty).toBe(true);
  });

  it('has room until it is half full', () => {
    const spool = open(2_000);
    const room: boolean[] = [];
    for (let id = 0; spool.bytes < 1_200; id += 1) {
      spool.append([entry(id)]);
      room.push(spool.hasRoom === spool.bytes <= 1_000);
    }
    expect(room).not.toContain(false);
    expect(spool.hasRoom).toBe(false);
  });

  it('forgets nothing that comes after everything was dropped or settled', () => {
    const before = open();
    before.append([entry(1)]);
    before.oldest(10, MAX).settle(1);
    open().append([entry(2)]);
    const after = open();
    expect(waiting(after)).toEqual(['id-2']);
    after.oldest(10, MAX).settle(1);
    expect(segments()).toHaveLength(1);
  });

  it('leaves no more than one settled segment on disk', () => {
    const spool = open(16_384);
    for (let id = 1; id <= 200; id += 1) {
      spool.append([entry(id)]);
      spool.oldest(10, MAX).settle(1);
    }
    expect(segments()).toHaveLength(1);
  });

  describe('and the cursors of its sources', () => {
    it('are those of the newest entry, also after a restart', () => {
      const spool = open();
      spool.append([entry(1, 'a'), entry(2, 'b')]);
      expect(spool.cursor('file')).toBe('b');
      expect(open().cursor('file')).toBe('b');
    });

    it('outlive the entries that they came with', () => {
      const spool = open();
      spool.append([entry(1, 'a'), entry(2, 'b')]);
      spool.oldest(10, MAX).settle(2);
      expect(open().cursor('file')).toBe('b');
    });

    it('outlive entries that were dropped', () => {
      const spool = open(2_000);
      spool.append([entry(0, 'early')]);
      for (let id = 1; id <= 100; id += 1) spool.append([entry(id)]);
      expect(open(2_000).cursor('file')).toBe('early');
    });

    it('can be set without an entry', () => {
      open().remember({ source: 'file', at: 'start' });
      expect(open().cursor('file')).toBe('start');
    });

    it('do not move with an entry of which only half was written', () => {
      const spool = open();
      spool.append([entry(1, 'a')]);
      const [segment = ''] = segments();
      const path = join(folder.path, segment);
      const text = readFileSync(path, 'utf8');
      appendFileSync(path, text.replace('"at":"a"', '"at":"b"').slice(0, -5));
      expect(open().cursor('file')).toBe('a');
    });
  });
});
