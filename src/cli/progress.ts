import type { TextOutput } from './command.js';

export interface Progress {
  /** Shows how it stands: in place on a terminal, as a line of its own elsewhere. */
  show(line: string): void;
  /** Writes a lasting line above the progress. */
  remark(line: string): void;
  /** Leaves the last state standing. */
  end(): void;
}

/** A progress line that is rewritten in place where a person watches. */
export function progressOn(output: TextOutput): Progress {
  const inPlace = output.isTTY === true;
  let shown = '';
  return {
    show: (line) => {
      shown = line;
      output.write(inPlace ? `\r\x1b[2K${line}` : `${line}\n`);
    },
    remark: (line) => {
      output.write(inPlace && shown !== '' ? `\r\x1b[2K${line}\n${shown}` : `${line}\n`);
    },
    end: () => {
      if (inPlace && shown !== '') output.write('\n');
      shown = '';
    },
  };
}

/** `1,234,567`: figures for a person. */
export function figure(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
