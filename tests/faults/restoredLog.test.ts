import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { eachWithFolder } from '../support/folder.js';
import { logInAdmin, registerDevice, type DeviceBody, type ListBody } from '../support/people.js';
import { startServer, type RunningServer } from '../support/server.js';

/**
 * A log restored from a backup, with the read models of the day after left beside it: their
 * checkpoints lay past the log's end, so that nothing new was ever shown, and /health said ok.
 */
describe('a server whose log was restored from a backup', () => {
  const folder = eachWithFolder();
  const file = (name: string) => join(folder.path, name);

  async function served<Result>(use: (server: RunningServer) => Promise<Result>): Promise<Result> {
    const server = await startServer({ dataDir: folder.path });
    try {
      return await use(server);
    } finally {
      await server.stop();
    }
  }

  const register = (...names: readonly string[]) =>
    served(async (server) => {
      const admin = await logInAdmin(server);
      for (const name of names) await registerDevice(admin, { name });
    });

  it('shows what the backup holds and what comes after it', async () => {
    await register('kept');
    copyFileSync(file('log.db'), file('backup.db'));
    await register('lost', 'lost too', 'and this');
    copyFileSync(file('backup.db'), file('log.db'));

    await served(async (server) => {
      const admin = await logInAdmin(server);
      await registerDevice(admin, { name: 'new' });
      const { body } = await admin.api.get<ListBody<DeviceBody>>('/api/devices');
      expect(body.items.map(({ name }) => name).sort()).toEqual(['kept', 'new']);
      const health = await server.client.get<{ status: string }>('/health');
      expect(health.body.status).toBe('ok');
    });
  });
});
