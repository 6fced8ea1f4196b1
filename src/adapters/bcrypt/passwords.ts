import { createHmac } from 'node:crypto';
import bcrypt from 'bcrypt';
import { TooBusy, type Passwords } from '../../commands/passwords.js';

/** Two at once leave half of libuv's four threads to everything else. */
const AT_ONCE = 2;
/** At a quarter of a second each, the last of these waits for four seconds. */
const WAITING = 32;
const ROUNDS = 12;

/** A hash of nothing that anybody knows, so that an unknown user costs what a known one does. */
const NOBODY = '$2b$12$wf8Jcw7dEjR8qL6Tmlc5vu8IHjFY9RdoimpOQ7AkRGlPMCqrA/7o.';

/**
 * Passwords by bcrypt, which looks at 72 bytes and no more: it is given a keyed digest of the whole
 * password (HMAC-SHA-384 in base64: 64 bytes), so that nothing is cut off, and a stolen log alone is
 * no use to guess from.
 */
export function bcryptPasswords(pepper: string, rounds = ROUNDS): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    if (running >= AT_ONCE) {
      if (waiting.length >= WAITING) throw new TooBusy('too many passwords are being checked');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  }

  const digest = (password: string) =>
    createHmac('sha384', pepper).update(password.normalize('NFKC')).digest('base64');

  return {
    hash: (password) => inTurn(() => bcrypt.hash(digest(password), rounds)),
    verify: (password, hash) =>
      inTurn(async () => {
        const same = await bcrypt.compare(digest(password), hash ?? NOBODY);
        return same && hash !== undefined;
      }),
  };
}
