import { parseArgs, type ParseArgsConfig } from 'node:util';
import { codeOf, messageOf, UsageError } from './errors.js';

type OptionConfig = NonNullable<ParseArgsConfig['options']>[string];

export interface Option extends OptionConfig {
  readonly help: string;
  /** The placeholder of the value in `--help`. */
  readonly value?: string;
  /** `--journal` alone means `--journal=` (the empty value). */
  readonly valueOptional?: true;
}

export type Options = Readonly<Record<string, Option>>;

type Single<Given extends Option> = Given['type'] extends 'boolean' ? boolean : string;
type Value<Given extends Option> = Given extends { multiple: true }
  ? readonly Single<Given>[]
  : Single<Given>;

/** What is given or has a default is there; the rest is undefined. */
export type OptionValues<Given extends Options> = {
  readonly [Name in keyof Given]: Given[Name] extends { default: unknown }
    ? Value<Given[Name]>
    : Value<Given[Name]> | undefined;
};

/**
 * Parses the arguments after the command's name.
 *
 * @throws UsageError for an unknown option, a missing value or a stray argument. The message
 *   never repeats a value: it could be a password.
 */
export function parseOptions<const Given extends Options>(
  options: Given,
  argv: readonly string[],
): OptionValues<Given> {
  try {
    const { values }: { values: object } = parseArgs({
      args: withOptionalValues(options, argv),
      options,
      strict: true,
      allowPositionals: false,
    });
    return values as OptionValues<Given>;
  } catch (error) {
    throw new UsageError(explained(error));
  }
}

function withOptionalValues(options: Options, argv: readonly string[]): string[] {
  return argv.map((argument, index) => {
    const option = options[argument.slice(2)];
    const next = argv[index + 1];
    const alone = next === undefined || next.startsWith('--');
    return argument.startsWith('--') && option?.valueOptional === true && alone
      ? `${argument}=`
      : argument;
  });
}

function explained(error: unknown): string {
  if (codeOf(error) === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    return 'an argument stands alone; every argument here belongs to an --option';
  }
  const [first = ''] = messageOf(error).split('. ');
  return first;
}

/** The options as lines of `--help`. */
export function describeOptions(options: Options): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const value = option.type === 'boolean' ? '' : ` <${option.value ?? 'value'}>`;
    const shown = option.valueOptional === true ? ` [${option.value ?? 'value'}]` : value;
    const fallback = typeof option.default === 'string' ? ` (default ${option.default})` : '';
    return [`  --${name}${shown}`, option.help + fallback] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => left.padEnd(width) + right).join('\n');
}
