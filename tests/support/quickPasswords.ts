import { createHash } from 'node:crypto';
import type { Passwords } from '../../src/commands/passwords.js';

const digest = (password: string) => createHash('sha256').update(password).digest('hex');

/** Passwords that cost nothing, for tests that are about something else. */
export const quickPasswords: Passwords = {
  hash: async (password) => digest(password),
  verify: async (password, hash) => hash === digest(password),
};
