import type { Runtime } from '../runtime.js';
import { parseOptions, type Options, type OptionValues } from './args.js';

/** What the shell is told: 0 done, 1 it failed, 2 the command line was wrong. */
export type ExitCode = 0 | 1 | 2;

/** Where a line for a person goes; `isTTY` when a person sees it at once. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** What a command gets from the process that runs it. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly runtime: Runtime;
  /** Results. */
  readonly out: TextOutput;
  /** Progress, remarks and errors. */
  readonly err: TextOutput;
  /** Asks a person at the terminal; null when nobody sits there. */
  readonly ask: Ask | null;
  /** Aborts at the first SIGINT or SIGTERM; a second one ends the process at once. */
  interrupted: () => AbortSignal;
}

/** Asks for one line; a `hidden` answer is not shown while it is typed. */
export type Ask = (question: string, hidden?: boolean) => Promise<string>;

export interface Command {
  readonly name: string;
  /** What it does, for `--help`: a few lines. */
  readonly description: string;
  readonly options: Options;
  run(context: Context, argv: readonly string[]): Promise<ExitCode>;
}

/** A command whose `run` gets its options parsed and typed. */
export function defineCommand<const Given extends Options>(
  definition: Omit<Command, 'run' | 'options'> & {
    readonly options: Given;
    readonly run: (context: Context, values: OptionValues<Given>) => Promise<ExitCode>;
  },
): Command {
  return {
    ...definition,
    run: (context, argv) => definition.run(context, parseOptions(definition.options, argv)),
  };
}
