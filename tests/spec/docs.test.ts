import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

describe('the generated pages under docs/', () => {
  it('are what the code says', async () => {
    const check = promisify(execFile)(process.execPath, ['scripts/docs.mjs', '--check']);
    await expect(check).resolves.toEqual({ stdout: '', stderr: '' });
  });
});
