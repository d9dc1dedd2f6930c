// Opens every page in a real browser and looks at it: a picture in both themes, languages and sizes, what axe-core
// finds, and what the console says. Usage: BASE=http://127.0.0.1:8080 node scripts/screens.mjs [out] [filter]
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const base = process.env.BASE ?? 'http://127.0.0.1:8080';
const out = process.argv[2] ?? '.screens';
const only = process.argv[3];
const email = process.env.EMAIL ?? 'ana@cliente-a.example';
const password = process.env.PASSWORD ?? 'demonstracao';
const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
await mkdir(out, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});

const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const variants = process.env.VARIANTS
  ? process.env.VARIANTS.split(',').map((v) => v.split(':'))
  : [
      ['desktop', 'light', 'pt-BR'],
      ['desktop', 'dark', 'en'],
      ['phone', 'light', 'en'],
      ['phone', 'dark', 'pt-BR'],
    ];
let troubles = 0;
const trouble = (...words) => {
  troubles++;
  console.log('!', ...words);
};

for (const [size, scheme, language] of variants) {
  const context = await browser.newContext({
    viewport: sizes[size],
    colorScheme: scheme,
    locale: language,
    deviceScaleFactor: 1,
    reducedMotion: 'reduce',
    bypassCSP: false,
    hasTouch: size === 'phone',
    isMobile: size === 'phone',
  });
  const page = await context.newPage();
  const name = (what) => `${what}-${size}-${scheme}-${language}`;
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning') trouble(name(new URL(page.url()).pathname), m.text());
  });
  page.on('pageerror', (e) => trouble(name('page'), e.stack ?? e.message));

  const look = async (what, { settle = 500 } = {}) => {
    await page.waitForTimeout(settle);
    await page.screenshot({ path: join(out, `${name(what)}.png`), fullPage: what.endsWith('-full') });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    if (overflow > 0) trouble(name(what), `is ${overflow} px too wide`);
    // The policy of the page allows no script that is not its own; the checker runs in a world apart.
    const client = await context.newCDPSession(page);
    const { frameTree } = await client.send('Page.getFrameTree');
    const { executionContextId } = await client.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
    await client.send('Runtime.evaluate', { expression: axeSource, contextId: executionContextId });
    const { result } = await client.send('Runtime.evaluate', {
      expression:
        'axe.run(document).then((r) => JSON.stringify(r.violations.map((v) => ({ id: v.id, help: v.help, nodes: v.nodes.map((n) => n.html.slice(0, 160) + " :: " + (n.any[0]?.message ?? "")) }))))',
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    });
    for (const v of JSON.parse(result.value ?? '[]'))
      trouble(name(what), 'axe', v.id, v.help, `\n    ${v.nodes.slice(0, 4).join('\n    ')}`);
    await client.detach();
  };

  await page.goto(`${base}/login`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  if (!only || 'login'.includes(only)) await look('login');
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
  await page.waitForURL(/\/t\/|\/operator/);
  const tenant = new URL(page.url()).pathname.split('/').slice(0, 3).join('/');
  const { items: workers } = await page.evaluate(
    async (t) => (await fetch(`/api/v1/tenants/${t}/workers`)).json(),
    tenant.split('/')[2],
  );
  const { items: bots } = await page.evaluate(
    async (t) => (await fetch(`/api/v1/tenants/${t}/bots`)).json(),
    tenant.split('/')[2],
  );
  const pages = {
    overview: tenant,
    board: `${tenant}/workers`,
    list: `${tenant}/workers?view=list`,
    'new-worker-full': `${tenant}/workers/new`,
    'worker-full': `${tenant}/workers/${workers[0]?.id}`,
    'worker-usage-full': `${tenant}/workers/${workers[0]?.id}?tab=usage`,
    'worker-events': `${tenant}/workers/${workers[0]?.id}?tab=events`,
    'worker-settings-full': `${tenant}/workers/${workers[0]?.id}?tab=settings`,
    activity: `${tenant}/activity`,
    account: '/account',
    'not-found': `${tenant}/nothing`,
    bots: `${tenant}/bots`,
    'bot-full': `${tenant}/bots/${bots[0]?.id}`,
    'new-bot-full': `${tenant}/bots/new`,
    team: `${tenant}/team`,
  };
  for (const [what, path] of Object.entries(pages)) {
    if (only && !what.includes(only)) continue;
    await page.goto(base + path);
    await page.locator('main').first().waitFor();
    await page
      .waitForFunction(() => !document.querySelector('.mantine-Skeleton-root'), undefined, { timeout: 10_000 })
      .catch(() => undefined);
    await look(what, { settle: what.includes('usage') || what === 'overview' ? 1500 : 500 });
  }
  if (!only || 'search'.includes(only)) {
    await page.goto(base + tenant);
    await page.waitForTimeout(800);
    await page.keyboard.press('Control+k');
    await look('search', { settle: 900 });
  }
  await context.close();
}
await browser.close();
console.log(troubles === 0 ? 'nothing to complain about' : `${troubles} troubles`);
process.exit(troubles === 0 ? 0 : 1);
