#!/usr/bin/env node
import { describeOptions } from './args.js';
import type { Command, ExitCode } from './command.js';
import { CommandFailed, UsageError } from './errors.js';
import { processContext } from './processContext.js';
import { packageVersion } from './version.js';

interface KnownCommand {
  readonly name: string;
  readonly summary: string;
  /** Each command is loaded when it is called for: `serve` needs nothing of a client. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: readonly KnownCommand[] = [
  {
    name: 'serve',
    summary: 'start the server',
    load: async () => (await import('./serve.js')).serve,
  },
  {
    name: 'simulate',
    summary: 'run a fleet of devices against a server',
    load: async () => (await import('./simulate/command.js')).simulate,
  },
  {
    name: 'agent',
    summary: 'report this machine as a device',
    load: async () => (await import('./agent/command.js')).agent,
  },
  {
    name: 'import',
    summary: 'send a series from a CSV file, with its own times',
    load: async () => (await import('./import/command.js')).importCsv,
  },
];

const HELP = ['--help', '-h', 'help'];

async function main(argv: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === '--version') return say(packageVersion());
  if (name === undefined || HELP.includes(name)) {
    const command = COMMANDS.find((known) => known.name === rest[0]);
    if (command !== undefined) return say(commandHelp(await command.load()));
    return name === undefined ? complain(overview(), 2) : say(overview());
  }
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) {
    return complain(`fleetbook: there is no command of that name\n\n${overview()}`, 2);
  }
  const loaded = await command.load();
  if (rest.includes('--help') || rest.includes('-h')) return say(commandHelp(loaded));
  try {
    return await loaded.run(processContext(), rest);
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, error: unknown): ExitCode {
  if (error instanceof UsageError) {
    return complain(`fleetbook ${name}: ${error.message} (see --help)`, 2);
  }
  if (error instanceof CommandFailed) return complain(`fleetbook ${name}: ${error.message}`, 1);
  if (error instanceof Error && error.name === 'AbortError') return complain('stopped', 1);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return complain(`fleetbook ${name}: ${stack}`, 1);
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  const more = 'fleetbook <command> --help tells more.';
  return `Usage: fleetbook <command> [--option …]\n\n${lines.join('\n')}\n\n${more}`;
}

function commandHelp({ name, description, options }: Command): string {
  const described = Object.keys(options).length === 0 ? '' : `\n\n${describeOptions(options)}`;
  const usage = `Usage: fleetbook ${name}${described === '' ? '' : ' [--option …]'}`;
  return `${usage}\n\n${description}${described}`;
}

function say(text: string): ExitCode {
  process.stdout.write(`${text}\n`);
  return 0;
}

function complain(text: string, code: ExitCode): ExitCode {
  process.stderr.write(`${text}\n`);
  return code;
}

// A reader such as `head` that has seen enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// A remark that finds no place, on the full disk perhaps that it is about, must not end the work.
process.stderr.on('error', () => undefined);

const code = await main(process.argv.slice(2));
if (code !== 0) process.exitCode = code;
