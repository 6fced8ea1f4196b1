// Loaded ahead of a program: what it asks about paths that end in ON_NETWORK is answered as NFS would.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { statfsSync } = fs;
fs.statfsSync = (path, ...rest) => {
  const asked = statfsSync(path, ...rest);
  return path.endsWith(process.env.ON_NETWORK) ? Object.assign(asked, { type: 0x6969 }) : asked;
};
syncBuiltinESMExports();
