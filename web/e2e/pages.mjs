// Opens every page and the main dialogs in a real browser, in both themes, languages and sizes, and looks at each: what
// axe-core finds, whether it is too wide, what the console says, whether the keyboard gets everywhere. Leaves a picture
// of each. The server must hold the demo data. Usage: BASE=http://127.0.0.1:8080 node e2e/pages.mjs [out] [pattern]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, Person, part, violations } from './browser.mjs';

const out = process.argv[2] ?? '.screens';
const only = process.argv[3] && new RegExp(`^(${process.argv[3]})$`);
const variants = process.env.VARIANTS
  ? process.env.VARIANTS.split(',').map((v) => v.split(':'))
  : [
      ['desktop', 'light', 'pt-BR'],
      ['desktop', 'dark', 'en'],
      ['phone', 'light', 'en'],
      ['phone', 'dark', 'pt-BR'],
    ];
await mkdir(out, { recursive: true });

let troubles = 0;
const trouble = (...words) => {
  troubles++;
  console.log('!', ...words);
};

/** Waits until nothing moves or is still to come. */
const settled = (page) =>
  page.waitForFunction(
    () =>
      document.fonts.status === 'loaded' &&
      !document.querySelector('.mantine-Skeleton-root') &&
      document
        .getAnimations()
        .every((a) => a.playState !== 'running' || a.effect?.getTiming().iterations === Number.POSITIVE_INFINITY),
  );

/** What is clicked with the mouse but never gets the keyboard's focus. */
async function unreachable(page) {
  const seen = await page.evaluate(() => {
    const interactive = 'a[href], button, input, select, textarea, summary, [tabindex]';
    const drawn = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const words = (e) => `${e.tagName.toLowerCase()} "${(e.ariaLabel ?? e.textContent ?? '').trim().slice(0, 50)}"`;
    // Of a group of radio buttons only the chosen one is a stop; arrows go to the others.
    const stop = (e) =>
      e.tabIndex >= 0 && !e.disabled && !(e.type === 'radio' && !e.checked) && e.type !== 'hidden' && drawn(e);
    const stops = [...document.querySelectorAll(interactive)].filter(stop);
    window.stops = stops;
    const mouseOnly = [...document.querySelectorAll('body *')].filter(
      (e) =>
        getComputedStyle(e).cursor === 'pointer' &&
        drawn(e) &&
        !e.closest(`${interactive}, label, [role=option], [role=menuitem]`) &&
        !e.querySelector(interactive),
    );
    document.activeElement?.blur();
    return { stops: stops.length, mouseOnly: mouseOnly.map(words) };
  });
  const reached = new Set();
  // Some more steps than there are stops: the browser itself is one, and the page may grow meanwhile.
  for (let i = 0; i < seen.stops + 40 && reached.size < seen.stops; i++) {
    await page.keyboard.press('Tab');
    const index = await page.evaluate(() => window.stops.indexOf(document.activeElement));
    if (index >= 0) reached.add(index);
  }
  const missed = await page.evaluate(
    (reached) => window.stops.flatMap((e, i) => (reached.includes(i) ? [] : [e.outerHTML.slice(0, 140)])),
    [...reached],
  );
  return [...seen.mouseOnly, ...missed];
}

const browser = await launch();
const wanted = (what) => !only || only.test(what);

/** Looks at what the person has before them. */
async function look(person, what) {
  const { page, size, scheme, language } = person;
  const name = `${what}-${size}-${scheme}-${language}`;
  await settled(page);
  await page.screenshot({
    path: join(out, `${name}.png`),
    fullPage: !what.startsWith('over-'),
    animations: 'disabled',
  });
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (overflow > 0) trouble(name, `is ${overflow} px too wide`);
  for (const found of await violations(person)) trouble(name, found);
  if (size === 'desktop' && !what.startsWith('over-'))
    for (const found of await unreachable(page)) trouble(name, `the keyboard doesn't reach ${found}`);
  for (const found of person.troubles.splice(0)) trouble(name, found);
}

/** Opens each page, waits for its heading, does what is to be done there, and looks. */
async function visit(person, pages) {
  for (const [what, path, heading, act] of pages) {
    if (!wanted(what)) continue;
    await person.open(path);
    try {
      await person.heading(heading).waitFor();
      await settled(person.page);
      await act?.();
    } catch (error) {
      trouble(what, error.message);
    }
    await look(person, what);
  }
}

async function client(person) {
  const { page, t, size } = person;
  const charts = (n) => () => page.locator('.recharts-surface').nth(n).waitFor({ timeout: 180_000 });
  const dialog = (press) => async () => {
    await press();
    await page.getByRole('dialog').filter({ visible: true }).waitFor();
  };
  await visit(person, [
    ['login', '/login', t('session:login.title')],
    ['invitation', '/invitation#not-a-real-token', t('session:invitation.title')],
  ]);

  await person.signIn('ana@cliente-a.example');
  const slug = 'cliente-a';
  const tenant = `/t/${slug}`;
  const { items: workers } = await person.api('GET', `/tenants/${slug}/workers`);
  const { items: bots } = await person.api('GET', `/tenants/${slug}/bots`);
  const worker = workers.find((w) => w.name === 'Financeiro/Tributário');
  const bot = bots.find((b) => b.worker_id === worker.id);
  const workerAt = `${tenant}/workers/${worker.id}`;
  const botAt = `${tenant}/bots/${bot.id}`;
  await visit(person, [
    ['overview', tenant, t('overview:title')],
    ['board', `${tenant}/workers`, t('workers:title'), () => page.getByRole('article').first().waitFor()],
    ['list', `${tenant}/workers?view=list`, t('workers:title'), () => page.getByRole('table').waitFor()],
    ['nothing-found', `${tenant}/workers?q=nothing%20has%20this`, t('workers:title')],
    ['new-worker', `${tenant}/workers/new`, t('workers:new.title')],
    ['worker', workerAt, worker.name],
    ['worker-usage', `${workerAt}?tab=usage`, worker.name, charts(3)],
    ['worker-events', `${workerAt}?tab=events`, worker.name],
    ['worker-settings', `${workerAt}?tab=settings`, worker.name],
    ['worker-gone', `${tenant}/workers/wrk_none`, t('workers:gone.title')],
    ['bots', `${tenant}/bots`, t('bots:title')],
    ['new-bot', `${tenant}/bots/new`, t('bots:create')],
    ['new-assistant', `${tenant}/bots/new?kind=assistant`, t('bots:new.assistantTitle')],
    ['new-program', `${tenant}/bots/new?kind=program`, t('bots:new.programTitle')],
    ['bot', botAt, bot.name],
    ['bot-persona', `${botAt}?tab=persona`, bot.name],
    ['bot-channels', `${botAt}?tab=channels`, bot.name],
    [
      'bot-telegram',
      `${botAt}?tab=channels`,
      bot.name,
      () => page.getByRole('region', { name: 'Telegram' }).getByRole('button').first().click(),
    ],
    [
      'bot-whatsapp',
      `${botAt}?tab=channels`,
      bot.name,
      () => page.getByRole('region', { name: 'WhatsApp' }).getByRole('button').first().click(),
    ],
    ['bot-logs', `${botAt}?tab=logs`, bot.name, () => page.getByRole('log').waitFor()],
    ['bot-usage', `${botAt}?tab=usage`, bot.name, charts(0)],
    ['bot-settings', `${botAt}?tab=settings`, bot.name],
    ['activity', `${tenant}/activity`, t('events:page.title')],
    ['team', `${tenant}/team`, t('team:title')],
    ['secrets', `${tenant}/secrets`, t('secrets:title')],
    ['tokens', `${tenant}/tokens`, t('team:tokens.title')],
    ['account', '/account', t('session:account.title')],
    ['not-found', `${tenant}/nothing`, t('app:notFound.title')],
    ['over-invite', `${tenant}/team`, t('team:title'), dialog(() => person.button(t('team:invite')).click())],
    [
      'over-token',
      `${tenant}/tokens`,
      t('team:tokens.title'),
      dialog(() => person.button(t('team:tokens.create')).first().click()),
    ],
    [
      'over-secret',
      `${tenant}/secrets`,
      t('secrets:title'),
      dialog(() => person.button(t('secrets:create')).first().click()),
    ],
    ['over-delete', workerAt, worker.name, dialog(() => person.more(t('workers:action.delete')))],
    ['over-duplicate', botAt, bot.name, dialog(() => person.more(t('bots:action.duplicate')))],
    ['over-move', botAt, bot.name, dialog(() => person.more(part(t('workers:board.moveBot'))))],
    ['over-search', tenant, t('overview:title'), dialog(() => person.search('fin'))],
    [
      'over-account-menu',
      `${tenant}/workers`,
      t('workers:title'),
      dialog(() => person.button(part(t('app:userMenu', { name: '' }).trim())).click()),
    ],
    [
      'over-more',
      workerAt,
      worker.name,
      async () => {
        await person.button(t('ui:more')).click();
        await page.getByRole('menu').filter({ visible: true }).waitFor();
      },
    ],
    [
      'over-bot-menu',
      `${tenant}/workers`,
      t('workers:title'),
      async () => {
        await person.chip(worker.name, bot.name).getByRole('button').click();
        await page.getByRole('menu').filter({ visible: true }).waitFor();
      },
    ],
    [
      'over-selector',
      `${tenant}/workers`,
      t('workers:title'),
      async () => {
        await page.getByRole('combobox', { name: t('workers:selector.label') }).click();
        await page.getByRole('option').first().waitFor();
      },
    ],
    ...(size === 'phone'
      ? [
          [
            'over-menu',
            tenant,
            t('overview:title'),
            dialog(() => page.getByRole('button', { name: t('app:menu'), exact: true }).click()),
          ],
        ]
      : []),
  ]);
}

async function operator(person) {
  const { page, t } = person;
  await person.signIn('operador@baas.example');
  const { items } = await person.api('GET', '/tenants');
  const { id } = items.find((c) => c.slug === 'cliente-b');
  await visit(person, [
    ['operator-clients', '/operator', t('operator:tenants.title'), () => person.link('Cliente B').waitFor()],
    ['operator-client', `/operator/tenants/${id}`, 'Cliente B'],
    ['operator-plans', '/operator/plans', t('operator:plans.title')],
    [
      'operator-health',
      '/operator/platform',
      t('operator:health.title'),
      () => page.getByText('Docker').first().waitFor(),
    ],
  ]);
}

for (const [size, scheme, language] of variants) {
  for (const tour of [client, operator]) {
    const person = await Person.arrive(browser, { size, scheme, language, motion: 'reduce' });
    await tour(person);
    await person.leave();
  }
}
await browser.close();
console.log(troubles === 0 ? 'nothing to complain about' : `${troubles} troubles`);
process.exit(troubles === 0 ? 0 : 1);
