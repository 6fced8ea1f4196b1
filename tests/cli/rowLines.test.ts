import { layoutOf, parseMetricOptions } from '../../src/cli/import/columns.js';
import { rowLines } from '../../src/cli/import/rowLines.js';
import { parseTime } from '../../src/cli/import/times.js';
import { CommandFailed, UsageError } from '../../src/cli/errors.js';

const HEADER = ['time', 'Temp (C)', 'power', 'note'];
const NOON = '2024-02-29T12:00:00Z';

function read(row: readonly string[], missing: readonly string[] = []) {
  const metrics = parseMetricOptions(['Temp (C)=temperature', 'power']);
  const layout = layoutOf(HEADER, { time: 'time', metrics, log: 'note' });
  const made = rowLines({
    deviceId: 'device',
    layout,
    timeFormat: 'iso',
    missing: new Set(missing),
  })(row);
  if (made.kind === 'bad') return made.reason;
  return made.lines.map((line) => JSON.parse(line) as { id: string; kind: string });
}

describe('a row', () => {
  it('becomes a heartbeat with its own time', () => {
    expect(read([NOON, ' 21.5 ', '1e3', ''])).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        deviceId: 'device',
        kind: 'heartbeat',
        time: '2024-02-29T12:00:00.000Z',
        metrics: { temperature: 21.5, power: 1_000 },
      },
    ]);
  });

  it('becomes a log too when its text column says something', () => {
    const [, log] = read([NOON, '1', '', 'pump failed']);
    expect(log).toMatchObject({ kind: 'log', level: 'error', message: 'pump failed' });
  });

  it('leaves out what has no value, and is nothing when nothing has', () => {
    expect(read([NOON, '', '7', ''])).toMatchObject([{ metrics: { power: 7 } }]);
    expect(read([NOON, '', '', ''])).toEqual([]);
    expect(read([NOON, 'NA', '-', ''], ['NA', '-'])).toEqual([]);
  });

  it('may be shorter than the header', () => {
    expect(read([NOON, '1'])).toMatchObject([{ metrics: { temperature: 1 } }]);
    expect(read([])).toBe('no time');
  });

  it.each(['NaN', 'Infinity', '-Infinity', '1e999', '0x10', '1,5', '12abc', '--1', 'null'])(
    'with the number "%s" is refused',
    (text) => {
      expect(read([NOON, text, '', ''])).toMatch(/temperature: ".*" is no number/);
    },
  );

  it('without a time, or with none that is one, is refused', () => {
    expect(read(['  ', '1', '', ''])).toBe('no time');
    expect(read(['yesterday', '1', '', ''])).toBe('"yesterday" is no time (iso)');
  });

  it('is another one when it stands there again, and the same in another run', () => {
    const run = () => {
      const metrics = parseMetricOptions(['power']);
      const layout = layoutOf(HEADER, { time: 'time', metrics, log: 'note' });
      const lines = rowLines({ deviceId: 'device', layout, timeFormat: 'iso', missing: new Set() });
      const rows = [1, 1, 2, 1].map((power) => lines([NOON, '', String(power), 'note']));
      return rows.flatMap((made) => (made.kind === 'bad' ? [] : made.lines));
    };
    const ids = run().map((line) => (JSON.parse(line) as { id: string }).id);
    expect(new Set(ids).size).toBe(8);
    expect(ids[2]).toBe(`${ids[0]}-1`);
    expect(run()).toEqual(run());
  });

  it('has the same ids each time, and others when it says something else', () => {
    const idsOf = (row: readonly string[]): string[] => {
      const made = read(row);
      return typeof made === 'string' ? [made] : made.map(({ id }) => id);
    };
    const row = [NOON, '1', '2', 'x'];
    expect(idsOf(row)).toEqual(idsOf(row));
    const others = [row, [NOON, '1', '3', 'x'], [NOON, '1', '2', 'y']];
    expect(new Set(others.flatMap(idsOf)).size).toBe(6);
  });
});

describe('a time', () => {
  it.each([
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2024-02-29 12:00', '2024-02-29T12:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-02-29T12:00:00.123456+02:00', '2024-02-29T10:00:00.123Z'],
    ['2024-02-29T12:00:00-0530', '2024-02-29T17:30:00.000Z'],
    ['2024-02-29T12:00:00+01', '2024-02-29T11:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(parseTime('iso', text) ?? Number.NaN).toISOString()).toBe(iso);
  });

  it.each(['2023-02-29', '2024-13-01', '2024-01-01T24:00:00Z', '1969-12-31', '29.02.2024', ''])(
    '"%s" is none',
    (text) => {
      expect(parseTime('iso', text)).toBeUndefined();
    },
  );

  it('may count seconds or milliseconds', () => {
    expect(parseTime('unix', '1700000000.25')).toBe(1_700_000_000_250);
    expect(parseTime('unixms', '1700000000250')).toBe(1_700_000_000_250);
    expect(parseTime('unix', '1700000000000000')).toBeUndefined();
    expect(parseTime('unix', '-1')).toBeUndefined();
  });
});

describe('columns', () => {
  it('need a name that the server takes, each once', () => {
    expect(parseMetricOptions(['a=b=c'])).toEqual([{ column: 'a=b', metric: 'c' }]);
    expect(() => parseMetricOptions(['Temp (C)'])).toThrow(UsageError);
    expect(() => parseMetricOptions(['a=x', 'b=x'])).toThrow(UsageError);
  });

  it('must be in the file, once', () => {
    const wanted = { time: 'time', metrics: [], log: undefined };
    expect(() => layoutOf(['a', 'b'], wanted)).toThrow(
      new CommandFailed('the file has no column "time"; it has: a, b'),
    );
    expect(() => layoutOf(['time', 'time'], wanted)).toThrow(CommandFailed);
    expect(layoutOf([' time '], wanted).time).toBe(0);
  });
});
