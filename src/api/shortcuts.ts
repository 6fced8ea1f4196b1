import type { Route } from './route.js';

/** A busy route that a request is for, and what its path says. */
export interface Shortcut<Handler> {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
}

/** What stands in a path as it is: whatever would have to be decoded is Express's. */
const PLAIN = /^[\w.~-]+$/;
const PARAMETER = /:(\w+)/;

/**
 * The way round Express's router for the routes that carry the load: finding them costs next to
 * nothing, where the router tries one expression after the other (a tenth of a heartbeat). It takes
 * only paths exactly as they are documented; a query, an escape or another case goes to the router.
 */
export function shortcuts<Handler>(
  routes: readonly Route[],
  handlerOf: (route: Route) => Handler,
): (method: string | undefined, path: string) => Shortcut<Handler> | undefined {
  const busy = routes
    .filter((route) => route.busy)
    .map((route) => {
      const [prefix = '', name, suffix = ''] = route.path.split(PARAMETER);
      return {
        method: route.method.toUpperCase(),
        prefix,
        name,
        suffix,
        handler: handlerOf(route),
      };
    });
  return (method, path) => {
    for (const { method: wanted, prefix, name, suffix, handler } of busy) {
      if (method !== wanted || !path.startsWith(prefix) || !path.endsWith(suffix)) continue;
      if (name === undefined) {
        if (path === prefix) return { handler, params: NONE };
        continue;
      }
      const value = path.slice(prefix.length, path.length - suffix.length);
      if (PLAIN.test(value)) return { handler, params: { [name]: value } };
    }
    return undefined;
  };
}

const NONE = {};
