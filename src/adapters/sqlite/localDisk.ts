import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreUnavailable } from '../../events/eventStore.js';

/** What of `statfsSync` is asked for: the number of the file system's kind. */
export type FileSystemOf = (path: string) => { readonly type: number };

/**
 * File systems that several hosts share, or that may be one: Linux's numbers (statfs(2), magic.h).
 * Other systems number theirs otherwise, and nothing is told there.
 */
const SHARED = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
  [0x00c36400, 'CephFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x19830326, 'BeeGFS'],
  [0x786f4256, 'a VirtualBox shared folder'],
  // sshfs, s3fs, GlusterFS and virtiofs are told from a local disk by nothing that a program can rely on.
  [0x65735546, 'FUSE'],
]);

/**
 * Makes the folder that a database file is to lie in, and refuses one on a network file system: there
 * the locks by which processes take turns may hold on one host and not on another, and the memory
 * that the readers and writers of a WAL share is one host's own (https://sqlite.org/wal.html#overview).
 * The file would be damaged some day, and nobody would know why.
 * @throws StoreUnavailable 'unreachable', and what the making of a folder throws
 */
export function placeFor(file: string, fileSystemOf: FileSystemOf = statfsSync): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  // The file may be a link to elsewhere; what lies beside it lies there too.
  const shared = SHARED.get(kindOf(existsSync(file) ? file : folder, fileSystemOf));
  if (shared === undefined) return;
  throw new StoreUnavailable(
    'unreachable',
    `${file}: it lies on ${shared}, and the embedded stores need a disk of this host; set DATA_DIR to one`,
  );
}

function kindOf(path: string, fileSystemOf: FileSystemOf): number {
  try {
    // Some numbers are above 2^31, and negative where they are read as signed.
    return fileSystemOf(path).type >>> 0;
  } catch {
    // Whatever hinders the question says so when the file is opened.
    return 0;
  }
}
