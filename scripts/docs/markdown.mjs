/** What every generated page begins with. */
export function page(title, introduction, ...parts) {
  return [
    `# ${title}`,
    '<!-- Written by `npm run docs`; do not edit. -->',
    introduction,
    ...parts,
  ].join('\n\n');
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');

export const code = (text) => `\`${text}\``;
