import { inChild } from '../harness/child.js';
import type { Load, Loaded } from './load.js';

/** https://github.com/mcollina/autocannon, in a process of its own. */
export function loadWithAutocannon(load: Load): Promise<Loaded> {
  return inChild(new URL('./autocannonChild.js', import.meta.url), load);
}
