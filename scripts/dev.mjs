// `npm run dev`: compiles on every change and restarts the server on what was compiled.
import { spawn } from 'node:child_process';

const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'];
const children = [
  [...compiler, '--watch', '--preserveWatchOutput'],
  ['--watch', '--watch-preserve-output', 'dist/main.js'],
].map((args) => spawn(process.execPath, args, { stdio: 'inherit' }));

/** Passes the signal on and waits: the server drains before it ends. */
function end(signal) {
  for (const child of children) child.kill(signal);
}

process.on('SIGINT', () => end('SIGINT'));
process.on('SIGTERM', () => end('SIGTERM'));
for (const child of children) child.on('exit', () => end('SIGTERM'));
