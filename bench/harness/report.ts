import { existsSync, readFileSync } from 'node:fs';
import { format } from 'prettier';
import type { Chapter, Table, Target } from './benchmark.js';
import type { Machine } from './machine.js';

/** The results as a page of Markdown, formatted as the repository's other pages are. */
export async function resultsOf(
  machine: Machine,
  began: Date,
  chapters: readonly Chapter[],
  notesFile: string,
): Promise<string> {
  const notes = existsSync(notesFile) ? readFileSync(notesFile, 'utf8') : '';
  const parts = [
    '# Results',
    'Written by `npm run bench`; the notes at the end are written by hand in NOTES.md.',
    about(machine, began),
    '## Targets',
    targets(chapters.flatMap((chapter) => chapter.targets)),
    ...chapters.flatMap(chapterText),
    notes,
  ];
  return format(parts.join('\n\n'), { parser: 'markdown', printWidth: 100 });
}

function about({ cores, memory, node, kernel, files, commit }: Machine, began: Date): string {
  const rows = {
    cores,
    memory,
    node,
    kernel,
    files,
    commit,
    date: began.toISOString().slice(0, 16),
  };
  return tableText({ columns: ['what', 'on'], rows: Object.entries(rows) });
}

function targets(all: readonly Target[]): string {
  return tableText({
    columns: ['what', 'wanted', 'measured', 'reached'],
    rows: all.map(({ what, wanted, measured, reached }) => [
      what,
      wanted,
      measured,
      reached ? 'yes' : '**no**',
    ]),
  });
}

function chapterText({ title, about, tables }: Chapter): string[] {
  return [
    `## ${title}`,
    about,
    ...tables.flatMap((table) => [
      ...(table.title === undefined ? [] : [`### ${table.title}`]),
      tableText(table),
    ]),
  ];
}

function tableText({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
