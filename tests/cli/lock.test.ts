import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

  it('is not given free by one that does not have it any more', () => {
    const unlock = lockFolder(folder.path);
    rmSync(lockPath());
    symlinkSync(JSON.stringify({ pid: process.ppid }), lockPath());
    unlock();
    expect(readdirSync(folder.path)).toEqual(['lock']);
  });

  it('is not cleared of a leftover by two at once, nor kept by one that was killed at it', () => {
    const dead = JSON.stringify({ pid: 0x7fff_ffff });
    const clearing = `${lockPath()}.clearing`;
    symlinkSync(dead, lockPath());
    symlinkSync(JSON.stringify({ pid: process.ppid }), clearing);
    expect(() => lockFolder(folder.path)).toThrow('another agent has just started');
    rmSync(clearing);
    symlinkSync(dead, clearing);
    lockFolder(folder.path);
    expect(readdirSync(folder.path)).toEqual(['lock']);
  });

  it('is free when the agent that had it was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)']);
    await once(child, 'spawn');
    writeFileSync(lockPath(), JSON.stringify({ pid: child.pid }));
    expect(() => lockFolder(folder.path)).toThrow(CommandFailed);
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockFolder(folder.path);
    expect(JSON.parse(readlinkSync(lockPath()))).toMatchObject({ pid: process.pid });
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
