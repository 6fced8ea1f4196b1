/** What a production server has to be told. The rest has a default that does. */
const TO_FILL_IN = [
  'JWT_SECRET',
  'JWT_REFRESH_SECRET',
  'HASH_SECRET',
  'ADMIN_EMAIL',
  'ADMIN_PASSWORD',
];

const WIDTH = 100;

/** An environment file with every setting: those to fill in first, the others with their defaults. */
export function environmentFile({ settings }) {
  const all = Object.values(settings);
  const first = all.filter(({ name }) => TO_FILL_IN.includes(name));
  const rest = all.filter(({ name }) => !TO_FILL_IN.includes(name));
  return [
    comment(
      'Written by `npm run docs` from src/settings.ts; do not edit. Copy it to `.env`, which docker-compose.yml and `node --env-file=.env bundle/main.js` read. An empty value counts as none.',
    ),
    comment('To fill in. `openssl rand -base64 48` makes a secret.'),
    ...first.map(({ name, about }) => `${comment(plain(about))}\n${name}=`),
    comment('The rest, as it is by default.'),
    ...rest.map(
      ({ name, about, fallback = '' }) => `${comment(plain(about))}\n# ${name}=${fallback}`,
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

const plain = (text) => text.replaceAll('`', '');

/** Words in lines that begin with `#`. */
function comment(text) {
  const lines = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}
