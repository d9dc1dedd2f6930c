// Opens every page and the main dialogs in a real browser, in both themes, languages and sizes, and looks at each: what
// axe-core finds, whether it is too wide, what the console says, whether the keyboard gets everywhere, and into and out
// of what opens over a page. Leaves a picture of each. The server must hold the demo data.
// Usage: BASE=http://127.0.0.1:8080 node e2e/pages.mjs [out] [pattern]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, Person, part, violations } from './browser.mjs';
import * as keyboard from './keyboard.mjs';

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
    for (const found of await keyboard.unreachable(page)) trouble(name, found);
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

/** Opens each thing that lies over a page, by the keyboard on a desktop and by a finger on a phone, and looks. */
async function openOver(person, overlays) {
  const { page, phone } = person;
  for (const [what, path, heading, role, ...targets] of overlays) {
    if (!wanted(what)) continue;
    const over = page.getByRole(role).filter({ visible: true });
    await person.open(path);
    try {
      await person.heading(heading).waitFor();
      await settled(page);
      if (phone) for (const target of targets) await target.click();
      else await keyboard.open(targets);
      await over.first().waitFor();
      await look(person, what);
      if (!phone) for (const found of await keyboard.trouble(over.first(), targets[0])) trouble(what, found);
    } catch (error) {
      trouble(what, error.message);
    }
  }
}

async function client(person) {
  const { page, t, size } = person;
  const charts = (n) => () => page.locator('.recharts-surface').nth(n).waitFor({ timeout: 180_000 });
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
  ]);
  const more = person.button(t('ui:more'));
  const item = (name) => page.getByRole('menuitem', { name });
  await openOver(person, [
    ['over-invite', `${tenant}/team`, t('team:title'), 'dialog', person.button(t('team:invite'))],
    [
      'over-token',
      `${tenant}/tokens`,
      t('team:tokens.title'),
      'dialog',
      person.button(t('team:tokens.create')).first(),
    ],
    ['over-secret', `${tenant}/secrets`, t('secrets:title'), 'dialog', person.button(t('secrets:create')).first()],
    ['over-delete', workerAt, worker.name, 'dialog', more, item(t('workers:action.delete'))],
    ['over-duplicate', botAt, bot.name, 'dialog', more, item(t('bots:action.duplicate'))],
    ['over-delete-bot', botAt, bot.name, 'dialog', more, item(t('bots:action.delete'))],
    ['over-move', botAt, bot.name, 'dialog', more, item(part(t('workers:board.moveBot')))],
    [
      'over-search',
      tenant,
      t('overview:title'),
      'dialog',
      person.button(size === 'phone' ? t('app:search') : part(t('app:search'))).filter({ visible: true }),
    ],
    [
      'over-account-menu',
      `${tenant}/workers`,
      t('workers:title'),
      'dialog',
      person.button(part(t('app:userMenu', { name: '' }).trim())),
    ],
    ['over-more', workerAt, worker.name, 'menu', more],
    [
      'over-bot-menu',
      `${tenant}/workers`,
      t('workers:title'),
      'menu',
      person.chip(worker.name, bot.name).getByRole('button'),
    ],
  ]);
  await visit(person, [
    [
      'over-selector',
      `${tenant}/workers`,
      t('workers:title'),
      async () => {
        await page.getByRole('combobox', { name: t('workers:selector.label') }).click();
        await page.getByRole('option').first().waitFor();
      },
    ],
  ]);
  if (size === 'phone') {
    const menu = page.getByRole('button', { name: t('app:menu'), exact: true });
    await openOver(person, [['over-menu', tenant, t('overview:title'), 'dialog', menu]]);
  }
}

async function operator(person) {
  const { page, t } = person;
  await person.signIn('operador@baas.example');
  const { items } = await person.api('GET', '/tenants');
  const { id } = items.find((c) => c.slug === 'cliente-b');
  const clientAt = `/operator/tenants/${id}`;
  await visit(person, [
    ['operator-clients', '/operator', t('operator:tenants.title'), () => person.link('Cliente B').waitFor()],
    ['operator-client', clientAt, 'Cliente B'],
    ['operator-plans', '/operator/plans', t('operator:plans.title')],
    [
      'operator-health',
      '/operator/platform',
      t('operator:health.title'),
      () => page.getByText('Docker').first().waitFor(),
    ],
  ]);
  await openOver(person, [
    [
      'over-new-client',
      '/operator',
      t('operator:tenants.title'),
      'dialog',
      person.button(t('operator:tenants.create')).first(),
    ],
    ['over-suspend', clientAt, 'Cliente B', 'dialog', person.button(t('operator:tenant.suspend'))],
    ['over-delete-client', clientAt, 'Cliente B', 'dialog', person.button(t('operator:tenant.delete'))],
    ['over-plan', '/operator/plans', t('operator:plans.title'), 'dialog', person.button(t('operator:plans.create'))],
  ]);
  if (!['support-inside', 'support-panel'].some(wanted)) return;
  await person.api('POST', `/tenants/${id}/support`, { reason: 'Chamado 4711: o bot não responde', minutes: 15 });
  await visit(person, [
    [
      'support-inside',
      '/t/cliente-b/bots',
      t('bots:title'),
      () => page.getByRole('region', { name: t('support:banner.label') }).waitFor(),
    ],
    ['support-panel', clientAt, 'Cliente B'],
  ]);
  for (const s of (await person.api('GET', `/tenants/${id}/support?active=true`)).items)
    await person.api('DELETE', `/tenants/${id}/support/${s.id}`);
}

/** A person of two companies, in each of them limited to one Worker. */
async function guest(person) {
  const { page, t } = person;
  await person.signIn('paula@contabilidade.example');
  await visit(person, [
    ['limited-overview', '/t/cliente-a', t('overview:title')],
    ['limited-team', '/t/cliente-a/team', t('team:title')],
    ['not-a-member', '/t/cliente-c', t('tenants:gone.title')],
  ]);
  const menu = page.getByRole('button', { name: t('app:menu'), exact: true });
  const switcher = person.button(part(t('tenants:switch'))).filter({ visible: true });
  await openOver(person, [
    ['over-switcher', '/t/cliente-b', t('overview:title'), 'menu', ...(person.phone ? [menu] : []), switcher],
  ]);
}

for (const [size, scheme, language] of variants) {
  for (const tour of [client, operator, guest]) {
    const person = await Person.arrive(browser, { size, scheme, language, motion: 'reduce' });
    await tour(person);
    await person.leave();
  }
}
await browser.close();
console.log(troubles === 0 ? 'nothing to complain about' : `${troubles} troubles`);
process.exit(troubles === 0 ? 0 : 1);
