import { execFileSync } from 'node:child_process';
import { loadWithAutocannon } from './autocannon.js';
import type { Load, Loaded } from './load.js';
import { loadWithWrk } from './wrk.js';

/** wrk if the machine has it, since it costs least itself; else autocannon. */
export const generator = isInstalled('wrk') ? 'wrk' : 'autocannon';

/**
 * Puts a server under load from a process of its own.
 * @throws Error when any request was not answered with 2xx
 */
export const putLoad: (load: Load) => Promise<Loaded> =
  generator === 'wrk' ? loadWithWrk : loadWithAutocannon;

function isInstalled(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
