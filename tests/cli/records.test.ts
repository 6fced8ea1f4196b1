import fc from 'fast-check';
import { recordReader, type CsvRecord } from '../../src/cli/import/records.js';

function read(text: string, delimiter = ','): CsvRecord[] {
  const reader = recordReader(delimiter);
  const lines = text.split('\n').map((line, index) => ({ number: index + 1, text: line }));
  return [...lines.flatMap((line) => reader.take(line)), ...reader.end()];
}

const cellsOf = (records: readonly CsvRecord[]) =>
  records.map((record) => (record.kind === 'cells' ? record.cells : `bad line ${record.line}`));

describe('CSV records', () => {
  it('are the cells of plain lines; empty lines are none', () => {
    expect(cellsOf(read('a,b\n1,2\n\n3,'))).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['3', ''],
    ]);
  });

  it('may quote delimiters, quotes and line breaks', () => {
    expect(cellsOf(read('1,"a,b"\n2,"say ""hi"""\n3,"two\nlines"\n4,x'))).toEqual([
      ['1', 'a,b'],
      ['2', 'say "hi"'],
      ['3', 'two\nlines'],
      ['4', 'x'],
    ]);
  });

  it('know the line on which they begin', () => {
    expect(read('1,"a\nb"\n2,c').map(({ line }) => line)).toEqual([1, 3]);
  });

  it('take other delimiters', () => {
    expect(cellsOf(read('1;"a;b";2,5', ';'))).toEqual([['1', 'a;b', '2,5']]);
  });

  it('go on with the next line after a quote that is never closed', () => {
    expect(cellsOf(read('1,a\n2,"lost\n3,b\n4,c'))).toEqual([
      ['1', 'a'],
      'bad line 2',
      ['3', 'b'],
      ['4', 'c'],
    ]);
  });

  it('go on after a stray quote, also when a later quote seems to close it', () => {
    expect(cellsOf(read('1,5" pipe\n2,a\n3,"good\none"\n4,b'))).toEqual([
      'bad line 1',
      ['2', 'a'],
      ['3', 'good\none'],
      ['4', 'b'],
    ]);
  });

  it('give up on an open quote after 64 KiB, wherever the file ends', () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `${index},value`);
    const records = read(['0,"open', ...rows].join('\n'));
    expect(records[0]).toMatchObject({ kind: 'bad', line: 1 });
    expect(records).toHaveLength(20_001);
  });

  it('are read back as any writer quotes them', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', '7', 'é') });
    const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 10 });
    fc.assert(
      fc.property(rows, (table) => {
        const text = table
          .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(','))
          .join('\n');
        expect(cellsOf(read(text))).toEqual(table);
      }),
    );
  });
});
