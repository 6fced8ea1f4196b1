// Takes a lease, says so, and lives on until it is killed.
import { sqliteReadModelStore } from '../../dist/adapters/sqlite/readModelStore.js';

const [file, name, holder, ttlMs] = process.argv.slice(2);
const lease = await sqliteReadModelStore(file).leases.acquire(name, holder, Number(ttlMs));
process.stdout.write(`${JSON.stringify(lease)}\n`);
setInterval(() => undefined, 60_000);
