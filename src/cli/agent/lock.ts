import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, CommandFailed } from '../errors.js';
import { makePrivateFolder, PRIVATE } from './files.js';

/**
 * Keeps a second agent out of a folder: two would take each other's spool away. Who holds it is written
 * down with the time that its process started, so that what a killed one left keeps nobody out, not even
 * when its number is another's by now. Two that find such a leftover in the same instant may both come
 * in.
 * @returns what lets the next one in
 * @throws CommandFailed while another agent is at work there
 */
export function lockFolder(folder: string): () => void {
  makePrivateFolder(folder);
  const path = join(folder, 'lock');
  const own = JSON.stringify(asHolder(process.pid));
  if (!created(path, own)) {
    const holder = holderOf(path);
    if (holder !== undefined && isAtWork(holder)) {
      throw new CommandFailed(
        `another agent (process ${holder.pid}) is at work in ${folder}: give each a --state of its own`,
      );
    }
    rmSync(path, { force: true });
    if (!created(path, own)) throw new CommandFailed(`another agent has just started in ${folder}`);
  }
  return () => {
    rmSync(path, { force: true });
  };
}

interface Holder {
  readonly pid: number;
  /** In ticks since the system's start, where it says so. */
  readonly startedAt: string | undefined;
}

function created(path: string, text: string): boolean {
  try {
    const file = openSync(path, 'wx', PRIVATE);
    try {
      writeFileSync(file, text);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(path: string): Holder | undefined {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' ? { pid, startedAt } : undefined;
  } catch {
    // Gone meanwhile, or cut short by a full disk or a crash: nobody's.
    return undefined;
  }
}

function isAtWork({ pid, startedAt }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It is there, and somebody else's.
    if (codeOf(error) !== 'EPERM') return false;
  }
  return startedAt === undefined || asHolder(pid).startedAt === startedAt;
}

function asHolder(pid: number): Holder {
  try {
    // Its name, in brackets, may hold anything; the start is the 20th field behind it (proc_pid_stat(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return { pid, startedAt: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] };
  } catch {
    return { pid, startedAt: undefined };
  }
}
