import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnavailable } from '../../events/eventStore.js';

/** The secrets of an installation that was given none. */
export interface KeptSecrets {
  readonly jwt: string;
  readonly refresh: string;
  readonly hash: string;
}

/**
 * The secrets kept in a data directory, made at the first start. Two processes that start at once
 * get the same: the file appears whole, and the first to make it wins.
 * @throws StoreUnavailable when the file is there but does not hold them
 */
export function keptSecrets(dataDir: string): KeptSecrets {
  const file = join(dataDir, 'secrets.json');
  return readSecrets(file) ?? makeSecrets(file);
}

function makeSecrets(file: string): KeptSecrets {
  const secret = () => randomBytes(32).toString('base64url');
  const text = JSON.stringify({ jwt: secret(), refresh: secret(), hash: secret() }, null, 2);
  // Not named by the process id, which in two containers on one volume is the same.
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${text}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
  const secrets = readSecrets(file);
  if (secrets === undefined) throw new Error(`${file} is gone`);
  return secrets;
}

function readSecrets(file: string): KeptSecrets | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const value = parse(text);
  if (!isSecrets(value)) {
    throw new StoreUnavailable('damaged', `${file} does not hold the secrets that it should`);
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSecrets(value: unknown): value is KeptSecrets {
  if (typeof value !== 'object' || value === null) return false;
  return ['jwt', 'refresh', 'hash'].every(
    (name) => name in value && typeof Reflect.get(value, name) === 'string',
  );
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
