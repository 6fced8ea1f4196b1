// `npm run docs` writes the pages under docs/ that follow from the code; `--check` only says which of
// them are not as they would be written.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { meanings } from '../dist/api/problem.js';
import { families } from '../dist/events/catalog.js';
import { projections } from '../dist/projections/registry.js';
import { laterSettings, settings } from '../dist/settings.js';
import { configurationPage } from './docs/configuration.mjs';
import { errorsPage } from './docs/errors.mjs';
import { eventsPage } from './docs/events.mjs';

const pages = {
  'docs/events.md': eventsPage({ families, projections }),
  'docs/errors.md': errorsPage({ meanings }),
  'docs/configuration.md': configurationPage({ settings, laterSettings }),
};

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const root = new URL('../', import.meta.url);
for (const [name, page] of Object.entries(pages)) {
  const file = new URL(name, root);
  const options = await resolveConfig(file);
  const text = await format(page, { ...options, parser: 'markdown' });
  if (read(file) === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${name} is not what the code says: npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    console.log(`${name} written`);
  }
}
