import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFile {
  /** In a folder of its own, which exists; the file does not. */
  readonly file: string;
  /** Removes the folder with all that came to lie in it. */
  remove(): void;
}

export function temporaryFile(name: string): TemporaryFile {
  const folder = mkdtempSync(join(tmpdir(), 'fleetbook-'));
  return {
    file: join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
