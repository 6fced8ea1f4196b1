import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CommandFailed, messageOf } from '../errors.js';

export interface Line {
  /** Of the file, 1-based. */
  readonly number: number;
  readonly text: string;
}

export interface CsvFile {
  /** The lines, those of one chunk together; a longer line than any record may be is cut. */
  lines(): AsyncGenerator<readonly Line[]>;
  /** How much of the file has been read, 0 to 1. */
  readonly part: number;
}

/** A line of more characters than this is no record of a table. */
export const LONGEST_LINE = 1_048_576;

/** Opens a text file, gzipped or not. Throws CommandFailed when it can't be read. */
export async function openCsvFile(path: string): Promise<CsvFile> {
  const { size, isGzip } = await lookInto(path).catch((error: unknown) => {
    throw new CommandFailed(messageOf(error));
  });
  const file = createReadStream(path, { highWaterMark: 262_144 });
  return {
    lines: () => linesOf(isGzip ? pipeline(file, createGunzip(), () => undefined) : file),
    get part() {
      return size > 0 ? file.bytesRead / size : 1;
    },
  };
}

async function lookInto(path: string) {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    const { size } = await file.stat();
    return { size, isGzip: bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b };
  } finally {
    await file.close();
  }
}

async function* linesOf(bytes: Readable): AsyncGenerator<readonly Line[]> {
  // Not `fatal`: a stray byte spoils a character, not the import. It takes a byte order mark away.
  const decoder = new TextDecoder();
  let number = 0;
  let rest = '';
  const numbered = (text: string): Line => {
    number += 1;
    return { number, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  };
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      const texts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      // Cut, not kept whole: a file without any newline must not fill the memory.
      rest = (texts.pop() ?? '').slice(0, LONGEST_LINE + 1);
      if (texts.length > 0) yield texts.map(numbered);
    }
  } catch (error) {
    throw new CommandFailed(`the file can't be read after line ${number}: ${messageOf(error)}`);
  }
  rest += decoder.decode();
  if (rest !== '') yield [numbered(rest)];
}
