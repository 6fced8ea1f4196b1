import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const readme = readFileSync('README.md', 'utf8');

/** The tour's lines in their order: those that the README says can be pasted. */
const tour = [...readme.matchAll(/^```bash\n(.*?)^```/gms)].map(([, block = '']) => block).join('');
const ADDRESS = 'http://127.0.0.1:5000';

/** Tells the status of each answer on another channel, and changes nothing of what is pasted. */
const TELL_STATUS = `curl() { command curl --write-out '%{stderr}%{http_code}\\n' "$@"; }\n`;

describe('the tour in the README', () => {
  let dataDir: string;
  let server: ChildProcess;
  let url: string;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'fleetbook-readme-'));
    server = spawn(process.execPath, ['dist/main.js'], {
      // With the settings that a reader has: none.
      env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    url = await listening(server);
  });

  afterAll(async () => {
    const ended = once(server, 'exit');
    server.kill();
    await ended;
    rmSync(dataDir, { recursive: true });
  });

  it('works as it is pasted', async () => {
    const { output, statuses, code } = await bash(TELL_STATUS + tour.replace(ADDRESS, url));
    expect(code).toBe(0);
    expect(statuses).toEqual([
      ...['201', '200'], // sign up, log in
      ...['201', '200', '200'], // register, heartbeat, read
      ...['200', '200', '200', '200'], // log, logs, usage, dashboard
      ...['201', '200'], // token, batch
    ]);
    expect(output).toContain('"metrics":{"temperature":21.5}');
    expect(output).toContain('"event":"valve.opened"');
    expect(output).toContain('"accepted":2,"rejected":1');
  }, 60_000);

  it('is at the address at which the server is by default', () => {
    expect(tour).toContain(`FLEETBOOK=${ADDRESS}\n`);
  });
});

/** The address that a server says it listens at. */
async function listening({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('the server says nothing');
  for await (const line of createInterface({ input: stdout })) {
    const { msg, url } = JSON.parse(line) as { readonly msg: string; readonly url?: string };
    if (msg !== 'listening' || url === undefined) continue;
    stdout.resume();
    return url;
  }
  throw new Error('the server ended before it listened');
}

async function bash(script: string) {
  const shell = spawn('bash', [], { stdio: ['pipe', 'pipe', 'pipe'] });
  const texts = [shell.stdout, shell.stderr].map(async (stream) => {
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
    return text;
  });
  const ended = once(shell, 'exit');
  shell.stdin.end(script);
  const [code] = (await ended) as [number | null];
  const [output = '', told = ''] = await Promise.all(texts);
  return { code, output, statuses: told.trim().split('\n') };
}
