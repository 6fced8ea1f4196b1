import { existsSync, rmSync } from 'node:fs';
import { codeOf } from '../errors.js';
import { replaceFile, sizeOf } from './files.js';

/** One block of most disks is enough for a small file; several, so that it may grow. */
const BLOCK_BYTES = 4_096;
const RESERVE_BYTES = 4 * BLOCK_BYTES;

/**
 * Replaces one small file again and again, also on a disk that is full: some bytes are put aside
 * for that beside it. What has filled the disk may be what only the next note in the file lets go of.
 *
 * @param replace throws the system's error; then the file is as it was.
 */
export function replaceFromReserve(path: string, replace = replaceFile): (text: string) => void {
  const reserve = `${path}.reserve`;

  /** As much as the disk still takes, if it takes any. */
  function putAside(): void {
    const there = sizeOf(reserve);
    for (let bytes = RESERVE_BYTES; bytes > there && bytes >= BLOCK_BYTES; bytes /= 2) {
      try {
        replace(reserve, '\n'.repeat(bytes));
        return;
      } catch {
        rmSync(`${reserve}.new`, { force: true });
      }
    }
  }

  putAside();
  return (text) => {
    try {
      replace(path, text);
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC' || !existsSync(reserve)) throw error;
      rmSync(reserve);
      replace(path, text);
    } finally {
      putAside();
    }
  };
}
