import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { inChild } from '../harness/child.js';
import type { RawSettings } from './rawChild.js';

let files = 0;

/** Events a second that SQLite itself takes in a new file of a folder (see rawChild.ts). */
export async function rawLimit(
  folder: string,
  settings: Omit<RawSettings, 'file'>,
): Promise<number> {
  const file = join(folder, `raw-${files++}.db`);
  const all = { ...settings, file } satisfies RawSettings;
  const perSecond = await inChild<number>(new URL('./rawChild.js', import.meta.url), all);
  removeDatabase(file);
  return perSecond;
}

export function removeDatabase(file: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
}
