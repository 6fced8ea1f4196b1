import { closeSync, fstatSync, openSync, readSync, statSync, type BigIntStats } from 'node:fs';
import { codeOf } from '../errors.js';

/** What is told of a file without reading it. */
export interface FileFacts {
  readonly inode: string;
  /** When it was written last, in milliseconds since the epoch. */
  readonly mtime: number;
  readonly size: number;
}

export interface OpenFile extends FileFacts {
  readonly descriptor: number;
}

/** Null when there is no such file. */
export function open(path: string): OpenFile | null {
  return openIf(path, () => true);
}

/** Opens a file if it is there and the one that is meant: a path may name another by now. */
export function openIf(path: string, isMeant: (file: OpenFile) => boolean): OpenFile | null {
  const descriptor = orMissing(() => openSync(path, 'r'));
  if (descriptor === undefined) return null;
  let meant = false;
  try {
    const file = { descriptor, ...factsIn(fstatSync(descriptor, { bigint: true })) };
    meant = isMeant(file);
    return meant ? file : null;
  } finally {
    if (!meant) closeSync(descriptor);
  }
}

/** The same file as it is now. */
export function refreshed({ descriptor }: OpenFile): OpenFile {
  return { descriptor, ...factsIn(fstatSync(descriptor, { bigint: true })) };
}

/** Of a regular file, or of what a link to one leads to; undefined when there is none. */
export function factsAt(path: string): FileFacts | undefined {
  const stats = orMissing(() => statSync(path, { bigint: true }));
  return stats?.isFile() === true ? factsIn(stats) : undefined;
}

/** Up to so many bytes: fewer at the file's end. */
export function bytesAt({ descriptor }: OpenFile, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position));
}

/** What the step gives; undefined when a file or folder that it needs is not there. */
export function orMissing<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function factsIn({ ino, mtimeMs, size }: BigIntStats): FileFacts {
  return { inode: String(ino), mtime: Number(mtimeMs), size: Number(size) };
}
