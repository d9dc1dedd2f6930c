// Walks through the Workers' pages in a real browser, against a running server with demo data, and checks what is
// seen: create, follow the progress, move a bot by drag, by keyboard and back by undo, resize, two people at once,
// a log-in that ends, a stream that breaks, delete. Usage: BASE=http://127.0.0.1:8080 node scripts/flows.mjs
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const base = process.env.BASE ?? 'http://127.0.0.1:8080';
const email = process.env.EMAIL ?? 'ana@cliente-a.example';
const password = process.env.PASSWORD ?? 'demonstracao';
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US' });
context.setDefaultTimeout(30_000);
const page = await context.newPage();
const violations = [];
page.on('console', (m) => /Content Security Policy/.test(m.text()) && violations.push(m.text()));
page.on('pageerror', (e) => violations.push(e.message));
const step = (name) => console.log('·', name);
process.on('uncaughtExceptionMonitor', () => console.error('at', page.url()));
const toast = (text) => page.locator('.mantine-Notification-root', { hasText: text }).first();
const box = (name) => page.getByRole('article', { name, exact: true });

step('a wrong password says so, a page that was asked for comes after the log-in');
await page.goto(`${base}/t/cliente-a/workers?view=list`);
await page.waitForURL(/\/login\?next=/);
const signIn = async (secret) => {
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(secret);
  await page.locator('button[type=submit]').click();
};
await signIn('not the password');
await page.getByText('E-mail or password is not right.').waitFor();
await signIn(password);
await page.waitForURL(/view=list/);
await page.getByRole('columnheader', { name: 'Name' }).waitFor();

// What a run that was broken off left behind goes first.
await page.evaluate(async () => {
  const api = async (method, path, body) => {
    const response = await fetch(`/api/v1/tenants/cliente-a${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    return response.json();
  };
  const { items: workers } = await api('GET', '/workers');
  const home = workers.find((w) => w.name === 'Operações');
  const stray = async () => (await api('GET', '/bots')).items.find((b) => b.name === 'Rastreio de Pedidos');
  if ((await stray()).worker_id !== home.id) {
    await api('POST', `/bots/${(await stray()).id}/move`, { worker_id: home.id });
    while ((await stray()).worker_id !== home.id || (await stray()).move_id)
      await new Promise((r) => setTimeout(r, 200));
  }
  for (const w of workers.filter((w) => w.name.startsWith('Flow ') && w.desired !== 'deleted')) {
    await api('DELETE', `/workers/${w.id}?confirm=${encodeURIComponent(w.name)}`);
  }
});

step('the Worker selector scopes what is shown and stays in the address');
await page.getByRole('link', { name: 'Overview' }).first().click();
await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
await page.getByRole('combobox', { name: 'Show' }).click();
await page.getByRole('option', { name: 'Operações' }).click();
await page.waitForURL(/worker=wrk_/);
await page.getByRole('link', { name: 'Workers', exact: true }).click();
await box('Operações').waitFor();
assert.equal(await page.getByRole('article').count(), 1);
assert.match(page.url(), /worker=wrk_/);
await page.getByRole('combobox', { name: 'Show' }).click();
await page.getByRole('option', { name: 'All Workers' }).click();
await box('Atendimento').waitFor();

step('create a Worker, and see it run without a reload');
const name = `Flow ${Date.now() % 100000}`;
await page.getByRole('link', { name: 'Create Worker' }).click();
await page.getByLabel('Name of the Worker').fill(name);
await page.getByRole('radio', { name: /Small/ }).click();
await page.getByRole('button', { name: 'Create Worker' }).click();
await page.getByRole('heading', { level: 1, name: new RegExp(name) }).waitFor();
await page.locator('h1', { hasText: 'Running' }).waitFor({ timeout: 90_000 });

step('a name that is taken is refused at its field, and nothing typed is lost');
await page.goto(`${base}/t/cliente-a/workers/new`);
await page.getByLabel('Name of the Worker').fill(name);
await page.getByRole('button', { name: 'Create Worker' }).click();
await page.getByText('This name is already in use. Choose another one.').waitFor();
assert.equal(await page.getByLabel('Name of the Worker').inputValue(), name);
await page.getByRole('link', { name: 'Overview' }).first().click();
await page.getByRole('button', { name: 'Leave' }).click();
await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();

step('drag a bot to the new Worker, see it arrive, and take it back');
await page.goto(`${base}/t/cliente-a/workers`);
const chip = (worker, bot) => box(worker).getByRole('listitem').filter({ hasText: bot });
await chip('Operações', 'Rastreio de Pedidos').dragTo(box(name));
await toast('is in').waitFor({ timeout: 90_000 });
await chip(name, 'Rastreio de Pedidos').waitFor();
await toast('is in').getByRole('button', { name: 'Undo' }).click();
await chip('Operações', 'Rastreio de Pedidos').waitFor({ timeout: 90_000 });

step('move by keyboard: M, choose, Enter');
await toast('is in').waitFor({ timeout: 90_000 });
await chip('Operações', 'Rastreio de Pedidos').getByRole('link').focus();
await page.keyboard.press('m');
await page.getByRole('dialog').getByRole('textbox').fill(name);
await page.getByRole('dialog').getByRole('button', { name }).press('Enter');
await chip(name, 'Rastreio de Pedidos').waitFor({ timeout: 90_000 });

step('move by menu, back');
await toast(`is in ${name}`).waitFor({ timeout: 90_000 });
await chip(name, 'Rastreio de Pedidos').getByRole('button').click();
await page.getByRole('menuitem', { name: /Move to another Worker/ }).click();
await page
  .getByRole('dialog')
  .getByRole('button', { name: /Operações/ })
  .click();
await chip('Operações', 'Rastreio de Pedidos').waitFor({ timeout: 90_000 });

step('search goes to a Worker by part of its name');
await page.keyboard.press('Control+k');
await page.getByPlaceholder('Go to a Worker, bot, page or action…').fill(name);
await page.locator('.mantine-Spotlight-action', { hasText: name }).waitFor();
await page.keyboard.press('ArrowDown');
await page.keyboard.press('Enter');
await page.getByRole('heading', { level: 1, name: new RegExp(name) }).waitFor();
const workerUrl = page.url();
const worker = workerUrl.match(/wrk_\w+/)[0];

step('a resize says beforehand what it does');
await page.getByRole('tab', { name: 'Settings' }).click();
await page.getByRole('radio', { name: /Standard/ }).click();
await page.getByText(/Takes effect at once|restarts for this/).waitFor();
await page.getByRole('button', { name: /Change size/ }).click();
await toast('New size').waitFor();

step('two people at once: a conflict, and a choice');
await page.getByLabel('Name of the Worker').fill(`${name} mine`);
const other = await page.evaluate(
  async ([id, renamed]) => {
    const response = await fetch(`/api/v1/tenants/cliente-a/workers/${id}`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: renamed }),
    });
    return response.status;
  },
  [worker, `${name} theirs`],
);
assert.equal(other, 200);
await page.locator('h1', { hasText: 'theirs' }).waitFor();
assert.equal(await page.getByLabel('Name of the Worker').inputValue(), `${name} mine`);
await page.getByRole('button', { name: 'Save', exact: true }).click();
await page.getByRole('dialog', { name: 'Changed by somebody else' }).waitFor();
await page.getByRole('cell', { name: `${name} theirs` }).waitFor();
await page.getByRole('button', { name: 'Save my version' }).click();
await page.locator('h1', { hasText: `${name} mine` }).waitFor();

step('a log-in that ends in the middle of a form loses nothing');
await page.getByLabel('Name of the Worker').fill(`${name} after`);
await context.clearCookies();
await page.getByRole('button', { name: 'Save', exact: true }).click();
const again = page.getByRole('dialog', { name: 'Your log-in has ended' });
await again.locator('input[type=password]').fill(password);
await again.getByRole('button', { name: 'Continue' }).click();
await again.waitFor({ state: 'hidden' });
assert.equal(await page.getByLabel('Name of the Worker').inputValue(), `${name} after`);
await page.getByRole('button', { name: 'Save', exact: true }).click();
await page.locator('h1', { hasText: `${name} after` }).waitFor();

step('a broken stream shows, and comes back');
await context.setOffline(true);
await page
  .getByText(/Off line|Reconnecting/)
  .first()
  .waitFor();
await context.setOffline(false);
await page.getByRole('status').filter({ hasText: 'Live' }).waitFor({ timeout: 60_000 });

step('stop and start');
await page.getByRole('button', { name: 'Stop', exact: true }).click();
await page.locator('h1', { hasText: 'Stopped' }).waitFor({ timeout: 60_000 });
await page.getByRole('button', { name: 'Start', exact: true }).click();
await page.locator('h1', { hasText: 'Running' }).waitFor({ timeout: 90_000 });

step('delete asks for the name');
await page.getByRole('button', { name: 'Delete Worker' }).click();
const sure = page.getByRole('dialog');
await sure.getByRole('textbox').fill(name);
assert.equal(await sure.getByRole('button', { name: 'Delete for good' }).isDisabled(), true);
await sure.getByRole('textbox').fill(`${name} after`);
await sure.getByRole('button', { name: 'Delete for good' }).click();
await page.waitForURL(/\/workers$/);
await box(`${name} after`).waitFor({ state: 'detached', timeout: 60_000 });

assert.deepEqual(violations, []);
await browser.close();
console.log('all flows pass');
