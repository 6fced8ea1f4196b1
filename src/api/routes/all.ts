import { openapi } from '../openapi.js';
import type { Route } from '../route.js';
import { analyticsRoutes } from './analytics.js';
import { authRoutes } from './auth.js';
import { deviceRoutes } from './devices.js';
import { deviceTokenRoutes } from './deviceTokens.js';
import { ingestRoutes, type IngestDeps } from './ingest.js';
import { operationsRoutes, type OperationsDeps } from './operations.js';
import { organizationRoutes } from './organizations.js';
import { telemetryRoutes } from './telemetry.js';
import { userRoutes } from './users.js';

export type AllRoutesDeps = IngestDeps &
  Omit<OperationsDeps, 'document'> & { readonly version: string };

/** What a process answers that does not serve the API: how it is. */
export function operationsOnly(deps: AllRoutesDeps): readonly Route[] {
  const routes = operationsRoutes({ ...deps, document: () => openapi(routes, deps.version) });
  return routes;
}

/** Every route; those that are asked most come first, since they are looked for in this order. */
export function allRoutes(deps: AllRoutesDeps): readonly Route[] {
  const document = () => openapi(routes, deps.version);
  const routes: readonly Route[] = [
    ...telemetryRoutes(deps),
    ...ingestRoutes(deps),
    ...deviceRoutes(deps),
    ...deviceTokenRoutes(deps),
    ...analyticsRoutes(deps),
    ...authRoutes(deps),
    ...userRoutes(deps),
    ...organizationRoutes(deps),
    ...operationsRoutes({ ...deps, document }),
  ];
  return routes;
}
