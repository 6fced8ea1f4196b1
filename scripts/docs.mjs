// `npm run docs` writes the pages under docs/ that follow from the code, and .env.example; `--check`
// only says which of them are not as they would be written.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { meanings } from '../dist/api/problem.js';
import { families } from '../dist/events/catalog.js';
import { projections } from '../dist/projections/registry.js';
import { laterSettings, settings } from '../dist/settings.js';
import { configurationPage } from './docs/configuration.mjs';
import { environmentFile } from './docs/environment.mjs';
import { errorsPage } from './docs/errors.mjs';
import { eventsPage } from './docs/events.mjs';

const pages = {
  'docs/events.md': eventsPage({ families, projections }),
  'docs/errors.md': errorsPage({ meanings }),
  'docs/configuration.md': configurationPage({ settings, laterSettings }),
  '.env.example': environmentFile({ settings }),
};

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function formatted(page, file) {
  return format(page, { ...(await resolveConfig(file)), parser: 'markdown' });
}

const root = new URL('../', import.meta.url);
for (const [name, page] of Object.entries(pages)) {
  const file = new URL(name, root);
  const text = name.endsWith('.md') ? await formatted(page, file) : page;
  if (read(file) === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${name} is not what the code says: npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    console.log(`${name} written`);
  }
}
