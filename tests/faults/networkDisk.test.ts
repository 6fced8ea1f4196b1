import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { placeFor } from '../../src/adapters/sqlite/localDisk.js';
import { StoreUnavailable } from '../../src/events/eventStore.js';
import { eachWithFolder } from '../support/folder.js';
import { SETTINGS } from '../support/server.js';
import { runToItsEnd } from '../support/serverProcess.js';

const PRELOADED = fileURLToPath(new URL('../support/networkDisk.mjs', import.meta.url));
const folder = eachWithFolder();

describe('the place of an embedded store', () => {
  const faultOf = (type: number) => {
    try {
      placeFor(join(folder.path, 'log.db'), () => ({ type }));
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error).toMatchObject({ reason: 'unreachable' });
      return (error as StoreUnavailable).message;
    }
  };

  // statfs(2) and linux/magic.h
  it.each([
    ['NFS', 0x6969],
    ['CIFS', 0xff534d42],
    ['CIFS', -0xacb2be],
    ['SMB', 0xfe534d42],
    ['9p', 0x01021997],
    ['CephFS', 0x00c36400],
    ['Lustre', 0x0bd00bd0],
    ['FUSE', 0x65735546],
  ])('is refused on %s (%d), by a line that says so', (name, type) => {
    const message = faultOf(type);
    expect(message).toContain(`log.db: it lies on ${name}, `);
    expect(message).not.toContain('\n');
  });

  it.each([
    ['ext4', 0xef53],
    ['XFS', 0x58465342],
    ['btrfs', 0x9123683e],
    ['ZFS', 0x2fc12fc1],
    ['overlayfs', 0x794c7630],
    ['tmpfs', 0x01021994],
    ['what macOS or Windows say', 26],
    ['nothing known', 0],
  ])('is taken on %s', (_, type) => {
    expect(faultOf(type)).toBeUndefined();
  });

  it('is asked of the folder, and of the file once it is there: it may be a link', () => {
    const asked: string[] = [];
    const file = join(folder.path, 'new', 'log.db');
    const ask = () => {
      placeFor(file, (path) => {
        asked.push(path);
        return { type: 0 };
      });
    };
    ask();
    mkdirSync(join(folder.path, 'elsewhere'));
    writeFileSync(join(folder.path, 'elsewhere', 'log.db'), '');
    symlinkSync(join(folder.path, 'elsewhere', 'log.db'), file);
    ask();
    expect(asked).toEqual([join(folder.path, 'new'), file]);
  });

  it('is taken where nobody can say what it is', () => {
    placeFor(join(folder.path, 'log.db'), () => {
      throw new Error('ENOSYS');
    });
  });
});

describe('a start on a network file system', () => {
  const start = (onNetwork: string) =>
    runToItsEnd({
      ...SETTINGS,
      DATA_DIR: folder.path,
      PORT: '0',
      NODE_OPTIONS: `--import ${PRELOADED}`,
      ON_NETWORK: onNetwork,
    });

  it('is refused with one line, before a log is made', async () => {
    const { code, stderr } = await start(basename(folder.path));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `fleetbook: ${folder.path}/log.db: it lies on NFS, and the embedded stores need a disk of this host; set DATA_DIR to one\n`,
    );
    expect(existsSync(join(folder.path, 'log.db'))).toBe(false);
  });

  it('is refused so when only the read models lie there', async () => {
    writeFileSync(join(folder.path, 'read-models.db'), '');
    const { code, stderr } = await start('read-models.db');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^fleetbook: \S+read-models\.db: it lies on NFS, .*\n$/);
  });
});
