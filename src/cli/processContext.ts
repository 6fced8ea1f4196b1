import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Ask, Context } from './command.js';
import { CommandFailed } from './errors.js';
import { systemRuntime } from '../adapters/system/runtime.js';

/** Ends the process of a second Ctrl-C, as a shell reports it. */
const INTERRUPTED = 130;

/** What a command gets from this process. */
export function processContext(): Context {
  let interrupted: AbortController | undefined;
  return {
    env: process.env,
    runtime: systemRuntime,
    out: process.stdout,
    err: process.stderr,
    ask: process.stdin.isTTY ? askAtTerminal : null,
    // Only once a command asks: the server that `serve` starts has its own way to stop.
    interrupted: () => (interrupted ??= abortOnSignals()).signal,
  };
}

function abortOnSignals(): AbortController {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller;
}

const askAtTerminal: Ask = (question, hidden = false) =>
  new Promise((resolve, reject) => {
    process.stderr.write(question);
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!hidden) process.stderr.write(chunk);
        done();
      },
    });
    const terminal = createInterface({ input: process.stdin, output, terminal: true });
    terminal.once('SIGINT', () => {
      terminal.close();
      reject(new CommandFailed('stopped'));
    });
    terminal.question('', (answer) => {
      terminal.close();
      process.stderr.write('\n');
      resolve(answer);
    });
  });
