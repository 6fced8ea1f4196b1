import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFolder } from '../../src/cli/agent/lock.js';
import { CommandFailed } from '../../src/cli/errors.js';
import { eachWithFolder } from '../support/folder.js';

describe('an agent’s folder', () => {
  const folder = eachWithFolder();
  const lockPath = () => join(folder.path, 'lock');

  it('is one agent’s at a time', () => {
    const unlock = lockFolder(folder.path);
    expect(() => lockFolder(folder.path)).toThrow(CommandFailed);
    expect(() => lockFolder(folder.path)).toThrow(`(process ${process.pid})`);
    unlock();
    expect(readdirSync(folder.path)).toEqual([]);
    lockFolder(folder.path)();
  });

  it('is free when the agent that had it was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)']);
    await once(child, 'spawn');
    writeFileSync(lockPath(), JSON.stringify({ pid: child.pid }));
    expect(() => lockFolder(folder.path)).toThrow(CommandFailed);
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockFolder(folder.path);
    expect(JSON.parse(readFileSync(lockPath(), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('is free when another process has the number of the agent that had it', () => {
    writeFileSync(lockPath(), JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    const onLinux = process.platform === 'linux';
    if (onLinux) lockFolder(folder.path)();
    else expect(() => lockFolder(folder.path)).toThrow(CommandFailed);
  });

  it.each(['', '{', '{"pid":"1"}', 'null'])('is free when its lock says nothing: %j', (text) => {
    writeFileSync(lockPath(), text);
    lockFolder(folder.path)();
  });
});
