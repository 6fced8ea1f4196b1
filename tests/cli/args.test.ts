import { describeOptions, parseOptions } from '../../src/cli/args.js';
import { UsageError } from '../../src/cli/errors.js';
import { parseCount, parseDuration, parseNumber, parseSize } from '../../src/cli/units.js';

const options = {
  url: { type: 'string', value: 'URL', help: 'the server' },
  rate: { type: 'string', default: '500', help: 'a second' },
  journal: { type: 'string', value: 'UNIT', valueOptional: true, help: 'follow the journal' },
  metric: { type: 'string', multiple: true, help: 'a column' },
  once: { type: 'boolean', help: 'and end' },
} as const;

describe('options', () => {
  it('are read with their defaults', () => {
    const values = parseOptions(options, ['--url', 'http://a', '--metric', 'a', '--metric=b']);
    expect(values).toEqual({ url: 'http://a', rate: '500', metric: ['a', 'b'] });
  });

  it('may leave out a value that is optional', () => {
    expect(parseOptions(options, ['--journal', '--once']).journal).toBe('');
    expect(parseOptions(options, ['--journal']).journal).toBe('');
    expect(parseOptions(options, ['--journal', 'ssh.service']).journal).toBe('ssh.service');
    expect(parseOptions(options, ['--journal=ssh']).journal).toBe('ssh');
  });

  it.each([['--unknown'], ['--url'], ['stray'], ['--once=yes']])('refuse %s', (argument) => {
    expect(() => parseOptions(options, [argument])).toThrow(UsageError);
  });

  it('never repeat a stray value, which could be a password', () => {
    expect(() => parseOptions(options, ['--once', 'hunter2'])).toThrow(/^(?!.*hunter2)/);
  });

  it('are described with their values and defaults', () => {
    const help = describeOptions(options);
    expect(help).toMatch(/--url <URL> +the server/);
    expect(help).toMatch(/--journal \[UNIT\] +follow/);
    expect(help).toMatch(/--rate <value> +a second \(default 500\)/);
    expect(help).toMatch(/--once +and end/);
  });
});

describe('units', () => {
  it.each([
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['250ms', 250],
    ['90', 90_000],
    ['1.5s', 1_500],
  ])('a duration of %s is %d ms', (text, ms) => {
    expect(parseDuration('interval', text)).toBe(ms);
  });

  it.each(['', 's', '-1s', '10 years', '1e3', 'NaN', '0'])('"%s" is no duration', (text) => {
    expect(() => parseDuration('interval', text)).toThrow(UsageError);
  });

  it.each([
    ['64MiB', 67_108_864],
    ['1GB', 1_000_000_000],
    ['4096', 4_096],
  ])('a size of %s is %d bytes', (text, bytes) => {
    expect(parseSize('spool-max', text)).toBe(bytes);
  });

  it('counts and numbers keep within their bounds', () => {
    expect(parseCount('devices', '1000', 1, 1_000)).toBe(1_000);
    expect(() => parseCount('devices', '1001', 1, 1_000)).toThrow(UsageError);
    expect(() => parseCount('devices', '1.5', 1, 1_000)).toThrow(UsageError);
    expect(parseNumber('logs', '0.05', 0, 1)).toBe(0.05);
    expect(() => parseNumber('logs', '1.01', 0, 1)).toThrow(UsageError);
  });
});
