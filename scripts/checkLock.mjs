// Part of `npm run lint`. The lock file pins versions and contents, not the registry of whoever wrote it
// (.npmrc keeps addresses out; another npm may not). And it names the native builds for every platform:
// `npm ci` refuses a lock file written where some could not be fetched.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

/** Whether a package at `path` finds `name` as Node would: beside itself or in a folder above. */
function finds(path, name) {
  if (`${path}/node_modules/${name}` in packages) return true;
  const above = path.lastIndexOf('/node_modules/');
  return above === -1 ? `node_modules/${name}` in packages : finds(path.slice(0, above), name);
}

const faults = Object.entries(packages).flatMap(
  ([path, { resolved, optionalDependencies = {} }]) => [
    ...(resolved?.startsWith('http') ? [`${path} names a registry: ${resolved}`] : []),
    ...Object.keys(optionalDependencies)
      .filter((name) => !finds(path, name))
      .map((name) => `${path} lacks its optional dependency ${name}`),
  ],
);

for (const fault of faults) console.error(`package-lock.json: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
