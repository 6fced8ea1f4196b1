import { code, page, table } from './markdown.mjs';

export function configurationPage({ settings, laterSettings }) {
  const rows = Object.values(settings).map(({ name, about, fallback }) => [
    code(name),
    fallback === undefined ? '' : code(fallback),
    about,
  ]);
  const refused = laterSettings.map(code).join(', ');
  return page(
    'Configuration',
    `Settings come from the environment. They are checked at the start: a wrong value stops the process with one line
that names it. An empty value counts as none. Durations are written as \`90s\`, \`15m\`, \`7d\` (a bare number is
seconds), sizes as \`512kb\` or \`1mb\` (a bare number is bytes).`,
    table(['setting', 'default', 'what it does'], rows),
    `With \`NODE_ENV=production\` the three secrets must be set, each with at least 32 characters. \`ADMIN_EMAIL\` and
\`ADMIN_PASSWORD\` are set both or neither.`,
    refused === ''
      ? ''
      : `This release does not have the parts that these settings are for, and refuses to start with one of them set, since
going on without would keep data where nobody expects it: ${refused}.`,
  );
}
