// `npm run setup`: turns on the commit hooks of a clone. A copy without git has nothing to set up.
import { execFileSync } from 'node:child_process';

try {
  execFileSync('git', ['config', 'core.hooksPath', '.githooks'], { stdio: 'ignore' });
  console.log('Commit messages are checked from now on (.githooks/commit-msg).');
} catch {
  console.log('Not a git clone: no hooks to set up.');
}
