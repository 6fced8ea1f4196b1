import { chromium, type Browser, type Page } from 'playwright-core';
import { startServer, type RunningServer } from '../support/server.js';

describe('the page at /docs', () => {
  let server: RunningServer;
  let browser: Browser;
  let page: Page;
  /** What the browser found wrong with the page. */
  const complaints: string[] = [];
  /** Where the page got things from. */
  const origins = new Set<string>();

  beforeAll(async () => {
    server = await startServer();
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol !== 'data:') origins.add(origin);
    });
    await page.goto(`${server.url}/docs`);
    await page.waitForSelector('.opblock');
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  it('shows every operation', async () => {
    const shown = await page.locator('.opblock-summary-path').count();
    expect(shown).toBe(server.fleetbook.routes.length);
    await expect(page.locator('.info .title').innerText()).resolves.toContain('Fleetbook');
  });

  it('tries out GET /health', async () => {
    const health = page.locator('#operations-Operations-getHealth');
    await health.locator('.opblock-summary-control').click();
    await health.locator('.execute').click();
    await health.locator('.live-responses-table .response').waitFor();
    const answer = await health.locator('.live-responses-table').innerText();
    expect(answer).toContain('200');
    expect(answer).toContain('"status": "ok"');
  });

  it('has no complaint of the browser’s, and needs nothing from elsewhere', () => {
    expect(complaints).toEqual([]);
    expect([...origins]).toEqual([server.url]);
  });
});
