import { linkSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, CommandFailed } from '../errors.js';
import { makePrivateFolder, PRIVATE } from './files.js';

/**
 * Keeps a second agent out of a folder: two would take each other's spool away. Who holds it is written
 * down with the time that its process started, so that what a killed one left keeps nobody out, not even
 * when its number is another's by now. Such a leftover is cleared by one at a time. Two may come in at
 * once only where one was killed while it cleared, where the file system knows no links, or where it
 * has no place even for one: an agent must start on a full disk, to send what lies there.
 * @returns what lets the next one in
 * @throws CommandFailed while another agent is at work there
 */
export function lockFolder(folder: string): () => void {
  makePrivateFolder(folder);
  const path = join(folder, 'lock');
  const own = JSON.stringify(asHolder(process.pid));
  if (!created(path, own)) {
    clearLeftover(path, own, folder);
    if (!created(path, own)) throw justStarted(folder);
  }
  return () => {
    removeOwn(path, own);
  };
}

interface Holder {
  readonly pid: number;
  /** In ticks since the system's start, where it says so. */
  readonly startedAt: string | undefined;
}

/** Makes a lock that is there with its text or not at all; fails with EEXIST where there is one. */
type Way = (path: string, text: string) => void;

/** A short link's text lies in its inode: it needs no block of a full disk. */
const symbolicLink: Way = (path, text) => {
  symlinkSync(text, path);
};

const linkedFile: Way = (path, text) => {
  const beside = `${path}.${process.pid}`;
  try {
    writeFileSync(beside, text, { mode: PRIVATE });
    linkSync(beside, path);
  } finally {
    rmSync(beside, { force: true });
  }
};

/** There for a moment without its text: for file systems that have no links. */
const plainFile: Way = (path, text) => {
  writeFileSync(path, text, { flag: 'wx', mode: PRIVATE });
};

/** Windows lets only some users make symbolic links, and reads a path into their text. */
const WAYS: readonly Way[] =
  process.platform === 'win32' ? [linkedFile, plainFile] : [symbolicLink, linkedFile, plainFile];

const UNKNOWN_WAY = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT']);

/** False when there is one; true, too, when there is none and no place for one. */
function created(path: string, text: string): boolean {
  for (const make of WAYS) {
    try {
      make(path, text);
      return true;
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (code === 'EEXIST') return false;
      if (NO_SPACE.has(code)) return true;
      if (make === plainFile || !UNKNOWN_WAY.has(code)) throw error;
    }
  }
  return false;
}

/** Takes a dead one's lock away; nobody else does meanwhile, so it can't be a new one by then. */
function clearLeftover(path: string, own: string, folder: string): void {
  leftoverAt(path, folder);
  const clearing = `${path}.clearing`;
  if (!created(clearing, own)) {
    const other = holderIn(textAt(clearing));
    if (other !== undefined && isAtWork(other)) throw justStarted(folder);
    rmSync(clearing, { force: true });
    if (!created(clearing, own)) throw justStarted(folder);
  }
  try {
    // Another may have cleared it before: then it is gone, or a new one's.
    const left = leftoverAt(path, folder);
    if (left !== undefined) rmSync(path, { force: true });
  } finally {
    removeOwn(clearing, own);
  }
}

/** The text of a lock whose holder is dead, or that names none; undefined when there is no lock. */
function leftoverAt(path: string, folder: string): string | undefined {
  const text = textAt(path);
  const holder = holderIn(text);
  if (holder === undefined || !isAtWork(holder)) return text;
  throw new CommandFailed(
    `another agent (process ${holder.pid}) is at work in ${folder}: give each a --state of its own`,
  );
}

function justStarted(folder: string): CommandFailed {
  return new CommandFailed(`another agent has just started in ${folder}`);
}

function removeOwn(path: string, own: string): void {
  if (textAt(path) === own) rmSync(path, { force: true });
}

function textAt(path: string): string | undefined {
  return read(() => readlinkSync(path)) ?? read(() => readFileSync(path, 'utf8'));
}

/** Undefined when it is not there, or no link. */
function read(step: () => string): string | undefined {
  try {
    return step();
  } catch (error) {
    if (['ENOENT', 'EINVAL', 'UNKNOWN'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Undefined, too, where the text was cut short by a full disk or a crash: it is nobody's. */
function holderIn(text: string | undefined): Holder | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text ?? '') as Partial<Holder>;
    return typeof pid === 'number' ? { pid, startedAt } : undefined;
  } catch {
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
