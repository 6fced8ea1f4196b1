import helmet from 'helmet';

/** Header names and values in turn, as `writeHead` takes them. */
export type FlatHeaders = readonly string[];

/**
 * What an API's answers need (OWASP REST Security Cheat Sheet); the page at /docs replaces some.
 * Helmet says it once: none of it depends on the request, and its chain of a dozen handlers costs as
 * much as routing does.
 */
export function securityHeaders(production: boolean): FlatHeaders {
  const said: string[] = [];
  const listener = {
    setHeader: (name: string, value: string) => said.push(name, value),
    removeHeader: () => undefined,
  };
  // Of a response, all that it uses is these two.
  const say: (request: object, response: typeof listener, next: () => void) => void = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: production,
    xFrameOptions: { action: 'deny' },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  }) as never;
  say({}, listener, () => undefined);
  return said;
}
