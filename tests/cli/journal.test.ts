import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRuntime } from '../../src/adapters/system/runtime.js';
import { followJournal, journalctlArguments, observedIn } from '../../src/cli/agent/journal.js';
import { asName, cutMessage, guessLevel, isName } from '../../src/cli/telemetry.js';
import { eachWithFolder } from '../support/folder.js';

const line = (fields: object) =>
  JSON.stringify({ __CURSOR: 's=1;i=2', __REALTIME_TIMESTAMP: '1700000000123456', ...fields });

describe('a line of the journal', () => {
  it('is told by its unit, its priority and its own time', () => {
    const fields = { _SYSTEMD_UNIT: 'user@0.service', PRIORITY: '4', MESSAGE: 'low on space' };
    expect(observedIn(line(fields))).toEqual({
      event: 'user-0.service',
      level: 'warn',
      message: 'low on space',
      at: 1_700_000_000_123,
      cursor: 's=1;i=2',
    });
  });

  it('may come as bytes, and without a priority', () => {
    const bytes = [...Buffer.from('disk failure')];
    expect(observedIn(line({ MESSAGE: bytes }))).toMatchObject({
      event: 'log-line',
      level: 'error',
      message: 'disk failure',
    });
  });

  it.each([
    ['no JSON', 'Journal file rotated'],
    ['no message', line({ MESSAGE: null })],
    ['no cursor', line({ MESSAGE: 'x', __CURSOR: undefined })],
    ['our own', line({ MESSAGE: 'x', _PID: String(process.pid) })],
  ])('is left out when it is %s', (_why, text) => {
    expect(observedIn(text)).toBeUndefined();
  });

  it('is asked for after the last one, from now on, or from the start', () => {
    expect(journalctlArguments('ssh', 's=1')).toContain('--after-cursor=s=1');
    expect(journalctlArguments('ssh', 's=1')).toContain('--unit=ssh');
    expect(journalctlArguments('', 'tail')).toContain('--lines=0');
    expect(journalctlArguments('', undefined)).toContain('--no-tail');
  });
});

describe('the journal', () => {
  const folder = eachWithFolder();

  // Each read made journalctl go on, and all that it had came into memory.
  it('is made to wait while nothing of it is taken', async () => {
    const program = join(folder.path, 'journalctl');
    const script = `#!/bin/sh\nexec yes '{"__CURSOR":"c","MESSAGE":"x"}'\n`;
    writeFileSync(program, script, { mode: 0o755 });
    const remark = () => undefined;
    const source = followJournal({ runtime: systemRuntime, remark, program }, '');
    let queued = 0;
    for (let reads = 0; reads < 30; reads += 1) {
      queued = source.read(undefined).length;
      await systemRuntime.sleep(20);
    }
    source.close();
    expect(queued).toBeGreaterThanOrEqual(2_000);
    // What it had said before it was stopped.
    expect(queued).toBeLessThan(8_000);
  });
});

describe('what is told', () => {
  it.each([
    ['GET / 500 Internal Server Error', 'error'],
    ['WARNING: low voltage', 'warn'],
    ['[debug] tick', 'debug'],
    ['0 terrors found', 'info'],
    ['listening', 'info'],
  ])('"%s" is guessed to be %s', (text, level) => {
    expect(guessLevel(text)).toBe(level);
  });

  it('has names that the server takes', () => {
    expect(['a', 'kernel', 'a:b/c.d_e-f'].every(isName)).toBe(true);
    expect(['', '-a', 'a b', 'x'.repeat(65)].some(isName)).toBe(false);
    expect(asName('--ünit @ 1', 'x')).toBe('nit---1');
    expect(asName('@@', 'log-line')).toBe('log-line');
  });

  it('is cut to size without splitting a character', () => {
    const text = `${'x'.repeat(4_095)}😀`;
    expect(cutMessage(text)).toBe('x'.repeat(4_095));
    expect(cutMessage('x'.repeat(4_096))).toHaveLength(4_096);
  });
});
