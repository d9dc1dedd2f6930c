// People at the dashboard: a real browser with a size, a language and a theme, and what they do in it. The texts that
// they look for come from the dashboard's own catalogues, so one flow serves every language.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import i18next from 'i18next';
import { chromium } from 'playwright-core';

export const base = process.env.BASE ?? 'http://127.0.0.1:8080';
export const demoPassword = 'demonstracao';
export const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

/** How long something may take that a Worker's machine has to do. */
export const soon = { timeout: 90_000 };

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });

const folder = new URL('../src/', import.meta.url);

/** The texts of a language, by "slice:key". */
async function textsOf(language) {
  const texts = {};
  for (const slice of readdirSync(folder)) {
    const file = new URL(`${slice}/${language}.json`, folder);
    if (existsSync(file)) texts[slice] = JSON.parse(readFileSync(file, 'utf8'));
  }
  const i18n = i18next.createInstance();
  await i18n.init({
    lng: language,
    resources: { [language]: texts },
    fallbackLng: false,
    contextSeparator: '~',
    interpolation: { escapeValue: false },
  });
  return (key, options) => {
    const text = i18n.t(key, options);
    assert.notEqual(text, key.split(':').at(-1), `there is no text ${key}`);
    return text;
  };
}

const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Text as a pattern for a part of a name. */
export const part = (text) => new RegExp(escaped(text));

/** A person at a browser of their own. */
export class Person {
  static async arrive(browser, { language = 'en', size = 'desktop', scheme = 'light', motion = 'no-preference' } = {}) {
    const context = await browser.newContext({
      viewport: sizes[size],
      locale: language === 'en' ? 'en-US' : language,
      timezoneId: 'America/Sao_Paulo',
      colorScheme: scheme,
      reducedMotion: motion,
      isMobile: size === 'phone',
      hasTouch: size === 'phone',
    });
    context.setDefaultTimeout(30_000);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
    return new Person(context, await context.newPage(), await textsOf(language), { language, size, scheme });
  }

  /** What no page may do, whatever it shows: break its own security policy, throw, or ask for what isn't there. */
  troubles = [];
  /** Requests that wait for their answer, for whoever looks into a failure. */
  waiting = new Map();

  constructor(context, page, t, { language, size, scheme }) {
    Object.assign(this, { context, page, t, language, size, scheme, phone: size === 'phone' });
    page.on('pageerror', (e) => this.troubles.push(`${page.url()}: ${e.stack ?? e.message}`));
    page.on('request', (r) => this.waiting.set(r, Date.now()));
    for (const end of ['requestfinished', 'requestfailed']) page.on(end, (r) => this.waiting.delete(r));
    page.on('console', (m) => {
      // The browser itself reports every answer of the API that is a refusal.
      if (m.type() === 'error' && !/Failed to load resource|net::ERR_/.test(m.text()))
        this.troubles.push(`${page.url()}: ${m.text()}`);
    });
  }

  /** Where this person is, in words. */
  whereabouts() {
    const waiting = [...this.waiting].map(([r, since]) => `${r.url()} waits for ${Date.now() - since} ms`);
    return [this.page.url(), ...waiting, ...this.troubles].join('\n    ');
  }

  async leave() {
    await this.context.close();
    assert.deepEqual(this.troubles, []);
  }

  async open(path) {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.page.goto(new URL(path, base).href);
        return;
      } catch (error) {
        // Every machine that starts or ends on this host changes its network, on which browsers break off what they load.
        if (attempt >= 5 || !/ERR_NETWORK_CHANGED/.test(error.message)) throw error;
      }
    }
  }

  /** Fills the sign-in form that is shown. */
  async enter(email, password = demoPassword) {
    await this.page.locator('input[name=email]').fill(email);
    await this.page.locator('input[name=password]').fill(password);
    await this.page.locator('button[type=submit]').click();
  }

  async signIn(email, password, path = '/') {
    await this.open(path === '/' ? '/login' : path);
    await this.enter(email, password);
    await this.page.waitForURL((url) => url.pathname !== '/login');
    await this.page.locator('main').waitFor();
  }

  /** Calls the API as this person, the way another window of theirs would. */
  api(method, path, body) {
    return this.page.evaluate(
      async ([method, path, body]) => {
        const response = await fetch(`/api/v1${path}`, {
          method,
          headers: { 'Content-Type': 'application/json' },
          body: body && JSON.stringify(body),
        });
        const text = await response.text();
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
        return text ? JSON.parse(text) : undefined;
      },
      [method, path, body],
    );
  }

  /** Reads the API until it says so. */
  async until(path, ok) {
    const deadline = Date.now() + soon.timeout;
    for (;;) {
      const answer = await this.api('GET', path);
      if (ok(answer)) return answer;
      assert.ok(Date.now() < deadline, `waited too long for ${path}: ${JSON.stringify(answer).slice(0, 600)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  button(name, options) {
    return this.page.getByRole('button', { name, exact: typeof name === 'string', ...options });
  }

  link(name) {
    return this.page.getByRole('link', { name, exact: typeof name === 'string' });
  }

  field(name) {
    return this.page.getByRole('textbox', { name, exact: typeof name === 'string' });
  }

  dialog(name) {
    return this.page.getByRole('dialog', name === undefined ? {} : { name });
  }

  heading(name) {
    return this.page.getByRole('heading', { level: 1, name: typeof name === 'string' ? part(name) : name });
  }

  /** A message over the page. */
  toast(text) {
    return this.page.locator('.mantine-Notification-root', { hasText: text }).first();
  }

  /** A Worker's box on the board, and a bot in it. */
  box(name) {
    return this.page.getByRole('article', { name, exact: true });
  }

  chip(worker, bot) {
    return this.box(worker).getByRole('listitem').filter({ hasText: bot });
  }

  /** Goes to a page by the main navigation, which small screens keep in a drawer. */
  async go(label) {
    if (this.phone) await this.page.getByRole('button', { name: this.t('app:menu'), exact: true }).click();
    await this.page
      .getByRole('navigation', { name: this.t('app:navigation') })
      .getByRole('link', { name: part(label) })
      .filter({ visible: true })
      .click();
    await this.heading(label).waitFor();
  }

  async tab(label) {
    await this.page.getByRole('tab', { name: label, exact: true }).click();
    await this.page.getByRole('tabpanel', { name: label, exact: true }).waitFor();
  }

  /** Chooses one of a row of choices, whose radio buttons are drawn as their labels. */
  async segment(label) {
    const radio = this.page.getByRole('radio', { name: label, exact: true });
    await this.page.locator(`label[for="${await radio.getAttribute('id')}"]`).click();
    assert.equal(await radio.isChecked(), true);
  }

  async choose(field, option) {
    await field.click();
    await this.page.getByRole('option', { name: option }).filter({ visible: true }).click();
  }

  /** Chooses from the menu of further actions of the page. */
  async more(action) {
    await this.button(this.t('ui:more')).click();
    await this.page.getByRole('menuitem', { name: action }).click();
  }

  async search(query) {
    if (this.phone) await this.button(this.t('app:search')).filter({ visible: true }).click();
    else await this.page.keyboard.press('Control+k');
    await this.page.getByPlaceholder(this.t('search:placeholder')).fill(query);
  }

  found(text) {
    return this.page.locator('.mantine-Spotlight-action', { hasText: text });
  }

  clipboard() {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Presses what saves a file; gives its name and text. */
  async download(press) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), press()]);
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
  }
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core has against the page as it is. */
export async function violations({ context, page }) {
  // The page's policy allows no script that is not its own; the checker runs in a world apart.
  const client = await context.newCDPSession(page);
  const { frameTree } = await client.send('Page.getFrameTree');
  const { executionContextId: contextId } = await client.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  });
  await client.send('Runtime.evaluate', { expression: axeSource, contextId });
  const { result, exceptionDetails } = await client.send('Runtime.evaluate', {
    expression: `axe.run(document).then((r) => JSON.stringify([r.passes.length, ...r.violations.map((v) =>
      v.id + ': ' + v.help + '\\n      ' + v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + ' :: ' + (n.any[0]?.message ?? '')).join('\\n      '))]))`,
    contextId,
    awaitPromise: true,
    returnByValue: true,
  });
  await client.detach();
  assert.equal(exceptionDetails, undefined, 'axe-core could not run');
  const [passes, ...found] = JSON.parse(result.value);
  assert.ok(passes > 5, 'axe-core looked at nothing');
  return found;
}
